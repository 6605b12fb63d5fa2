/** The built chat page in a real browser, against a real gateway process and through a proxy that can break. */

import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { type CloseCode, closeReason, returnOf } from '../../src/protocol/close-codes.ts';
import type { ThreadSnapshot } from '../../src/protocol/messages.ts';
import { closeText } from '../../src/protocol/texts.ts';
import { launchBrowser } from './browser.ts';
import { type CuttingProxy, startCuttingProxy } from './cutting-proxy.ts';
import { toldLog } from './lossless/logged.ts';
import { until } from './peers/kernel.ts';
import { type SpillwayProcess, startSpillway } from './spillway-process.ts';
import { need, skipWithout } from './tools.ts';

export const WITHIN_MS = 25_000;
/** Of a test. They spend most of their time waiting for queues and for an agent that speaks at its own pace, and do so side by side. */
export const SIDE_BY_SIDE_MS = 90_000;
const LOOK_EVERY_MS = 50;

export const words = (text: string): string[] => text.match(/[\p{L}\p{N}]+/gu) ?? [];

/** Looks until `read` gives `expected`. Tests that run side by side cannot use `expect.poll`, which belongs to one test at a time. */
export async function becomes<T>(read: () => T | Promise<T>, expected: T, withinMs = WITHIN_MS): Promise<void> {
  const deadline = performance.now() + withinMs;
  let seen = await read();
  while (seen !== expected && performance.now() < deadline) {
    await delay(LOOK_EVERY_MS);
    seen = await read();
  }
  expect(seen).toBe(expected);
}

export async function signIn(page: Page, url: string, user = 'ada'): Promise<void> {
  await page.goto(url);
  // Filled in, because this server has demo accounts.
  await becomes(() => page.getByLabel('Name').inputValue(), 'ada');
  await page.getByLabel('Name').fill(user);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await isConnected(page);
}

