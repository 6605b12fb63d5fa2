import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CLOSE, type CloseCode, closeReason, returnOf } from '../../src/protocol/close-codes.ts';
import type { ThreadSnapshot } from '../../src/protocol/messages.ts';
import { closeText } from '../../src/protocol/texts.ts';
import { launchBrowser, openPage, openTab } from '../support/browser.ts';
import { type CuttingProxy, startCuttingProxy } from '../support/cutting-proxy.ts';
import { type SpillwayProcess, startSpillway } from '../support/spillway-process.ts';
import { need, skipWithout } from '../support/tools.ts';

const chromium = need('chromium');
/** About four seconds of answer. */
const COUNT = 'Count to 120';
const WITHIN_MS = 25_000;

const words = (text: string): string[] => text.match(/[\p{L}\p{N}]+/gu) ?? [];

async function signIn(page: Page, url: string, user = 'ada'): Promise<void> {
  await page.goto(url);
  // Filled in, because this server has demo accounts.
  await expect.poll(() => page.getByLabel('Name').inputValue()).toBe('ada');
  await page.getByLabel('Name').fill(user);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await isConnected(page);
}

/** Ends every connection through the proxy as the gateway would. */
function endWith(proxy: CuttingProxy, close: CloseCode, retryAfterMs = 0, label?: string): void {
  const back = returnOf(close.code);
  const text = closeText(close, { retryAfterMs, label });
  const bye = {
    type: 'bye',
    code: close.code,
    name: close.name,
    return: back,
    retryAfterMs,
    reason: close.name,
    text,
    resumable: back !== 'never',
    positions: [],
  };
  proxy.closeWith(close.code, closeReason(close, retryAfterMs), bye);
}

async function isConnected(page: Page): Promise<void> {
  await page.locator('.connection[data-state="live"]').waitFor();
}

const box = (page: Page) => page.getByLabel('Your message');

async function ask(page: Page, text: string): Promise<void> {
  await box(page).fill(text);
  await box(page).press('Enter');
}

const lastAnswer = (page: Page) => page.locator('.answer').last();
const answerText = (page: Page): Promise<string> => lastAnswer(page).locator('.markdown').last().innerText();
const isFinished = (page: Page): Promise<void> => page.locator('.answer:last-of-type[data-status="complete"]').last().waitFor({ timeout: WITHIN_MS });

async function hasSaid(page: Page, count: number): Promise<void> {
  await expect.poll(async () => words(await answerText(page)).length, { timeout: WITHIN_MS, interval: 50 }).toBeGreaterThan(count);
}

/** The conversation of the open page, as the gateway has stored it. */
async function stored(page: Page): Promise<ThreadSnapshot> {
  const thread = new URL(page.url()).hash.slice('#/t/'.length);
  return page.evaluate(async (id) => {
    const { accessToken } = JSON.parse(localStorage.getItem('spillway.account') ?? '{}') as { accessToken: string };
    const response = await fetch(`v1/threads/${id}/messages`, { headers: { authorization: `Bearer ${accessToken}` } });
    return (await response.json()) as ThreadSnapshot;
  }, thread);
}

/** The last answer on the screen says what the log says, each word once. */
async function showsWhatIsStored(page: Page): Promise<void> {
  const snapshot = await stored(page);
  const last = snapshot.messages.at(-1);
  const text = last?.parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('') ?? '';
  expect(words(text).length).toBeGreaterThan(0);
  // A list's own numbers are drawn, not written.
  expect(words(await answerText(page))).toEqual(words(text.replace(/^\d+\. /gm, '')));
  expect(await page.locator('.message').count()).toBe(snapshot.messages.length);
}

const overflow = (page: Page): Promise<number> => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

