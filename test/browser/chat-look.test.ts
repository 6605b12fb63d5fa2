import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { openPage } from '../support/browser.ts';
import { ask, isFinished, SIDE_BY_SIDE_MS, signIn, useChatGround } from '../support/chat-page.ts';

describe.concurrent('the look of the chat page', { timeout: SIDE_BY_SIDE_MS }, () => {
  const ground = useChatGround();

  it.each([
    ['light', 1200],
    ['dark', 1200],
    ['light', 360],
    ['dark', 360],
  ] as const)('fits its window and keeps its contrast in %s at %i px', async (colorScheme, width) => {
    await using watched = await openPage(ground().browser, { colorScheme, viewport: { width, height: 720 } });
    const { page, complaints } = watched;
    await page.goto(ground().proxy.url);
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    await signIn(page, ground().proxy.url);
    await ask(page, `What happens when a tab stops responding? ${'averylongwordwithoutanyspace'.repeat(8)}`);
    await isFinished(page);
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    await page.getByRole('button', { name: 'Your sessions' }).click();
    await page.locator('.sessions li').first().waitFor();
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    await page.keyboard.press('Escape');
    if (width < 760) {
      await page.getByRole('button', { name: 'Conversations' }).click();
      await page.getByRole('button', { name: 'New chat' }).waitFor();
      expect(await overflow(page)).toBeLessThanOrEqual(0);
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'New chat' }).waitFor({ state: 'hidden' });
    }
    expect(await page.evaluate(lowContrast)).toEqual([]);
    expect(complaints).toEqual([]);
  });
});

const overflow = (page: Page): Promise<number> => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

/** Texts whose contrast to what is behind them is below 4.5 to 1. Runs in the page. */
function lowContrast(): string[] {
  const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (colour: string): number[] => {
    if (context === null) return [];
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (colour: readonly number[]): number => {
    const [r = 0, g = 0, b = 0] = colour.map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (from: Element): number[] => {
    for (let element: Element | null = from; element !== null; element = element.parentElement) {
      const colour = rgba(getComputedStyle(element).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  const poor: string[] = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim());
    if (!own || element.closest(':disabled, [inert], .hidden-text') !== null || !element.checkVisibility()) continue;
    const [one, two] = [luminance(rgba(getComputedStyle(element).color)), luminance(behind(element))];
    const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    if (ratio < 4.5) poor.push(`${element.className}: ${element.textContent?.trim().slice(0, 40)} ${ratio.toFixed(2)}`);
  }
  return poor;
}
