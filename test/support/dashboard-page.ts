/** The built dashboard in a real browser, over a real gateway whose clients are real: some work, some are dead and answer pings. */

import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';
import { ADMIN_KEY, type AdminGateway, startWithAdmin } from './admin.ts';
import { launchBrowser } from './browser.ts';
import { drillBoard } from './drill-board.ts';
import { offerEvents, working } from './peers/alive.ts';
import { homeOf, willBreak } from './peers/dead.ts';
import { until } from './peers/kernel.ts';
import { publishTo } from './peers/peer.ts';
import { need, skipWithout } from './tools.ts';

export const PAGES = fileURLToPath(new URL('../../dist/web/dashboard', import.meta.url));
export const SIGNING_KEY = new TextEncoder().encode('a signing key of the dashboard tests');
/** So many tabs of alice are frozen; with the others she is at her limit. */
export const FROZEN = 6;
export const WORKING = 2;
const LIMIT = FROZEN + WORKING;
const EVENTS_OWED = 3;

export interface DashboardGround {
  readonly browser: Browser;
  readonly admin: AdminGateway;
}

/** Opens a screen as the link that the gateway prints does: with the key behind `#k=`. */
export async function openScreen(page: Page, url: string, screen: string, key = ADMIN_KEY): Promise<void> {
  await page.goto(`${url}/#k=${encodeURIComponent(key)}&at=${encodeURIComponent(`/${screen}`)}`);
  await page.locator('.connection[data-state="live"]').waitFor();
}

/** Goes to another screen of a page that is open. */
export async function goTo(page: Page, screen: string): Promise<void> {
  await page.evaluate((hash) => {
    location.hash = hash;
  }, `/${screen}`);
}

/** The cells of a table's rows, as a person reads them. */
export const cellsOf = (page: Page, label: string): Promise<string[][]> =>
  page
    .getByRole('grid', { name: label })
    .locator('[role=row][data-key]')
    .evaluateAll((rows) => rows.map((row) => [...row.querySelectorAll('[role=gridcell]')].map((cell) => (cell as HTMLElement).innerText.trim())));

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** What axe finds serious or worse, with where. `only`: a rule by itself. */
export async function seriousFindings(page: Page, only?: string): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(readFileSync(AXE, 'utf8'));
  return page.evaluate(async (rule) => {
    const { axe } = globalThis as unknown as { axe: { run(o: object): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }> } };
    const { violations } = await axe.run({ resultTypes: ['violations'], ...(rule === undefined ? {} : { runOnly: [rule] }) });
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
  }, only);
}

/** What the tests of this suite stand on. Without Chromium they are skipped, each with the reason. */
export function useDashboardGround(): () => DashboardGround {
  const chromium = need('chromium');
  skipWithout(chromium);
  const cleanUp = new AsyncDisposableStack();
  let ground: DashboardGround | null = null;
  beforeAll(async () => {
    if (chromium.path === null) return;
    if (!existsSync(`${PAGES}/index.html`)) throw new Error('Expected the built dashboard in dist/web/dashboard: run `npm run build`.');
    const admin = cleanUp.use(
      await startWithAdmin({
        dashboardPages: PAGES,
        signingKey: SIGNING_KEY,
        timing: 'fast',
        limits: { perUser: LIMIT },
        cleanup: { proactive: false },
        drills: drillBoard(),
      }),
    );
    const { gw } = admin;
    const home = homeOf('F06a');
    if (home !== null) cleanUp.use(home);
    const frozen = await Promise.all(Array.from({ length: FROZEN }, (_, i) => willBreak('F06a', { gw, user: 'alice', thread: `frozen-${i}` }, home)));
    const alive = await Promise.all(
      [...Array.from({ length: WORKING }, () => 'alice'), 'ben', 'ben', 'cleo'].map((user, i) => working('plain', { gw, user, thread: `works-${i}` })),
    );
    for (const peer of [...frozen, ...alive]) cleanUp.use(peer);
    cleanUp.use(offerEvents(gw, alive));
    for (const peer of frozen) await peer.breaks();
    for (const peer of frozen) for (let i = 0; i < EVENTS_OWED; i++) await publishTo(gw.gateway, peer);
    const browser = await launchBrowser(chromium.path);
    cleanUp.defer(() => browser.close());
    ground = { admin, browser };
    await until('the frozen tabs to be found', async () => (await admin.get('status')).managersByVerdict.zombie === FROZEN, 20_000);
  });
  afterAll(() => cleanUp.disposeAsync());
  return () => {
    if (ground === null) throw new Error('Expected to be asked inside a test.');
    return ground;
  };
}

/** Looks until `read` gives `expected`: what is on a screen comes a moment after what the gateway knows. */
export const shows = <T>(read: () => Promise<T>, expected: T): Promise<void> =>
  expect.poll(read, { timeout: 10_000, interval: 60 }).toEqual(expected) as Promise<void>;