describe('the chat page', () => {
  skipWithout(chromium);
  let browser: Browser;
  let data: string;
  let spillway: SpillwayProcess;
  let proxy: CuttingProxy;

  beforeAll(async () => {
    if (chromium.path === null) return;
    if (!existsSync(new URL('../../dist/web/chat/index.html', import.meta.url)))
      throw new Error('Expected the built chat page in dist/web/chat: run `npm run build`.');
    data = await mkdtemp(join(tmpdir(), 'spillway-chat-'));
    spillway = await startSpillway({ data, env: { SPILLWAY_RATE_LOGINS_PER_MINUTE: '1000' } });
    proxy = await startCuttingProxy(spillway.port);
    browser = await launchBrowser(chromium.path);
  });
  afterEach(() => proxy?.mend());
  afterAll(async () => {
    await browser?.close();
    await proxy?.[Symbol.asyncDispose]();
    await spillway?.[Symbol.asyncDispose]();
    if (data !== undefined) await rm(data, { recursive: true, force: true });
  });

  it('shows thinking, a tool step with its sources, and the streamed answer', async () => {
    await using watched = await openPage(browser);
    const { page, complaints } = watched;
    await signIn(page, proxy.url);
    await ask(page, 'What happens when I reload in the middle of an answer?');

    await page.getByText('Thinking…').first().waitFor();
    await page.locator('.tool[data-state="done"]').waitFor();
    expect(await page.locator('.citations li').count()).toBeGreaterThan(0);
    await page.locator('.markdown.growing').waitFor();
    const early = words(await answerText(page)).length;
    await isFinished(page);
    expect(words(await answerText(page)).length).toBeGreaterThan(early);
    await showsWhatIsStored(page);

    await page.locator('.tool .step-head').click();
    await page.getByText('Asked with').waitFor();
    expect(await page.locator('.threads [aria-current="page"]').innerText()).toContain('What happens when I reload');
    expect(await page.locator('.badge').first().innerText()).toBe('built-in demo');
    expect(await page.locator('.top-state').innerText()).toMatch(/connected\s*·?\s*\d+ of 20\s*·?\s*Your sessions/);
    expect(complaints).toEqual([]);
  });

  it('shows an answer complete and once after a reload in the middle of it', async () => {
    await using watched = await openPage(browser);
    const { page, complaints } = watched;
    await signIn(page, proxy.url);
    await ask(page, COUNT);
    await hasSaid(page, 10);
    await box(page).fill('not sent yet');
    await page.reload();
    await isConnected(page);
    expect(await lastAnswer(page).getAttribute('data-status')).toBe('streaming');
    await isFinished(page);
    await showsWhatIsStored(page);
    expect(words(await answerText(page))).toContain('120');
    expect(await box(page).inputValue()).toBe('not sent yet');
    expect(complaints).toEqual([]);
  });

  it('loses nothing when the network is gone for 5 s in the middle of an answer', async () => {
    await using watched = await openPage(browser);
    const { page } = watched;
    await signIn(page, proxy.url);
    await ask(page, 'Count to 200');
    await hasSaid(page, 10);
    const openedBefore = proxy.opened;
    await page.context().setOffline(true);
    proxy.cut();
    await page.getByText('Reconnecting… your answer continues.').waitFor();
    // These words come after three seconds; two more make the five that are promised.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    proxy.mend();
    await page.context().setOffline(false);
    await isConnected(page);
    expect(proxy.opened).toBeGreaterThan(openedBefore);
    await isFinished(page);
    await showsWhatIsStored(page);
    expect(words(await answerText(page))).toContain('200');
    expect(await page.locator('.notice').count()).toBe(0);
  });

  it('keeps the conversation over a server that is killed in the middle of an answer, and offers to try again', async () => {
    const ownData = await mkdtemp(join(tmpdir(), 'spillway-chat-killed-'));
    let own = await startSpillway({ data: ownData });
    await using between = await startCuttingProxy(own.port);
    try {
      await using watched = await openPage(browser);
      const { page } = watched;
      await signIn(page, between.url);
      await ask(page, 'What is 17 % of 2340?');
      await isFinished(page);
      await ask(page, COUNT);
      await hasSaid(page, 10);
      const seen = words(await answerText(page)).slice(0, 10);
      await own.kill();
      own = await startSpillway({ data: ownData });
      between.target = own.port;
      await page.getByRole('button', { name: 'Try again' }).waitFor({ timeout: WITHIN_MS });
      expect(await lastAnswer(page).getAttribute('data-status')).toBe('failed');
      expect(words(await answerText(page)).slice(0, 10)).toEqual(seen);
      await showsWhatIsStored(page);

      await page.reload();
      await isConnected(page);
      await expect.poll(() => page.locator('.message').count()).toBe(4);
      await page.getByRole('button', { name: 'Try again' }).click();
      await isFinished(page);
      expect(words(await answerText(page))).toContain('120');
      await showsWhatIsStored(page);
    } finally {
      await own.kill();
      await rm(ownData, { recursive: true, force: true });
    }
  });

  it('is used by keyboard alone', async () => {
    await using watched = await openPage(browser);
    const { page, complaints } = watched;
    const { keyboard } = page;
    await page.goto(proxy.url);
    await expect.poll(() => page.getByLabel('Password').inputValue()).toBe('spillway');
    await keyboard.press('Enter');
    await isConnected(page);

    await expect.poll(() => page.evaluate(() => document.activeElement?.tagName)).toBe('TEXTAREA');
    await keyboard.type('Count to 150');
    await keyboard.press('Shift+Enter');
    await keyboard.type('n?');
    expect(await box(page).inputValue()).toBe('Count to 150\nn?');
    await keyboard.press('Backspace');
    await keyboard.press('Backspace');
    await keyboard.press('Enter');
    await hasSaid(page, 5);
    await keyboard.press('Escape');
    await page.getByText('You stopped this answer.').waitFor();
    await showsWhatIsStored(page);

    // Single keys work once nobody types.
    await page.locator('.log').focus();
    await keyboard.press('s');
    await page.getByRole('heading', { name: 'Your sessions' }).waitFor();
    await keyboard.press('Escape');
    await page.getByRole('heading', { name: 'Your sessions' }).waitFor({ state: 'detached' });
    await keyboard.press('?');
    await page.getByRole('heading', { name: 'Keys' }).waitFor();
    await keyboard.press('Escape');
    await keyboard.press('t');
    expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe('light');
    const before = page.url();
    await keyboard.press('n');
    await page.getByText(/^Hello, /).waitFor();
    expect(page.url()).not.toBe(before);
    await keyboard.press('/');
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('TEXTAREA');
    expect(complaints).toEqual([]);
  });

  it('keeps a draft for each conversation', async () => {
    await using watched = await openPage(browser);
    const { page } = watched;
    await signIn(page, proxy.url);
    await box(page).fill('first draft');
    await page.getByRole('button', { name: 'New chat' }).click();
    await expect.poll(() => box(page).inputValue()).toBe('');
    await box(page).fill('second draft');
    await page.goBack();
    await expect.poll(() => box(page).inputValue()).toBe('first draft');
    await page.goForward();
    await expect.poll(() => box(page).inputValue()).toBe('second draft');
  });

  it('can be closed from another tab, says so, and comes back when it is asked', async () => {
    await using watched = await openPage(browser);
    const { page } = watched;
    await signIn(page, proxy.url, 'ben');
    await ask(page, 'What is 2 + 2?');
    await isFinished(page);
    const other = await openTab(page);
    await other.page.goto(proxy.url);
    await isConnected(other.page);
    await other.page.getByRole('button', { name: 'Your sessions' }).click();
    const rows = other.page.locator('.sessions li:not([data-current="true"])');
    await rows.first().waitFor();
    for (let count = await rows.count(); count > 0; count--) {
      await rows.first().getByRole('button', { name: 'Close this' }).click();
      await expect.poll(() => rows.count()).toBe(count - 1);
    }
    await page.getByText(/^You closed this one from /).waitFor();
    expect(await page.locator('.connection-word').innerText()).toBe('paused');
    expect(await page.locator('.answer').count()).toBe(1);
    await page.getByRole('button', { name: 'Resume here' }).click();
    await isConnected(page);
    await ask(page, 'What is 3 + 4?');
    await isFinished(page);
    expect(await page.locator('.answer').count()).toBe(2);
  });

  it('counts down to the time that a busy server names, and tries at once when asked', async () => {
    await using watched = await openPage(browser);
    const { page } = watched;
    await signIn(page, proxy.url);
    await box(page).fill('kept');
    endWith(proxy, CLOSE.noSeatYet, 20_000);
    const notice = page.getByRole('status').filter({ hasText: 'Another of your tabs is using the room' });
    await notice.waitFor();
    const left = async (): Promise<number> => Number(/(\d+) s/.exec(await notice.locator('[aria-hidden="true"]').innerText())?.[1]);
    const first = await left();
    expect(first).toBeLessThanOrEqual(23);
    await expect.poll(left, { timeout: 5_000 }).toBeLessThan(first);
    proxy.mend();
    await page.getByRole('button', { name: 'Try now' }).click();
    await isConnected(page);
    expect(await box(page).inputValue()).toBe('kept');
  });

  it('stays readable when another device took over, and when it is out of date', async () => {
    await using watched = await openPage(browser);
    const { page } = watched;
    await signIn(page, proxy.url);
    await ask(page, 'What is 5 + 5?');
    await isFinished(page);
    endWith(proxy, CLOSE.evictedForNewer, 0, 'Phone');
    await page.getByText('Paused because you went on in Phone. Nothing is lost.').waitFor();
    expect(await page.getByRole('button', { name: 'Resume here' }).isVisible()).toBe(true);
    expect(await page.locator('.answer').isVisible()).toBe(true);
    proxy.mend();
    await page.getByRole('button', { name: 'Resume here' }).click();
    await isConnected(page);
    endWith(proxy, CLOSE.unsupportedVersion);
    await page.getByText('This page is out of date.').waitFor();
    expect(await page.getByRole('button', { name: 'Reload' }).isVisible()).toBe(true);
    proxy.mend();
  });

  it('renews its sign-in by one tab at a time, and asks again when it cannot', async () => {
    const ownData = await mkdtemp(join(tmpdir(), 'spillway-chat-tokens-'));
    // So short-lived that it is renewed again and again.
    await using own = await startSpillway({ data: ownData, env: { SPILLWAY_AUTH_TOKEN_TTL_MS: '21s' } });
    try {
      await using watched = await openPage(browser);
      const { page } = watched;
      await signIn(page, `http://127.0.0.1:${own.port}/`);
      const tabs = await Promise.all([openTab(page), openTab(page)]);
      const refused: string[] = [];
      for (const tab of tabs) tab.page.on('response', (response) => response.status() === 401 && refused.push(response.url()));
      await Promise.all(tabs.map((tab) => tab.page.goto(page.url())));
      await Promise.all(tabs.map((tab) => isConnected(tab.page)));
      for (let round = 0; round < 3; round++) {
        // Whoever reloads while its renewal is on the way loses the answer, and with it the sign-in: a token is good for one use.
        await page.evaluate(holdRenewals);
        await Promise.all(tabs.map((tab) => tab.page.reload()));
        await page.evaluate(() => dispatchEvent(new Event('renew-again')));
        await Promise.all(tabs.map((tab) => isConnected(tab.page)));
      }
      expect(refused).toEqual([]);

      await box(page).fill('still here');
      // Stolen and used elsewhere: at the next renewal the gateway sees the same token twice and ends the sign-in.
      await page.evaluate(async () => {
        const { refreshToken } = JSON.parse(localStorage.getItem('spillway.account') ?? '{}') as { refreshToken: string };
        await fetch('v1/auth/refresh', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ refreshToken }) });
      });
      await page.getByText('Please sign in again; your draft is saved.').waitFor({ timeout: WITHIN_MS });
      await tabs[0].page.getByText('Please sign in again; your draft is saved.').waitFor();
      expect(await box(page).inputValue()).toBe('still here');
      await page.getByLabel('Password').fill('spillway');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await isConnected(page);
      await page.getByLabel('Password').waitFor({ state: 'detached' });
      expect(await box(page).inputValue()).toBe('still here');

      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByText('You signed out.').waitFor();
      await tabs[1].page.getByText('You signed out.').waitFor();
    } finally {
      await rm(ownData, { recursive: true, force: true });
    }
  });

  it.each([
    ['light', 1200],
    ['dark', 1200],
    ['light', 360],
    ['dark', 360],
  ] as const)('fits its window and keeps its contrast in %s at %i px', async (colorScheme, width) => {
    await using watched = await openPage(browser, { colorScheme, viewport: { width, height: 720 } });
    const { page, complaints } = watched;
    await page.goto(proxy.url);
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    await signIn(page, proxy.url);
    await ask(page, `What happens when a tab stops responding? ${'averylongwordwithoutanyspace'.repeat(8)}`);
    await isFinished(page);
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    await page.getByRole('button', { name: 'Your sessions' }).click();
    await page.locator('.sessions li').first().waitFor();
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    await page.keyboard.press('Escape');
    if (width < 760) {
      await page.getByRole('button', { name: 'Conversations' }).click();
      await page.getByRole('button', { name: 'New chat' }).waitFor();
      expect(await overflow(page)).toBeLessThanOrEqual(0);
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'New chat' }).waitFor({ state: 'hidden' });
    }
    expect(await page.evaluate(lowContrast)).toEqual([]);
    expect(complaints).toEqual([]);
  });
});

