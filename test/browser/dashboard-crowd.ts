/** The dashboard over 1,000 real connections, 200 of them dead: compares it with the admin API, measures what it costs the browser, and
 *  draws the pictures of the handbook.  node test/browser/dashboard-crowd.ts [--pictures FOLDER] */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import type { ThreadId, UserId } from '../../src/protocol/ids.ts';
import { startWithAdmin } from '../support/admin.ts';
import { launchBrowser, openPage } from '../support/browser.ts';
import { cellsOf, goTo, openScreen, PAGES } from '../support/dashboard-page.ts';
import { CROWD, CROWD_DEAD, crowd } from '../support/peers/crowd.ts';
import { until } from '../support/peers/kernel.ts';
import { publishTo } from '../support/peers/peer.ts';
import { need } from '../support/tools.ts';

const { values } = parseArgs({ options: { pictures: { type: 'string' } } });
const CLIENTS = fileURLToPath(new URL('./dashboard-crowd-clients.ts', import.meta.url));
/** Threads that are written to, each so often. */
const SPOKEN_TO = 40;
const SPEAK_EVERY_MS = 200;
const WATCH_MS = 20_000;
const LOGIN_EVERY_MS = 2_500;

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};
const { path } = need('chromium');
if (path === null) throw new Error('Expected Chromium to be installed.');

await using admin = await startWithAdmin({
  dashboardPages: PAGES,
  timing: 'fast',
  cleanup: { proactive: false },
  rate: { upgradesPer10s: 5_000 },
});
const { gw } = admin;
const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', CLIENTS, gw.wsUrl], { stdio: ['ignore', 'pipe', 'inherit'] });
const timers: NodeJS.Timeout[] = [];
try {
  await Promise.race([once(child.stdout, 'data'), once(child, 'exit').then(() => Promise.reject(new Error('Expected the crowd to come.')))]);
  const members = crowd();
  const peerOf = ({ user, thread }: (typeof members)[number]) => ({ user: user as UserId, thread: thread as ThreadId });
  for (const member of members.filter(({ works }) => !works)) await publishTo(gw.gateway, peerOf(member));
  const listening = members.filter(({ works }) => works).slice(0, SPOKEN_TO);
  timers.push(
    setInterval(() => {
      Promise.all(listening.map((member) => publishTo(gw.gateway, peerOf(member)))).catch((error: unknown) => say(String(error)));
    }, SPEAK_EVERY_MS),
  );
  await until(`${CROWD_DEAD} of ${CROWD} to be found dead`, async () => (await admin.get('status')).managersByVerdict.zombie >= CROWD_DEAD, 60_000, 500);

  const browser = await launchBrowser(path);
  try {
    await using watched = await openPage(browser, { viewport: { width: 1440, height: 1000 }, colorScheme: 'light' });
    const { page, complaints } = watched;
    await openScreen(page, admin.url, 'overview');
    await compare(page);
    await cost(page);
    if (values.pictures !== undefined) await pictures(page, values.pictures);
    assert.deepEqual(complaints, []);
  } finally {
    await browser.close();
  }
  say('the dashboard says what the gateway says');
} finally {
  for (const timer of timers) clearInterval(timer);
  child.kill('SIGKILL');
}

/** Figures on the screen and of the API, which both move: read until they agree. */
async function compare(page: Page): Promise<void> {
  const agree = async (what: string, shown: () => Promise<unknown>, known: () => Promise<unknown>): Promise<void> => {
    let [a, b]: unknown[] = [];
    await until(
      `the page to agree on ${what}`,
      async () => {
        [a, b] = await Promise.all([shown(), known()]);
        return a === b;
      },
      15_000,
      100,
    );
    say(`${what}: ${a} on the page and in the API`);
  };
  const figure = async (name: string): Promise<number> =>
    Number((await page.locator('.counts a', { hasText: name }).locator('b').innerText()).replaceAll(',', ''));
  await agree(
    'zombies',
    () => figure('zombie'),
    async () => (await admin.get('status')).managersByVerdict.zombie,
  );
  await agree(
    'seats',
    async () => Number(/([\d,]+) seats/.exec(await page.locator('.overview').innerText())?.[1]?.replaceAll(',', '')),
    async () => (await admin.get('status')).seats,
  );
  await goTo(page, 'users');
  await agree(
    'users',
    async () => Number(/([\d,]+) users/.exec(await page.locator('.count-line').innerText())?.[1]?.replaceAll(',', '')),
    async () => (await admin.get('status')).users,
  );
  const rows = await page.locator('[role=row][data-key]').count();
  assert.ok(rows > 0 && rows <= 60, `Expected at most 60 rows, got ${rows}.`);
  await goTo(page, 'managers');
  await page.locator('[role=row][data-key]').first().waitFor();
  await page.getByRole('grid', { name: 'Managers' }).evaluate((grid) => {
    grid.scrollTop = 25_000;
  });
  await until('rows in the middle of the list', async () => !(await cellsOf(page, 'Managers')).flat().includes('…'), 10_000, 100);
  say(`rows in the page of ${CROWD} managers: ${await page.locator('[role=row][data-key]').count()}`);
  await goTo(page, 'overview');
}

