/** Somebody signed out on a slow line, just when the page was renewing their token. The page showed "You signed out."; then the new token
 *  arrived, was kept, and the conversations were on the screen again, in every tab. */

import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AccountsGateway, startWithAccounts } from '../integration/http-support.ts';
import { launchBrowser, openPage, openTab } from '../support/browser.ts';
import { isConnected, signIn } from '../support/chat-page.ts';
import { need, skipWithout } from '../support/tools.ts';

/** Less than this and the page renews a token before it uses it. */
const TOKEN_TTL_MS = 20_000;

const chromium = need('chromium');
skipWithout(chromium);
const stack = new AsyncDisposableStack();
let browser: Browser;
let gateway: AccountsGateway;

beforeAll(async () => {
  if (chromium.path === null) return;
  browser = await launchBrowser(chromium.path);
  stack.defer(() => browser.close());
  const chatPages = fileURLToPath(new URL('../../dist/web/chat', import.meta.url));
  gateway = stack.use(await startWithAccounts({ chatPages, accountsOptions: { tokenTtlMs: TOKEN_TTL_MS } }));
});
afterAll(() => stack.disposeAsync());

/** Lets the next renewal of this page reach the gateway, and keeps its answer back. */
async function holdAnswer(page: Page): Promise<{ readonly isHeld: Promise<void>; release(): void }> {
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let hold = (): void => {};
  const isHeld = new Promise<void>((resolve) => {
    hold = resolve;
  });
  await page.route(
    '**/v1/auth/refresh',
    async (route) => {
      const response = await route.fetch();
      hold();
      await released;
      await route.fulfill({ response });
    },
    { times: 1 },
  );
  return { isHeld, release };
}

const keptBy = (page: Page): Promise<string | null> => page.evaluate(() => localStorage.getItem('spillway.account'));
/** The renewal of whatever tab holds this for as long as it takes. */
const renewed = (page: Page): Promise<void> => page.evaluate(() => navigator.locks.request('spillway.account.refresh', () => {}));

test.each(['the same tab', 'another tab'])('who signs out while %s renews their token stays signed out', { timeout: 60_000 }, async (where) => {
  await using watched = await openPage(browser);
  const { page } = watched;
  await signIn(page, `${gateway.gw.url}/`);
  const renewing = where === 'the same tab' ? page : (await openTab(page)).page;
  if (renewing !== page) {
    await renewing.goto(`${gateway.gw.url}/`);
    await isConnected(renewing);
  }
  const answer = await holdAnswer(renewing);
  // As a look at the page does, this asks for the conversations.
  await renewing.evaluate(() => window.dispatchEvent(new Event('focus')));
  await answer.isHeld;
  await page.getByRole('button', { name: 'Sign out' }).click();
  for (const tab of new Set([page, renewing])) await tab.getByText('You signed out.').waitFor();

  const [said] = await Promise.all([renewing.waitForEvent('requestfinished', (asked) => asked.url().endsWith('/v1/auth/refresh')), answer.release()]);
  expect((await said.response())?.status()).toBe(200);
  await renewed(renewing);
  expect(await keptBy(page)).toBe(null);
  for (const tab of new Set([page, renewing])) await tab.getByText('You signed out.').waitFor();
  await page.reload();
  await page.getByRole('button', { name: 'Sign in' }).waitFor();
});