/** Waits for a renewal that is on the way and keeps new ones waiting until the page hears of `renew-again`. Runs in the page. */
function holdRenewals(): Promise<void> {
  const released = new Promise<void>((resolve) => addEventListener('renew-again', () => resolve(), { once: true }));
  return new Promise((held) => {
    void navigator.locks.request('spillway.account.refresh', () => {
      held();
      return released;
    });
  });
}

/** Texts whose contrast to what is behind them is below 4.5 to 1. Runs in the page. */
function lowContrast(): string[] {
  const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (colour: string): number[] => {
    if (context === null) return [];
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (colour: readonly number[]): number => {
    const [r = 0, g = 0, b = 0] = colour.map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (from: Element): number[] => {
    for (let element: Element | null = from; element !== null; element = element.parentElement) {
      const colour = rgba(getComputedStyle(element).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  const poor: string[] = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim());
    if (!own || element.closest(':disabled, [inert], .hidden-text') !== null || !element.checkVisibility()) continue;
    const [one, two] = [luminance(rgba(getComputedStyle(element).color)), luminance(behind(element))];
    const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    if (ratio < 4.5) poor.push(`${element.className}: ${element.textContent?.trim().slice(0, 40)} ${ratio.toFixed(2)}`);
  }
  return poor;
}
