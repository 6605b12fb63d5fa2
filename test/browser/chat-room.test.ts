import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { openPage, openTab } from '../support/browser.ts';
import { ask, becomes, box, isConnected, isFinished, lastAnswer, SIDE_BY_SIDE_MS, signIn, useChatGround, WITHIN_MS } from '../support/chat-page.ts';
import { until } from '../support/peers/kernel.ts';
import { startSpillway } from '../support/spillway-process.ts';
import { WireClient } from '../support/wire-client.ts';

/** Three places, a fourth while a burst lasts. */
const SMALL = {
  SPILLWAY_LIMITS_PER_USER: '3',
  SPILLWAY_LIMITS_BURST_PER_USER: '4',
  SPILLWAY_LIMITS_BURST_FOR_MS: '8s',
  SPILLWAY_QUEUE_WAIT_MS: '4s',
  SPILLWAY_HEALTH_NEWBORN_MS: '100ms',
};
/** One place, and a wait that no test sits out: whoever comes in sooner did not wait for it. */
const ONE = { ...SMALL, SPILLWAY_LIMITS_PER_USER: '1', SPILLWAY_LIMITS_BURST_PER_USER: '1', SPILLWAY_QUEUE_WAIT_MS: '9s' };

const NAME = /^Chrome on \w+, opened \d{1,2}:\d\d/;
const openSessions = (page: Page): Promise<void> => page.getByRole('button', { name: 'Your sessions' }).click();
const rows = (page: Page) => page.locator('.sessions li');
const notices = (page: Page) => page.locator('.notices');
const notice = (page: Page, text: string | RegExp) => page.locator('.notice').filter({ hasText: text });

