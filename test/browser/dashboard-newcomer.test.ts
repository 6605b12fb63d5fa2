import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { launchBrowser, openPage } from '../support/browser.ts';
import { startCli, temporaryFolder } from '../support/cli.ts';
import { cellsOf } from '../support/dashboard-page.ts';
import { need, skipWithout } from '../support/tools.ts';

const chromium = need('chromium');
skipWithout(chromium);
const TABS = 20;

it('lets a newcomer run "frozen tabs", see the zombies found and the 21st log-in seated, and read of each eviction why', { timeout: 90_000 }, async () => {
  using folder = temporaryFolder();
  await using dev = startCli(['dev', '--no-open', '--port', '0', '--timing', 'fast', '--logging.format', 'json'], { cwd: folder.path });
  const [, link = ''] = await dev.until(/Dashboard +(http:\S+)/);
  const browser = await launchBrowser(chromium.path ?? '');
  try {
    await using watched = await openPage(browser, { viewport: { width: 1280, height: 860 } });
    const { page, complaints } = watched;
    page.setDefaultTimeout(60_000);
    const key = readFileSync(join(folder.path, '.spillway', 'admin-key'), 'utf8').trim();
    await page.goto(link.includes('#k=') ? link : `${link}#k=${key}`);

    await page.getByRole('link', { name: 'Drills' }).click();
    const card = page.locator('.drill-card', { hasText: 'frozen-tabs' });
    expect(await card.getByLabel('Clients').inputValue()).toBe(String(TABS));
    await card.getByRole('button', { name: 'Start' }).click();
    await page.getByText('first zombie').waitFor();
    await page.locator('.drill[data-state="passed"], .drill[data-state="failed"]').waitFor();
    const steps = await page.locator('.steps').innerText();
    expect(steps).toMatch(new RegExp(`${TABS}/${TABS} found dead`));
    expect(steps).toMatch(new RegExp(`login ${TABS + 1} seated after \\d+ ms`));
    expect(await page.locator('.expectations li').evaluateAll((items) => items.map((item) => (item as HTMLElement).dataset.ok))).not.toContain('false');

    await page.getByRole('link', { name: 'Each eviction and why' }).click();
    const records = page.getByRole('grid', { name: 'Cleanups' });
    await records.locator('[role=row][data-key]').first().waitFor();
    const fates: string[][] = [];
    for (let record = 0; record < (await records.locator('[role=row][data-key]').count()); record++) {
      await records.locator('[role=row][data-key]').nth(record).click();
      await page.getByRole('grid', { name: 'Everybody who was examined' }).waitFor();
      fates.push(...(await cellsOf(page, 'Everybody who was examined')));
      await page.goBack();
      await records.waitFor();
    }
    const evicted = fates.filter(([, fate]) => fate === 'evicted');
    expect(new Set(evicted.map(([manager]) => manager)).size).toBe(TABS);
    for (const [, , because, verdict, evidence] of evicted) {
      expect(because).toMatch(/^(ack|probe)-timeout$/);
      expect(verdict).toBe('zombie');
      expect(evidence).toMatch(/its socket still answers pings/);
    }
    expect(complaints).toEqual([]);
  } finally {
    await browser.close();
  }
});
