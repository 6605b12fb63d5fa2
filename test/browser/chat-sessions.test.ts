import { describe, expect, it } from 'vitest';
import { CLOSE } from '../../src/protocol/close-codes.ts';
import { openPage, openTab } from '../support/browser.ts';
import {
  ask,
  becomes,
  box,
  endWith,
  isConnected,
  isFinished,
  SIDE_BY_SIDE_MS,
  showsWhatIsStored,
  signIn,
  useChatGround,
  WITHIN_MS,
} from '../support/chat-page.ts';
import { startCuttingProxy } from '../support/cutting-proxy.ts';
import { until } from '../support/peers/kernel.ts';
import { startSpillway } from '../support/spillway-process.ts';

describe.concurrent('one of several sessions, as the chat page shows it', { timeout: SIDE_BY_SIDE_MS }, () => {
  const ground = useChatGround();

  it('can be closed from another tab, says so, and comes back when it is asked', async () => {
    await using watched = await openPage(ground().browser);
    const { page } = watched;
    await signIn(page, ground().proxy.url, 'ben');
    await ask(page, 'What is 2 + 2?');
    await isFinished(page);
    const other = await openTab(page);
    await other.page.goto(ground().proxy.url);
    await isConnected(other.page);
    await other.page.getByRole('button', { name: 'Your sessions' }).click();
    const rows = other.page.locator('.sessions li:not([data-current="true"])');
    await rows.first().waitFor();
    for (let count = await rows.count(); count > 0; count--) {
      await rows.first().getByRole('button', { name: 'Close this' }).click();
      await becomes(() => rows.count(), count - 1);
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

  it('names the place in the queue, sends what was typed meanwhile, and pauses the other tab without loss', async () => {
    const ownData = await ground().folder();
    const env = { SPILLWAY_LIMITS_PER_USER: '1', SPILLWAY_LIMITS_BURST_PER_USER: '1', SPILLWAY_QUEUE_WAIT_MS: '4s' };
    await using own = await startSpillway({ data: ownData, env });
    await using watched = await openPage(ground().browser);
    const { page, complaints } = watched;
    const url = `http://127.0.0.1:${own.port}/`;
    await signIn(page, url);
    await ask(page, 'What is 2 + 2?');
    await isFinished(page);
    const other = (await openTab(page)).page;
    await other.goto(url);
    await other
      .getByText(/number 1/)
      .first()
      .waitFor();
    expect(await other.locator('.notice').first().innerText()).toMatch(
      /Finding room for you: number 1, about \d s\. Your message is kept and goes out by itself\./,
    );
    await ask(other, 'What is 3 + 3?');
    expect(await other.locator('.own').innerText()).toBe('What is 3 + 3?');
    await isConnected(other);
    await isFinished(other);
    await showsWhatIsStored(other);
    await page.getByText(/^Paused because you went on in Chrome on /).waitFor();
    expect(await page.locator('.answer').isVisible()).toBe(true);
    expect(complaints).toEqual([]);
  });

  it('counts down to the time that a busy server names, and tries at once when asked', async () => {
    await using proxy = await startCuttingProxy(ground().port);
    await using watched = await openPage(ground().browser);
    const { page } = watched;
    await signIn(page, proxy.url);
    await box(page).fill('kept');
    endWith(proxy, CLOSE.noSeatYet, 20_000);
    const notice = page.getByRole('status').filter({ hasText: 'Another of your tabs is using the room' });
    await notice.waitFor();
    const left = async (): Promise<number> => Number(/(\d+) s/.exec(await notice.locator('[aria-hidden="true"]').innerText())?.[1]);
    const first = await left();
    // What it knew of its places is old.
    expect(await page.locator('.seats').count()).toBe(0);
    expect(first).toBeLessThanOrEqual(23);
    await until('the figure to fall', async () => (await left()) < first);
    proxy.mend();
    await page.getByRole('button', { name: 'Try now' }).click();
    await isConnected(page);
    expect(await box(page).inputValue()).toBe('kept');
  });

  it('stays readable when another device took over, and when it is out of date', async () => {
    await using proxy = await startCuttingProxy(ground().port);
    await using watched = await openPage(ground().browser);
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
  });

  it('renews its sign-in by one tab at a time, and asks again when it cannot', async () => {
    const ownData = await ground().folder();
    // So short-lived that it is renewed again and again.
    await using own = await startSpillway({ data: ownData, env: { SPILLWAY_AUTH_TOKEN_TTL_MS: '21s' } });
    await using watched = await openPage(ground().browser);
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
    const asksToSignIn = page.getByText('Please sign in again; your draft is saved.');
    const comeBack = async (): Promise<number> => {
      await page.evaluate(() => dispatchEvent(new Event('focus')));
      return asksToSignIn.count();
    };
    await until('the page to ask for a sign-in', async () => (await comeBack()) === 1, WITHIN_MS, 250);
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