describe.concurrent('room, as the chat page speaks of it', { timeout: SIDE_BY_SIDE_MS }, () => {
  const ground = useChatGround();

  /** Another tab of the same browser; it may have to wait for its place. */
  async function another(page: Page): Promise<Page> {
    const { page: tab } = await openTab(page);
    await tab.goto(page.url().replace(/#.*/, ''));
    return tab;
  }

  it('says what is near, lent, awaited and given back, to everybody whom it concerns, and takes it back when it is over', async () => {
    await using own = await startSpillway({ data: await ground().folder(), env: SMALL });
    await using watched = await openPage(ground().browser);
    const { page, complaints } = watched;
    await signIn(page, `http://127.0.0.1:${own.port}/`);
    await ask(page, 'What is 2 + 2?');
    await isFinished(page);
    const second = await another(page);
    await isConnected(second);
    expect(await notices(page).innerText()).toBe('');

    const third = await another(page);
    const near = 'You have 3 of 3 sessions open. New ones still open: what has stopped responding is closed first. This stays until fewer than 3 are open.';
    for (const tab of [page, second, third]) await notice(tab, near).getByRole('button', { name: 'Choose what to close' }).waitFor();
    await notice(second, near).getByRole('button', { name: 'Dismiss' }).click();
    await notice(second, near).waitFor({ state: 'detached' });

    const fourth = await another(page);
    const lent = /You have more tabs open than usual \(4 of 3\)\. All of them work; the extra room stays for another \d s\./;
    for (const tab of [page, second, third, fourth]) {
      await notice(tab, lent).waitFor();
      expect(await notice(tab, near).count()).toBe(0);
    }

    const fifth = await another(page);
    await notice(fifth, /Finding room for you: number 1, about \d s\. Your message is kept and goes out by itself\./).waitFor();
    for (const tab of [page, second, third, fourth])
      await notice(tab, /One of your tabs is waiting for room, about \d s\. Closing a session you do not need lets it in at once\./).waitFor();
    const share = async (): Promise<number> => Number(await fifth.locator('.notice .wait-bar').getAttribute('data-share'));
    const before = await share();
    await until('the bar to fill', async () => (await share()) > before + 0.1);

    await isConnected(fifth);
    await notice(fifth, 'We closed one of your sessions to make room. Nothing is lost.').getByRole('button', { name: 'Details' }).waitFor();
    const tabs = [page, second, third, fourth];
    const paused = async (): Promise<number> =>
      (await Promise.all(tabs.map((tab) => tab.locator('.connection-word').innerText()))).filter((word) => word === 'paused').length;
    await becomes(paused, 1);
    for (const tab of tabs) {
      await notice(tab, 'waiting for room').waitFor({ state: 'detached' });
      if ((await tab.locator('.connection-word').innerText()) !== 'paused') continue;
      expect(await notices(tab).innerText()).toMatch(/^Paused because you went on in Chrome on \w+, opened .*\. Nothing is lost\.\s+Resume here$/);
    }

    // The lease ends by itself, and nobody has to do anything to see it.
    await notice(fifth, 'extra room stays').waitFor({ state: 'detached', timeout: WITHIN_MS });
    expect(complaints).toEqual([]);
  });

  it('lets a tab that waits take the place of another one at once: "Resume here"', async () => {
    await using own = await startSpillway({ data: await ground().folder(), env: ONE });
    await using watched = await openPage(ground().browser);
    const { page, complaints } = watched;
    await signIn(page, `http://127.0.0.1:${own.port}/`);
    await ask(page, 'What is 2 + 2?');
    await isFinished(page);
    const waiting = await another(page);
    await box(waiting).fill('What is 3 + 3?');
    await box(waiting).press('Enter');
    await notice(waiting, 'Finding room for you').getByRole('button', { name: 'Close another session now' }).click();
    // The list needs no place of its own.
    await rows(waiting).first().waitFor();
    expect(await rows(waiting).count()).toBe(1);
    expect(await rows(waiting).locator('.session-name').innerText()).toMatch(NAME);
    expect(await rows(waiting).locator('.session-title').innerText()).toBe('What is 2 + 2?');
    const panel = waiting.getByRole('complementary', { name: 'Your sessions' });
    expect(await panel.innerText()).toMatch(/Finding room for you: number 1, about \d s\./);
    expect(await panel.innerText()).not.toMatch(/manager|seat|verdict|limit reached/i);
    const askedAt = Date.now();
    await rows(waiting)
      .getByRole('button', { name: /^Resume here instead of/ })
      .click();
    await isConnected(waiting);
    expect(Date.now() - askedAt).toBeLessThan(4_000);
    await isFinished(waiting);
    expect(await waiting.locator('.sessions .badge').innerText()).toBe('this tab');

    await notice(page, /^You closed this one from /).waitFor();
    // A click counts as coming back; whoever comes back waits, and may choose as well.
    await page.getByRole('button', { name: 'Resume here' }).click();
    await notice(page, 'Finding room for you').waitFor();
    await openSessions(page);
    await rows(page)
      .getByRole('button', { name: /^Resume here instead of/ })
      .click();
    await isConnected(page);
    await notice(waiting, 'You closed this one').waitFor();
    expect(await lastAnswer(waiting).innerText()).toContain('6');
    expect(complaints).toEqual([]);
  });

  it('names the tabs of one browser apart, and closes all that do not respond', async () => {
    await using own = await startSpillway({ data: await ground().folder(), env: { SPILLWAY_TIMING: 'fast' } });
    await using watched = await openPage(ground().browser);
    const { page, complaints } = watched;
    const url = `http://127.0.0.1:${own.port}/`;
    await signIn(page, url);
    await isConnected(await another(page));
    const token = await page.evaluate(() => (JSON.parse(localStorage.getItem('spillway.account') ?? '{}') as { accessToken: string }).accessToken);
    // Two tabs on machines that are gone: their sockets are open and nobody answers.
    const dead = await Promise.all(
      [1, 2].map(async (n) => {
        const client = await WireClient.open(`ws://127.0.0.1:${own.port}/v1/ws`, { answersPings: false });
        client.sendFrame({ type: 'hello', v: 1, token, client: { name: 'test', version: '1', label: `Lost phone ${n}` }, intent: 'user' });
        await client.next('ready');
        return client;
      }),
    );
    await openSessions(page);
    await page.getByRole('button', { name: 'Close all that do not respond (2)' }).waitFor({ timeout: WITHIN_MS });
    const names = await page.locator('.session-name').allInnerTexts();
    expect(names).toHaveLength(4);
    expect(new Set(names.map((name) => name.replace('this tab', '').trim())).size).toBe(4);
    const lost = rows(page).filter({ hasText: 'Lost phone 1' });
    expect(await lost.innerText()).toMatch(/not responding|connection lost/);
    await page.getByRole('button', { name: 'Close all that do not respond' }).click();
    await becomes(() => rows(page).count(), 2);
    await page.locator('.seats').filter({ hasText: '2 of 20' }).waitFor();
    expect(
      await rows(page)
        .filter({ has: page.locator('.badge') })
        .count(),
    ).toBe(1);
    await Promise.all(dead.map((client) => client[Symbol.asyncDispose]()));
    expect(complaints).toEqual([]);
  });

  it('gives a closed tab’s place back at once, also while somebody waits for it', async () => {
    await using own = await startSpillway({ data: await ground().folder(), env: ONE });
    await using watched = await openPage(ground().browser);
    const { page } = watched;
    await signIn(page, `http://127.0.0.1:${own.port}/`);
    const waiting = await another(page);
    await notice(waiting, 'Finding room for you').waitFor();
    const closedAt = Date.now();
    await page.close();
    await isConnected(waiting);
    expect(Date.now() - closedAt).toBeLessThan(4_000);
  });

  it('is there when the browser brings it back from the back button’s memory', async () => {
    await using own = await startSpillway({ data: await ground().folder(), env: ONE });
    await using watched = await openPage(ground().browser);
    const { page } = watched;
    const sent: string[] = [];
    page.on('websocket', (socket) => socket.on('framesent', ({ payload }) => void sent.push(String(payload))));
    await signIn(page, `http://127.0.0.1:${own.port}/`);
    await page.evaluate(() => dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true })));
    await page.evaluate(() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })));
    // It looks whether its connection is alive, and it is.
    await becomes(() => sent.filter((frame) => frame.includes('"check"')).length, 1);
    expect(sent.filter((frame) => frame.includes('"bye"'))).toEqual([]);
    expect(await page.locator('.connection-word').innerText()).toBe('connected');
  });

  it('keeps its place, its draft and its conversation over a reload', async () => {
    await using own = await startSpillway({ data: await ground().folder(), env: ONE });
    await using watched = await openPage(ground().browser);
    const { page, complaints } = watched;
    await signIn(page, `http://127.0.0.1:${own.port}/`);
    await box(page).fill('not sent yet');
    for (let round = 0; round < 3; round++) {
      await page.reload();
      await isConnected(page);
    }
    expect(await box(page).inputValue()).toBe('not sent yet');
    await openSessions(page);
    await rows(page).first().waitFor();
    expect(await rows(page).count()).toBe(1);
    expect(complaints).toEqual([]);
  });

  it('opens the address of a conversation in which nothing was said without a complaint, and both tabs see the first message', async () => {
    await using watched = await openPage(ground().browser);
    const { page, complaints } = watched;
    await signIn(page, ground().proxy.url, 'ben');
    expect(page.url()).toContain('#/new/');
    const { page: copy, complaints: others } = await openTab(page);
    await copy.goto(page.url());
    await isConnected(copy);
    await copy.reload();
    await isConnected(copy);
    await ask(page, 'What is 2 + 2?');
    await isFinished(page);
    await isFinished(copy);
    expect(await copy.locator('.own').innerText()).toBe('What is 2 + 2?');
    for (const tab of [page, copy]) await tab.waitForURL(/#\/t\//);
    expect(copy.url()).toBe(page.url());
    await copy.reload();
    await isFinished(copy);
    expect([...complaints, ...others]).toEqual([]);
  });

  it('gives a message that is too long back to its writer, since sending it again cannot help', async () => {
    await using watched = await openPage(ground().browser);
    const { page } = watched;
    await signIn(page, ground().proxy.url, 'ben');
    const long = 'long '.repeat(60_000);
    await box(page).fill(long);
    await box(page).press('Enter');
    await page.getByText('The message is too long. Shorten it and send it again.').waitFor();
    expect(await page.getByRole('button', { name: 'Try again' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Edit it' }).click();
    expect(await box(page).inputValue()).toBe(long.trim());
    await box(page).fill('What is 2 + 2?');
    await box(page).press('Enter');
    await isFinished(page);
    expect(await page.locator('.own').count()).toBe(1);
  });
});
