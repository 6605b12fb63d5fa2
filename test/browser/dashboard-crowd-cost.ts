import type { Page } from 'playwright-core';

const WATCH_MS = 15_000;

/** What the screen that is open costs the browser's main thread, in sentences. */
export async function costOfOverview(page: Page): Promise<readonly string[]> {
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
  const seconds = WATCH_MS / 1_000;
  const perSecond = (name: string): string => `${((((after[name] ?? 0) - (before[name] ?? 0)) * 1_000) / seconds).toFixed(1)} ms`;
  return [
    `a second of the overview costs the browser: all ${perSecond('TaskDuration')}, scripts ${perSecond('ScriptDuration')}, layout ${perSecond('LayoutDuration')}`,
    `tasks above 50 ms in ${seconds} s: ${long.length}${long.length === 0 ? '' : `, longest ${Math.round(Math.max(...long))} ms`}`,
  ];
}