/** Ends every connection through the proxy as the gateway would. */
export function endWith(proxy: CuttingProxy, close: CloseCode, retryAfterMs = 0, label?: string): void {
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

export async function isConnected(page: Page): Promise<void> {
  await page.locator('.connection[data-state="live"]').waitFor();
}

export const box = (page: Page) => page.getByLabel('Your message');

export async function ask(page: Page, text: string): Promise<void> {
  await box(page).fill(text);
  await box(page).press('Enter');
}

export const lastAnswer = (page: Page) => page.locator('.answer').last();
export const answerText = async (page: Page): Promise<string> => (await lastAnswer(page).locator('.markdown').allInnerTexts()).join('\n');
export const isFinished = (page: Page): Promise<void> => page.locator('.answer:last-of-type[data-status="complete"]').last().waitFor({ timeout: WITHIN_MS });

export async function hasSaid(page: Page, count: number): Promise<void> {
  await until(`more than ${count} words of an answer`, async () => words(await answerText(page)).length > count, WITHIN_MS, LOOK_EVERY_MS);
}

/** The conversation of the open page, as the gateway has stored it. */
export async function stored(page: Page): Promise<ThreadSnapshot> {
  const thread = new URL(page.url()).hash.slice('#/t/'.length);
  return page.evaluate(async (id) => {
    const { accessToken } = JSON.parse(localStorage.getItem('spillway.account') ?? '{}') as { accessToken: string };
    const response = await fetch(`v1/threads/${id}/messages`, { headers: { authorization: `Bearer ${accessToken}` } });
    return (await response.json()) as ThreadSnapshot;
  }, thread);
}

/** The last answer on the screen says what the log says: each word, thought and tool once. */
export async function showsWhatIsStored(page: Page): Promise<void> {
  const snapshot = await stored(page);
  const last = snapshot.messages.at(-1);
  const text = last?.parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('') ?? '';
  expect(words(text).length).toBeGreaterThan(0);
  // A list's own numbers are drawn, not written.
  expect(words(await answerText(page))).toEqual(words(text.replace(/^\d+\. /gm, '')));
  const steps = last?.parts.filter((part) => part.type === 'tool' || part.type === 'reasoning') ?? [];
  expect(await lastAnswer(page).locator('.step').count()).toBe(steps.length);
  expect(await page.locator('.message').count()).toBe(snapshot.messages.length);
}

/** Reads the last answer of the open conversation from the log, event by event. `url` is the gateway's own; the page is asked only now. */
export async function logOf(page: Page, url: string): Promise<() => Promise<string>> {
  const { thread, token } = await page.evaluate(() => ({
    thread: location.hash.replace(/^#\/(t|new)\//, ''),
    token: (JSON.parse(localStorage.getItem('spillway.account') ?? '{}') as { accessToken: string }).accessToken,
  }));
  return async () => {
    let run: string | null = null;
    let text = '';
    for await (const { told } of toldLog({ url, token, thread })) {
      const { type, run_id, text: piece } = told.data as { readonly type?: string; readonly run_id?: string; readonly text?: string };
      if (run_id !== undefined && run_id !== run) {
        run = run_id;
        text = '';
      }
      if (type === 'text_delta') text += piece;
    }
    return text;
  };
}

/** For answers without Markdown: lines and paragraphs are laid out, not written. */
const solid = (text: string): string => text.replace(/\s+/g, '');

/** The text on the screen is the log's, sign by sign, once; the gateway's snapshot says the same, and the page has no complaint. */
export async function showsTheLog(page: Page, url: string): Promise<void> {
  const logged = solid(await (await logOf(page, url))());
  expect(logged).not.toBe('');
  const onScreen = async (): Promise<string> => solid((await lastAnswer(page).locator('.markdown').allTextContents()).join(''));
  // The screen follows the events within 50 ms.
  await becomes(onScreen, logged, 2_000);
  await showsWhatIsStored(page);
  const isFailed = (await lastAnswer(page).getAttribute('data-status')) === 'failed';
  expect(await page.locator('.unfinished').count()).toBe(isFailed ? 1 : 0);
  // What can be put away is news and no trouble.
  expect(
    await page
      .locator('.notice')
      .filter({ hasNot: page.getByRole('button', { name: 'Dismiss' }) })
      .allInnerTexts(),
  ).toEqual([]);
}

export interface ChatGround {
  readonly browser: Browser;
  /** Of the gateway itself. */
  readonly port: number;
  /** Between the browser and the gateway. */
  readonly proxy: CuttingProxy;
  /** An empty folder that is gone after the suite. */
  folder(): Promise<string>;
}

/** What the tests of this suite stand on. Without Chromium they are skipped, each with the reason. */
export function useChatGround(): () => ChatGround {
  const chromium = need('chromium');
  skipWithout(chromium);
  const folders: string[] = [];
  const folder = async (): Promise<string> => {
    const made = await mkdtemp(join(tmpdir(), 'spillway-chat-'));
    folders.push(made);
    return made;
  };
  let ground: (ChatGround & { readonly spillway: SpillwayProcess }) | null = null;
  beforeAll(async () => {
    if (chromium.path === null) return;
    if (!existsSync(new URL('../../dist/web/chat/index.html', import.meta.url)))
      throw new Error('Expected the built chat page in dist/web/chat: run `npm run build`.');
    const spillway = await startSpillway({ data: await folder(), env: { SPILLWAY_RATE_LOGINS_PER_MINUTE: '1000' } });
    const { port } = spillway;
    ground = { spillway, port, proxy: await startCuttingProxy(port), browser: await launchBrowser(chromium.path), folder };
  });
  afterEach(() => ground?.proxy.mend());
  afterAll(async () => {
    await ground?.browser.close();
    await ground?.proxy[Symbol.asyncDispose]();
    await ground?.spillway[Symbol.asyncDispose]();
    for (const made of folders) await rm(made, { recursive: true, force: true });
  });
  return () => {
    if (ground === null) throw new Error('Expected to be asked inside a test.');
    return ground;
  };
}
