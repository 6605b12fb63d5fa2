import type { CDPSession, Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { CLOSE } from '../../src/protocol/close-codes.ts';
import { openPage, openTab } from '../support/browser.ts';
import {
  answerText,
  ask,
  becomes,
  box,
  hasSaid,
  isConnected,
  isFinished,
  lastAnswer,
  logOf,
  SIDE_BY_SIDE_MS,
  showsTheLog,
  signIn,
  useChatGround,
  WITHIN_MS,
  words,
} from '../support/chat-page.ts';
import { startCuttingProxy } from '../support/cutting-proxy.ts';
import { until } from '../support/peers/kernel.ts';
import { type SpillwayProcess, startSpillway } from '../support/spillway-process.ts';

/** About seven seconds of answer. */
const LONG = 'Count to 200';
/** Longer than the network is away. */
const LONGER = 'Count to 240';

const urlOf = ({ port }: Pick<SpillwayProcess, 'port'>): string => `http://127.0.0.1:${port}`;
const cdpOf = (page: Page): Promise<CDPSession> => page.context().newCDPSession(page);
const wordsOnScreen = async (page: Page): Promise<number> => words(await answerText(page)).length;

/** Signed in, and in the middle of an answer. `url` is where the page comes from, `gateway` where the log is. */
async function midAnswer(
  page: Page,
  url: string,
  gateway: string,
  question = LONG,
): Promise<{ logged(): Promise<number>; hasLogged(more: number): Promise<void> }> {
  await signIn(page, url);
  await ask(page, question);
  await hasSaid(page, 10);
  const log = await logOf(page, gateway);
  const logged = async (): Promise<number> => words(await log()).length;
  return {
    logged,
    async hasLogged(more) {
      const before = await logged();
      await until(`${more} words more in the log`, async () => (await logged()) > before + more, WITHIN_MS, 200);
    },
  };
}

describe.concurrent('the text on the screen equals the log', { timeout: SIDE_BY_SIDE_MS }, () => {
  const ground = useChatGround();

  it.each([
    ['as DevTools do it, the socket left as it is', false],
    ['and the socket cut', true],
  ])('after the network was gone for 5 s in the middle of an answer: %s', async (_, isCut) => {
    await using proxy = await startCuttingProxy(ground().port);
    await using watched = await openPage(ground().browser);
    const { page } = watched;
    const { hasLogged } = await midAnswer(page, proxy.url, urlOf(ground()), LONGER);
    const network = await cdpOf(page);
    const offline = (is: boolean): Promise<unknown> =>
      network.send('Network.emulateNetworkConditions', { offline: is, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
    await network.send('Network.enable');
    const opened = proxy.opened;
    await offline(true);
    if (isCut) proxy.cut();
    const seen = await wordsOnScreen(page);
    await page.getByText('Reconnecting… your answer continues.').waitFor();
    // These words come after three seconds of silence; what else the five bring is logged meanwhile.
    await hasLogged(50);
    expect(await wordsOnScreen(page)).toBeLessThan(seen + 15);
    proxy.mend();
    await offline(false);
    await isConnected(page);
    expect(proxy.opened).toBeGreaterThan(opened);
    await isFinished(page);
    await showsTheLog(page, urlOf(ground()));
    expect(words(await answerText(page))).toContain('240');
  });

  it('after the page stood still, and nobody noticed', async () => {
    await using watched = await openPage(ground().browser);
    const { page, complaints } = watched;
    const { hasLogged } = await midAnswer(page, urlOf(ground()), urlOf(ground()));
    const cdp = await cdpOf(page);
    const ended = cdp.send('Runtime.evaluate', { expression: 'while (true);' }).catch(String);
    await hasLogged(50);
    await cdp.send('Runtime.terminateExecution');
    expect(await ended).toContain('terminated');
    await hasSaid(page, 60);
    await cdp.send('Page.setWebLifecycleState', { state: 'frozen' });
    await hasLogged(40);
    await cdp.send('Page.setWebLifecycleState', { state: 'active' });
    await isFinished(page);
    await showsTheLog(page, urlOf(ground()));
    expect(complaints).toEqual([]);
  });

  it('after the page stood still for so long that the gateway gave it up: it catches up by itself', async () => {
    await using own = await startSpillway({ data: await ground().folder(), env: { SPILLWAY_TIMING: 'fast' } });
    await using watched = await openPage(ground().browser);
    const { page } = watched;
    const farewells: number[] = [];
    page.on('websocket', (socket) =>
      socket.on('framereceived', ({ payload }) => {
        const { type, code } = JSON.parse(String(payload)) as { type: string; code: number };
        if (type === 'bye') farewells.push(code);
      }),
    );
    await midAnswer(page, urlOf(own), urlOf(own));
    const token = await page.evaluate(() => (JSON.parse(localStorage.getItem('spillway.account') ?? '{}') as { accessToken: string }).accessToken);
    const sessions = async (): Promise<number> => {
      const response = await fetch(`${urlOf(own)}/v1/me/sessions`, { headers: { authorization: `Bearer ${token}` } });
      return ((await response.json()) as { sessions: unknown[] }).sessions.length;
    };
    expect(await sessions()).toBe(1);
    const cdp = await cdpOf(page);
    await cdp.send('Debugger.enable');
    await cdp.send('Debugger.pause');
    await until('the session to be given up', async () => (await sessions()) === 0, WITHIN_MS, 200);
    await cdp.send('Debugger.resume');
    await cdp.send('Debugger.disable');
    await isConnected(page);
    await isFinished(page);
    expect(farewells).toEqual([CLOSE.unresponsive.code]);
    await showsTheLog(page, urlOf(own));
  });

  it('after reloads in the middle of an answer, and the draft is still there', async () => {
    await using watched = await openPage(ground().browser);
    const { page, complaints } = watched;
    const { hasLogged } = await midAnswer(page, urlOf(ground()), urlOf(ground()));
    await box(page).fill('not sent yet');
    for (let round = 0; round < 2; round++) {
      await page.reload();
      await isConnected(page);
      expect(await lastAnswer(page).getAttribute('data-status')).toBe('streaming');
      await hasLogged(20);
    }
    await isFinished(page);
    await showsTheLog(page, urlOf(ground()));
    expect(words(await answerText(page))).toContain('200');
    expect(await box(page).inputValue()).toBe('not sent yet');
    expect(complaints).toEqual([]);
  });

  it('after the person went elsewhere and came back in the middle of an answer', async () => {
    await using watched = await openPage(ground().browser);
    const { page } = watched;
    await page.addInitScript(() => addEventListener('pageshow', ({ persisted }) => document.documentElement.setAttribute('data-persisted', String(persisted))));
    const { hasLogged } = await midAnswer(page, urlOf(ground()), urlOf(ground()));
    await box(page).fill('not sent yet');
    await page.goto(`${urlOf(ground())}/livez`);
    await hasLogged(40);
    await page.goBack({ waitUntil: 'commit' });
    await isConnected(page);
    expect(await lastAnswer(page).getAttribute('data-status')).toBe('streaming');
    // The browser kept the page, and ended its connection all the same.
    expect(await page.locator('html').getAttribute('data-persisted')).toBe('true');
    await isFinished(page);
    await showsTheLog(page, urlOf(ground()));
    expect(await box(page).inputValue()).toBe('not sent yet');
  });

  it('in two tabs, of which one was opened in the middle of the answer', async () => {
    await using watched = await openPage(ground().browser);
    const { page, complaints } = watched;
    await midAnswer(page, urlOf(ground()), urlOf(ground()));
    const second = await openTab(page);
    await second.page.goto(page.url());
    await isConnected(second.page);
    expect(await lastAnswer(second.page).getAttribute('data-status')).toBe('streaming');
    for (const tab of [page, second.page]) {
      await isFinished(tab);
      await showsTheLog(tab, urlOf(ground()));
    }
    expect([...complaints, ...second.complaints]).toEqual([]);
  });

  it('after the tab crashed in the middle of an answer and was opened again', async () => {
    await using watched = await openPage(ground().browser);
    const { page } = watched;
    const { hasLogged } = await midAnswer(page, urlOf(ground()), urlOf(ground()));
    const url = page.url();
    const crashed = new Promise((resolve) => page.once('crash', resolve));
    const cdp = await cdpOf(page);
    // The answer to this never comes.
    cdp.send('Page.crash').catch(() => {});
    await crashed;
    await hasLogged(20);
    const again = await openTab(page);
    await page.close();
    await again.page.goto(url);
    await isConnected(again.page);
    expect(await lastAnswer(again.page).getAttribute('data-status')).toBe('streaming');
    await isFinished(again.page);
    await showsTheLog(again.page, urlOf(ground()));
    expect(again.complaints).toEqual([]);
  });

  it('after its place went to another tab in the middle of an answer: it stays away until the person wants it back', async () => {
    const env = { SPILLWAY_LIMITS_PER_USER: '1', SPILLWAY_LIMITS_BURST_PER_USER: '1', SPILLWAY_QUEUE_WAIT_MS: '1s', SPILLWAY_HEALTH_NEWBORN_MS: '100ms' };
    await using own = await startSpillway({ data: await ground().folder(), env });
    await using watched = await openPage(ground().browser);
    const { page, complaints } = watched;
    const { hasLogged } = await midAnswer(page, urlOf(own), urlOf(own));
    const second = await openTab(page);
    await second.page.goto(page.url());
    await page.getByText(/^Paused because you went on in Chrome on .*\. Nothing is lost\.$/).waitFor();
    const seen = await answerText(page);
    await hasLogged(40);
    expect(await answerText(page)).toBe(seen);
    expect(await page.locator('.connection-word').innerText()).toBe('paused');
    // The press alone brings it back, and with that the button goes.
    await page.getByRole('button', { name: 'Resume here' }).click({ force: true });
    await isConnected(page);
    await second.page.getByText(/^Paused because /).waitFor();
    await isFinished(page);
    await showsTheLog(page, urlOf(own));
    await second.page.getByRole('button', { name: 'Resume here' }).click({ force: true });
    await isConnected(second.page);
    await isFinished(second.page);
    await showsTheLog(second.page, urlOf(own));
    expect([...complaints, ...second.complaints]).toEqual([]);
  });

  it('after the server was killed in the middle of an answer: what was said stays, and it can be asked again', async () => {
    const data = await ground().folder();
    let own = await startSpillway({ data });
    await using between = await startCuttingProxy(own.port);
    try {
      await using watched = await openPage(ground().browser);
      const { page } = watched;
      await signIn(page, between.url);
      await ask(page, 'What is 17 % of 2340?');
      await isFinished(page);
      await ask(page, 'Count to 120');
      await hasSaid(page, 10);
      const seen = words(await answerText(page)).slice(0, 10);
      await own.kill();
      own = await startSpillway({ data });
      between.target = own.port;
      await page.getByRole('button', { name: 'Try again' }).waitFor({ timeout: WITHIN_MS });
      expect(await lastAnswer(page).getAttribute('data-status')).toBe('failed');
      expect(words(await answerText(page)).slice(0, 10)).toEqual(seen);
      await showsTheLog(page, urlOf(own));

      await page.reload();
      await isConnected(page);
      await becomes(() => page.locator('.message').count(), 4);
      await page.getByRole('button', { name: 'Try again' }).click();
      await isFinished(page);
      expect(words(await answerText(page))).toContain('120');
      expect(await page.getByRole('button', { name: 'Try again' }).count()).toBe(0);
      await showsTheLog(page, urlOf(own));
    } finally {
      await own.kill();
    }
  });
});
