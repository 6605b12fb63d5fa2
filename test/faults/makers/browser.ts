import { setTimeout as delay } from 'node:timers/promises';
import { nowMs } from '../../support/lab/time.ts';
import { until } from '../../support/peers/kernel.ts';
import type { Make, MakeOptions, Subject } from '../row.ts';
import { scaled } from '../times.ts';
import { Tab } from './browser-tabs.ts';

/** Answered pings that prove that something below a page that stands still is awake. */
const PONGS_PROVE = 2;
/** Within how long they come: the gateway pings every 5 s. */
const PONGS_WITHIN_MS = 20_000;
/** A page whose timer has not fired for so long stands still. */
const STILL_MS = 2_000;
/** How soon a page stands still, or runs again, after it was told to. */
const OBEYS_WITHIN_MS = 15_000;

const subjectOf = (o: MakeOptions, tab: Tab, own: Pick<Subject, 'breaks' | 'proof' | 'heals'> & Partial<Subject>): Subject => ({
  user: o.user,
  thread: o.thread,
  file: tab.file,
  manager: () => tab.manager,
  sockets: () => tab.sockets,
  [Symbol.asyncDispose]: () => tab[Symbol.asyncDispose](),
  ...own,
});

/** F06b: the page computes without end; the browser answers pings for it. */
export const busyTab: Make = async (o) => {
  const tab = await Tab.open(o, 'busy');
  let before = 0;
  let computing: Promise<unknown> = Promise.resolve();
  const pongs = (): number => tab.pongs - before;
  return subjectOf(o, tab, {
    async breaks() {
      tab.browser.yieldProcessors();
      before = tab.pongs;
      // Its answer is that it was ended.
      computing = tab.send('Runtime.evaluate', { expression: 'while (true);' }).catch(() => {});
    },
    async proof() {
      if (tab.silentMs < STILL_MS) await delay(STILL_MS);
      if (tab.silentMs < STILL_MS) return 'the page’s timer fires';
      if (pongs() < PONGS_PROVE) await until('the browser to answer pings', () => pongs() >= PONGS_PROVE, PONGS_WITHIN_MS).catch(() => {});
      return pongs() >= PONGS_PROVE ? null : `${pongs()} pings were answered while the page computed`;
    },
    async heals() {
      await tab.send('Runtime.terminateExecution');
      await computing;
      await until('the page to run again', () => tab.silentMs < STILL_MS, OBEYS_WITHIN_MS);
    },
    notes: async () => [`${pongs()} pings answered by the browser`],
  });
};

/** Awake so long in each minute. */
const DUTY = { awakeMs: 2_000, cycleMs: 60_000 };

/** F11b: the debugger holds the page but for a short while in each minute. */
export const pausedTab: Make = async (o) => {
  const tab = await Tab.open(o, 'paused');
  await tab.send('Debugger.enable');
  const awakeMs = scaled(o.target.times, DUTY.awakeMs);
  const heldMs = scaled(o.target.times, DUTY.cycleMs) - awakeMs;
  let healing = new AbortController();
  let cycle: Promise<void> = Promise.resolve();
  let failure: string | null = null;
  let holds = 0;
  let ticksWhileHeld = 0;
  let pongsWhileHeld = 0;
  let heldFrom: { readonly ticks: number; readonly pongs: number } | null = null;
  const pongs = (): number => pongsWhileHeld + (heldFrom === null ? 0 : tab.pongs - heldFrom.pongs);

  async function hold(): Promise<void> {
    await tab.send('Debugger.pause');
    await until('the debugger to hold the page', () => tab.isPaused, OBEYS_WITHIN_MS);
    holds++;
    heldFrom = { ticks: tab.ticks.length, pongs: tab.pongs };
    await delay(heldMs, undefined, { signal: healing.signal }).catch(() => {});
    pongsWhileHeld = pongs();
    ticksWhileHeld += tab.ticks.length - heldFrom.ticks;
    heldFrom = null;
    await tab.send('Debugger.resume');
  }

  return subjectOf(o, tab, {
    async breaks() {
      healing = new AbortController();
      cycle = (async () => {
        while (!healing.signal.aborted) {
          await hold();
          await delay(awakeMs, undefined, { signal: healing.signal }).catch(() => {});
        }
      })().catch((error: unknown) => {
        failure = String(error);
      });
    },
    async proof() {
      if (pongs() < PONGS_PROVE) await until('the browser to answer pings', () => pongs() >= PONGS_PROVE, PONGS_WITHIN_MS).catch(() => {});
      if (failure !== null) return failure;
      if (ticksWhileHeld > 0) return `the page’s timer fired ${ticksWhileHeld} times while it was held`;
      return pongs() >= PONGS_PROVE ? null : `${pongs()} pings were answered while the page was held`;
    },
    async heals() {
      healing.abort();
      await cycle;
      await tab.send('Debugger.disable');
    },
    notes: async () => [`held ${holds} times, ${pongs()} pings answered meanwhile`],
  });
};

/** A hidden page's timers fire once a second, */
const SECONDLY_MS = 900;
/** and once a minute when it has been hidden for five minutes and nothing has happened in it for one. */
const MINUTELY_MS = 50_000;
const MINUTELY_AFTER_MS = 420_000;

/** F11d: another tab is in front. */
export const hiddenTab: Make = async (o) => {
  const tab = await Tab.open(o, 'hidden');
  await tab.openNeighbour();
  await until('the tab to be in front again', () => tab.visibility === 'visible', OBEYS_WITHIN_MS);
  let hiddenAt = 0;
  /** Longest time without a tick since then. */
  const gapMs = (since: number, to = nowMs()): number => {
    const ticks = [since, ...tab.ticks.filter((at) => at > since && at < to), to];
    return Math.max(...ticks.slice(1).map((at, i) => at - (ticks[i] ?? at)));
  };
  return subjectOf(o, tab, {
    async breaks() {
      hiddenAt = nowMs();
      await tab.hide();
    },
    async proof() {
      const { result } = await tab.send('Runtime.evaluate', { expression: 'document.visibilityState' });
      if (result.value !== 'hidden') return `the page says that it is ${result.value}`;
      const forMs = nowMs() - hiddenAt;
      if (forMs > STILL_MS * 5 && gapMs(hiddenAt) < SECONDLY_MS) return 'the page’s timers fire as before';
      if (forMs > MINUTELY_AFTER_MS && gapMs(hiddenAt) < MINUTELY_MS) return `the page’s timers fire every ${seconds(gapMs(hiddenAt))} at the slowest`;
      return null;
    },
    async heals() {
      await tab.show();
      await until('the tab to be seen', () => tab.visibility === 'visible', OBEYS_WITHIN_MS);
    },
    notes: async () => [`hidden for ${Math.round((nowMs() - hiddenAt) / 1_000)} s, its timer every ${Math.round(gapMs(hiddenAt) / 1_000)} s in the end`],
  });
};

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
