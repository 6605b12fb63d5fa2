/** The built chat page in a real browser, against a real gateway process and through a proxy that can break. */

import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { type CloseCode, closeReason, returnOf } from '../../src/protocol/close-codes.ts';
import type { ThreadSnapshot } from '../../src/protocol/messages.ts';
import { closeText } from '../../src/protocol/texts.ts';
import { launchBrowser } from './browser.ts';
import { type CuttingProxy, startCuttingProxy } from './cutting-proxy.ts';
import { type SpillwayProcess, startSpillway } from './spillway-process.ts';
import { need, skipWithout } from './tools.ts';

export const WITHIN_MS = 25_000;

export const words = (text: string): string[] => text.match(/[\p{L}\p{N}]+/gu) ?? [];

export async function signIn(page: Page, url: string, user = 'ada'): Promise<void> {
  await page.goto(url);
  // Filled in, because this server has demo accounts.
  await expect.poll(() => page.getByLabel('Name').inputValue()).toBe('ada');
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
  await expect.poll(async () => words(await answerText(page)).length, { timeout: WITHIN_MS, interval: 50 }).toBeGreaterThan(count);
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

export interface ChatGround {
  readonly browser: Browser;
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
    ground = { spillway, proxy: await startCuttingProxy(spillway.port), browser: await launchBrowser(chromium.path), folder };
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
