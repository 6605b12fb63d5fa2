/** The dashboard over 1,000 real connections, 200 of them dead: compares every screen with the admin API, the clients and the kernel, has
 *  axe look at it, measures what it costs the browser, and draws it.  node test/browser/dashboard-crowd.ts [--pictures FOLDER] */

import assert from 'node:assert/strict';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { launchBrowser, openPage } from '../support/browser.ts';
import { goTo, openScreen } from '../support/dashboard-page.ts';
import { until } from '../support/peers/kernel.ts';
import { need } from '../support/tools.ts';
import { costOfOverview } from './dashboard-crowd-cost.ts';
import { Gallery, WIDE } from './dashboard-crowd-gallery.ts';
import { type CrowdScene, startCrowd } from './dashboard-crowd-scene.ts';
import { Truth } from './dashboard-crowd-truth.ts';

const { values } = parseArgs({ options: { pictures: { type: 'string' } } });
/** Tabs of one user who is at the limit already, with the extra room of a burst: so many have to wait. */
const CROWDED_IN = 29;
const DRILL_CLIENTS = 8;
const DRILL_WITHIN_MS = 120_000;

const began = performance.now();
const say = (text: string): void => {
  process.stdout.write(`${((performance.now() - began) / 1_000).toFixed(1).padStart(6)} s  ${text}\n`);
};
const { path } = need('chromium');
if (path === null) throw new Error('Expected Chromium to be installed.');

await using scene = await startCrowd();
say('all are seated, and the dead among them are found');
const browser = await launchBrowser(path);
try {
  await using watched = await openPage(browser, { viewport: WIDE, colorScheme: 'light', reducedMotion: 'reduce' });
  const { page, complaints } = watched;
  const truth = new Truth(page, scene, say);
  const gallery = new Gallery(page, values.pictures ?? null);
  await walk(page, scene, truth, gallery);
  assert.deepEqual(gallery.findings, []);
  assert.deepEqual(complaints, []);
  say(`all screens say what is so; axe found nothing serious, the browser complained of nothing${gallery.drawn === 0 ? '' : `; ${gallery.drawn} pictures`}`);
} finally {
  await browser.close();
}

async function walk(page: Page, { admin, url, clients }: CrowdScene, truth: Truth, gallery: Gallery): Promise<void> {
  const open = async (screen: string, sign = '[role=row][data-key]'): Promise<void> => {
    await goTo(page, screen);
    await page.locator(sign).first().waitFor();
  };
  await page.goto(url);
  await page.getByLabel('Admin key').waitFor();
  await gallery.show('key');
  await openScreen(page, url, 'overview');
  await page.locator('.map-canvas canvas').waitFor();
  await truth.overview();
  await open('users');
  await truth.users();
  await page.getByRole('columnheader', { name: 'Zombies' }).getByRole('button').click();
  await gallery.show('users');
  await open('users/alice');
  await truth.user('alice');
  await gallery.show('user');
  await open('managers?verdict=zombie');
  await truth.zombies();
  await gallery.show('managers');
  const { managers } = await admin.managers({ user: 'alice', verdict: 'zombie', limit: 1 });
  const dead = managers[0]?.managerId ?? '';
  await open(`managers/${dead}`, '.two-sides');
  await truth.manager(dead);
  await gallery.show('manager');
  await page.getByRole('button', { name: 'Evict…' }).click();
  await page.getByRole('dialog').getByLabel('Reason').waitFor();
  await gallery.show('evict');
  await page.keyboard.press('Escape');

  await clients('churn');
  await open('users/alice');
  await page.getByRole('button', { name: 'Plan cleanup' }).click();
  await page.getByText(/^Would go/).waitFor();
  await gallery.show('plan');
  await page.keyboard.press('Escape');
  const { manager } = await clients('open', { user: 'alice' });
  say(`alice's log-in at 20 of 20 is seated: ${manager}`);
  await open('cleanup');
  await gallery.show('cleanups');
  const gone = await truth.cleanup('alice');
  const back = await clients('comeBack', { manager: gone });
  say(`one of them came back: ${back.how}`);
  await page
    .getByText(/^back /)
    .first()
    .waitFor();
  await gallery.show('cleanup');

  await open('queue', '.nothing');
  await clients('crowdIn', { user: 'hugo', count: CROWDED_IN });
  await page.locator('[role=row][data-key]').first().waitFor();
  await truth.queue();
  await gallery.show('queue');

  await open('drills', '.drill-card');
  await gallery.show('drills');
  const { id } = await admin.startDrill('frozen-tabs', { count: DRILL_CLIENTS });
  await open(`drills/${id}`, '.drill');
  await page.getByText('pages frozen').waitFor({ timeout: DRILL_WITHIN_MS });
  await gallery.show('drill-running');
  await until('the drill to end', async () => (await admin.drill(id)).endedAt !== null, DRILL_WITHIN_MS, 200);
  await truth.drill(id);
  await gallery.show('drill');
  say(`the drill ${(await admin.drill(id)).state}`);

  await open('events');
  await gallery.show('events');
  await open('events?filter=type:cleanup-finished');
  await truth.events();
  await page.locator('[role=row][data-key]').first().click();
  await gallery.show('event');
  await open('alerts');
  await truth.alerts();
  await gallery.show('alerts');
  await open('nodes');
  await truth.nodes();
  await gallery.show('nodes');
  await page.keyboard.press('?');
  await page.getByRole('dialog').waitFor();
  await gallery.show('help');
  await page.keyboard.press('Escape');

  await open('overview', '.map-canvas canvas');
  await gallery.show('overview', { width: 1440, height: 1000 });
  for (const line of await costOfOverview(page)) say(line);
  await clients('rest');
}
