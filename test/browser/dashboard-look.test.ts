import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { openPage } from '../support/browser.ts';
import { goTo, openScreen, seriousFindings, useDashboardGround } from '../support/dashboard-page.ts';

const overflow = (page: Page): Promise<number> => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

describe('the look of the dashboard', () => {
  const ground = useDashboardGround();

  it('is readable on every screen, in both themes and from 360 px', { timeout: 60_000 }, async () => {
    const { admin, browser } = ground();
    await using watched = await openPage(browser, { viewport: { width: 1280, height: 900 }, colorScheme: 'light', reducedMotion: 'reduce' });
    const { page, complaints } = watched;
    const { managers } = await admin.get('managers?user=ben&limit=1');
    // She is at her limit: it makes a cleanup.
    const seat = await admin.gw.seat('alice');
    const { cleanups } = await admin.get('cleanup/history');
    await openScreen(page, admin.url, 'overview');
    const screens: readonly (readonly [path: string, sign: string])[] = [
      ['overview', '.map-canvas canvas'],
      ['users', '[role=row][data-key]'],
      ['users/alice', '[role=row][data-key]'],
      ['managers', '[role=row][data-key]'],
      [`managers/${managers[0].managerId}`, '.two-sides'],
      ['cleanup', '[role=row][data-key]'],
      [`cleanup/${cleanups[0].cleanup.run}`, '[role=row][data-key]'],
      ['events', '[role=row][data-key]'],
      ['queue', '.nothing'],
      ['alerts', 'h1'],
      ['drills', '.drill-card'],
      ['nodes', '[role=row][data-key]'],
    ];
    const found: string[] = [];
    for (const [path, sign] of screens) {
      await goTo(page, path);
      await page.locator(sign).first().waitFor();
      found.push(...(await seriousFindings(page)).map((finding) => `${path} light: ${finding}`));
      // A theme changes colours and nothing else.
      await page.emulateMedia({ colorScheme: 'dark' });
      found.push(...(await seriousFindings(page, 'color-contrast')).map((finding) => `${path} dark: ${finding}`));
      await page.emulateMedia({ colorScheme: 'light' });
      await page.setViewportSize({ width: 360, height: 740 });
      if ((await overflow(page)) > 0) found.push(`${path}: wider than 360 px by ${await overflow(page)}`);
      await page.setViewportSize({ width: 1280, height: 900 });
    }
    await goTo(page, 'users/alice');
    await page.getByRole('button', { name: 'Plan cleanup' }).click();
    await page.getByText(/Would go/).waitFor();
    found.push(...(await seriousFindings(page)));
    await seat.client[Symbol.asyncDispose]();
    expect(found).toEqual([]);
    expect(complaints).toEqual([]);
  });
});
