/** On the overview every log-in stood in the colour of "later": whoever looked at a quiet gateway saw it send people away all the time.
 *  What counts nothing has the outline of the area below it, and it was drawn over that one. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { launchBrowser, openPage } from '../support/browser.ts';
import { startCli, temporaryFolder } from '../support/cli.ts';
import { need, skipWithout } from '../support/tools.ts';

const chromium = need('chromium');
skipWithout(chromium);

/** How many points of the chart of admissions have the colour of this property. */
const drawnIn = (page: Page, property: string): Promise<number> =>
  page.evaluate((name) => {
    const probe = document.body.appendChild(document.createElement('span'));
    probe.style.color = `var(${name})`;
    const colour = getComputedStyle(probe).color.match(/\d+/g)?.map(Number) ?? [];
    probe.remove();
    const canvas = document.querySelector<HTMLCanvasElement>('.chart[aria-label="Admissions"] canvas');
    const data = canvas?.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
    let count = 0;
    for (let i = 0; i < data.length; i += 4) if (data[i + 3] === 255 && colour.every((part, at) => Math.abs((data[i + at] ?? 0) - part) <= 8)) count++;
    return count;
  }, property);

it('draws a log-in that was seated as seated', { timeout: 60_000 }, async () => {
  using folder = temporaryFolder();
  await using dev = startCli(['dev', '--no-open', '--port', '0', '--golden-path.every-ms', '2000', '--rate.logins-per-minute', '100'], { cwd: folder.path });
  const [, link = ''] = await dev.until(/Dashboard +(http:\S+)/);
  const browser = await launchBrowser(chromium.path ?? '');
  try {
    await using watched = await openPage(browser, { viewport: { width: 1280, height: 860 } });
    const { page } = watched;
    page.setDefaultTimeout(30_000);
    await page.goto(`${link}#k=${readFileSync(join(folder.path, '.spillway', 'admin-key'), 'utf8').trim()}`);

    // The golden path logs in by itself.
    const chart = page.locator('.chart[aria-label="Admissions"]');
    await chart.getByRole('button', { name: 'as table' }).click();
    await chart.locator('tbody tr:not(:first-child) td:nth-child(2)', { hasText: /[1-9]/ }).first().waitFor();
    await chart.getByRole('button', { name: 'as chart' }).click();
    await chart.locator('canvas').waitFor();

    expect(await drawnIn(page, '--series-green')).toBeGreaterThan(0);
    expect(await drawnIn(page, '--series-blue'), 'nobody was told to come later').toBe(0);
  } finally {
    await browser.close();
  }
});
