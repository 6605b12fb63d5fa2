import { chromium, type Page } from 'playwright-core';
import { median } from '../statistics.ts';
import type { BrowserResult } from './results.ts';

const PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const SETTLE_MS = 5_000;

/** Opens the dashboard and measures its overview, then its list of managers. Empty where there is no Chromium. */
export async function measureBrowser(url: string, forMs: number): Promise<readonly BrowserResult[]> {
  const browser = await launched();
  if (browser === null) return [];
  try {
    const page = await browser.newPage({ viewport: { width: 1_440, height: 900 } });
    await page.goto(url);
    const overview = await measureScreen(page, 'overview', forMs);
    await page.keyboard.press('g');
    await page.keyboard.press('u');
    return [overview, await measureScreen(page, 'users', forMs)];
  } finally {
    await browser.close();
  }
}

interface Seen {
  /** From one frame to the next, milliseconds. */
  readonly frames: readonly number[];
  readonly longTasks: number;
}

/** What runs in the page while it is watched. */
const lookFor = (ms: number): string => `new Promise((resolve) => {
  const frames = [];
  let longTasks = 0;
  const observer = new PerformanceObserver((list) => { longTasks += list.getEntries().length; });
  observer.observe({ entryTypes: ['longtask'] });
  const until = performance.now() + ${ms};
  let last = null;
  const frame = (now) => {
    if (last !== null) frames.push(now - last);
    last = now;
    if (now < until) requestAnimationFrame(frame);
    else { observer.disconnect(); resolve({ frames, longTasks }); }
  };
  requestAnimationFrame(frame);
})`;

async function launched(): Promise<Awaited<ReturnType<typeof chromium.launch>> | null> {
  for (const executablePath of PATHS) {
    try {
      return await chromium.launch({ executablePath, args: ARGS });
    } catch {
      // The next place.
    }
  }
  return null;
}

async function measureScreen(page: Page, screen: string, forMs: number): Promise<BrowserResult> {
  await page.waitForTimeout(SETTLE_MS);
  const session = await page.context().newCDPSession(page);
  let updates = 0;
  session.on('Network.webSocketFrameReceived', () => updates++);
  await session.send('Network.enable');
  // By the time of its thread: what other programs took from it meanwhile is not the page's.
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const busyMs = async (): Promise<{ readonly taskMs: number; readonly heapMiB: number }> => {
    const { metrics } = await session.send('Performance.getMetrics');
    const of = (name: string): number => metrics.find((metric) => metric.name === name)?.value ?? 0;
    return { taskMs: of('TaskDuration') * 1_000, heapMiB: of('JSHeapUsedSize') / 2 ** 20 };
  };
  // First without looking at frames, which would cost the page a call for each.
  const before = await busyMs();
  const from = updates;
  const began = performance.now();
  await page.waitForTimeout(forMs);
  const seconds = (performance.now() - began) / 1_000;
  const after = await busyMs();
  const told = Math.max(1, updates - from);
  const { frames, longTasks } = await page.evaluate<Seen>(lookFor(forMs));
  const sorted = frames.toSorted((a, b) => a - b);
  await session.detach();
  return {
    screen,
    msPerUpdate: (after.taskMs - before.taskMs) / told,
    updatesPerS: told / seconds,
    frameP50Ms: median(sorted),
    frameP99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
    frameMaxMs: sorted.at(-1) ?? 0,
    longTasks,
    heapMiB: after.heapMiB,
  };
}