/** What the overview costs the browser's main thread. */
async function cost(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  const read = async (): Promise<Record<string, number>> =>
    Object.fromEntries((await session.send('Performance.getMetrics')).metrics.map(({ name, value }) => [name, value]));
  await page.evaluate(() => {
    const long: number[] = [];
    (globalThis as unknown as { long: number[] }).long = long;
    new PerformanceObserver((list) => long.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: 'longtask' });
  });
  const before = await read();
  await new Promise((resolve) => setTimeout(resolve, WATCH_MS));
  const after = await read();
  const long = await page.evaluate(() => (globalThis as unknown as { long: number[] }).long);
  const perSecond = (name: string): string => `${((((after[name] ?? 0) - (before[name] ?? 0)) * 1_000) / (WATCH_MS / 1_000)).toFixed(1)} ms`;
  say(
    `a second of the overview costs the browser: all ${perSecond('TaskDuration')}, scripts ${perSecond('ScriptDuration')}, layout ${perSecond('LayoutDuration')}`,
  );
  say(`tasks above 50 ms in ${WATCH_MS / 1_000} s: ${long.length}${long.length === 0 ? '' : `, longest ${Math.round(Math.max(...long))} ms`}`);
}

async function pictures(page: Page, folder: string): Promise<void> {
  const { managers } = await admin.get('managers?user=alice&verdict=zombie&limit=1');
  const draw = async (name: string, screen: string, sign: string): Promise<void> => {
    await goTo(page, screen);
    await page.locator(sign).first().waitFor();
    await page.mouse.move(0, 0);
    // Charts and lists are told every second.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await page.screenshot({ path: `${folder}/dashboard-${name}.png` });
    say(`drawn: ${folder}/dashboard-${name}.png`);
  };
  await draw('user-light', 'users/alice', '[role=row][data-key]');
  await page.emulateMedia({ colorScheme: 'dark' });
  await draw('manager-dark', `managers/${managers[0].managerId}`, '.two-sides');
  await page.emulateMedia({ colorScheme: 'light' });
  await narrow(page);
  await draw('user-narrow', 'users/alice', '[role=row][data-key]');
  await wide(page);
  logIns();
  await new Promise((resolve) => setTimeout(resolve, 4 * LOGIN_EVERY_MS));
  await draw('overview-light', 'overview', '.map-canvas canvas');
  await page.emulateMedia({ colorScheme: 'dark' });
  await draw('overview-dark', 'overview', '.map-canvas canvas');
  await page.emulateMedia({ colorScheme: 'light' });
  await narrow(page);
  await draw('overview-narrow', 'overview', '.map-canvas canvas');
}

/** Somebody logs in again and again, of users whose tabs have died. */
function logIns(): void {
  let turn = 0;
  timers.push(
    setInterval(() => {
      const user = turn++ % 2 === 0 ? 'alice' : 'bruno';
      gw.seat(user).then(
        ({ client }) => setTimeout(() => client.cut(), 6 * LOGIN_EVERY_MS),
        (error: unknown) => say(String(error)),
      );
    }, LOGIN_EVERY_MS / 5),
  );
}

function narrow(page: Page): Promise<void> {
  return page.setViewportSize({ width: 390, height: 844 });
}

function wide(page: Page): Promise<void> {
  return page.setViewportSize({ width: 1440, height: 1000 });
}
