import type { Clock } from '../ports/clock.ts';
import type { Gauges, TelemetrySource } from '../ports/events.ts';
import { SERIES, type SeriesName, type SeriesRange } from '../protocol/live.ts';
import type { VerdictName } from '../protocol/messages.ts';
import { Ring } from './ring.ts';
import { type Counts, newSpreads, noCounts, type Spreads, tally } from './tally.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;

/** Step and rows of each range: 15 min, 24 h, 7 d. */
const RANGES = {
  '15m': { stepMs: SECOND_MS, rows: 900 },
  '24h': { stepMs: MINUTE_MS, rows: 1_440 },
  '7d': { stepMs: 10 * MINUTE_MS, rows: 1_008 },
} as const satisfies Record<SeriesRange, { readonly stepMs: number; readonly rows: number }>;

/** `[at, …one value for each of SERIES]`; null: nothing was measured. */
export type Point = readonly (number | null)[];

/** How it went lately, in rings of fixed size. Rates are per second over their step, percentiles of all values of their step, gauges as
 *  they stood at its end. */
export interface History {
  points(range: SeriesRange): readonly Point[];
  stepMs(range: SeriesRange): number;
  /** Hears of each new point of a range. Returns the undo. */
  onPoint(range: SeriesRange, listener: (point: Point) => void): () => void;
  /** What happened since the start. */
  readonly counts: Readonly<Counts>;
  /** Memory that the rings take, whatever happens. */
  readonly bytes: number;
  /** One sample of how late the event loop turned. */
  lagged(lagMs: number): void;
  stop(): void;
}

/** What a step began with. */
interface Step {
  readonly range: SeriesRange;
  readonly ring: Ring;
  readonly spreads: Spreads;
  readonly listeners: Set<(point: Point) => void>;
  counts: Counts;
  replayed: number;
  cpuUs: number;
  startedAt: number;
}

/** Begins to write the history of `source`, once a second. `waitMs`: `queue.waitMs`. `onError` hears of a listener that threw. */
export function createHistory(source: TelemetrySource, clock: Clock, waitMs: number, onError: (error: unknown) => void): History {
  const counts = noCounts();
  const spreads = newSpreads();
  const untally = tally(source, counts, spreads, waitMs);
  const steps = (Object.keys(RANGES) as SeriesRange[]).map(
    (range): Step => ({
      range,
      ring: new Ring(RANGES[range].rows, SERIES.length + 1),
      spreads: newSpreads(),
      listeners: new Set(),
      counts: { ...counts },
      replayed: source.delivery.replayed,
      cpuUs: cpuUs(),
      startedAt: clock.mono(),
    }),
  );
  const byRange = new Map(steps.map((step) => [step.range, step]));
  let isOver = false;
  let cancel = arm();

  function arm(): () => void {
    return clock.after(SECOND_MS, () => {
      if (isOver) return;
      cancel = arm();
      second();
    });
  }

  function second(): void {
    const now = clock.mono();
    const gauges = source.gauges();
    const cpu = cpuUs();
    for (const step of steps) {
      step.spreads.cleanup.merge(spreads.cleanup);
      step.spreads.ack.merge(spreads.ack);
      step.spreads.loop.merge(spreads.loop);
      // A timer that is early by a fraction must not lengthen a step by a second.
      if (now - step.startedAt < RANGES[step.range].stepMs - SECOND_MS / 2) continue;
      const point = pointOf(step, {
        at: clock.wall(),
        seconds: (now - step.startedAt) / SECOND_MS,
        gauges,
        counts,
        replayed: source.delivery.replayed,
        cpuUs: cpu,
      });
      step.ring.push(point);
      step.counts = { ...counts };
      step.replayed = source.delivery.replayed;
      step.cpuUs = cpu;
      step.startedAt = now;
      for (const spread of Object.values(step.spreads)) spread.clear();
      for (const listener of step.listeners) {
        try {
          listener(point);
        } catch (error) {
          onError(error);
        }
      }
    }
    for (const spread of Object.values(spreads)) spread.clear();
  }

  return {
    points: (range) => byRange.get(range)?.ring.rows() ?? [],
    stepMs: (range) => RANGES[range].stepMs,
    onPoint(range, listener) {
      const listeners = byRange.get(range)?.listeners;
      listeners?.add(listener);
      return () => listeners?.delete(listener);
    },
    counts,
    bytes: steps.reduce((sum, { ring }) => sum + ring.bytes, 0),
    lagged: (lagMs) => spreads.loop.add(lagMs),
    stop() {
      isOver = true;
      cancel();
      untally();
    },
  };
}

function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

interface Now {
  readonly at: number;
  readonly seconds: number;
  readonly gauges: Gauges;
  readonly counts: Counts;
  readonly replayed: number;
  readonly cpuUs: number;
}

/** The figures of the step that ends now. */
function pointOf({ counts: before, replayed, cpuUs: cpuBefore, spreads }: Step, now: Now): Point {
  const { gauges, counts, seconds } = now;
  const rate = (name: keyof Counts): number => (counts[name] - before[name]) / seconds;
  const values: Record<SeriesName, number | null> = {
    'admissions.seated': rate('seated'),
    'admissions.afterCleanup': rate('afterCleanup'),
    'admissions.burst': rate('burst'),
    'admissions.queue': rate('afterQueue'),
    'admissions.force': rate('force'),
    'admissions.later': rate('retryLater'),
    'managers.healthy': withVerdict(gauges, 'healthy'),
    'managers.idle': withVerdict(gauges, 'idle'),
    'managers.suspect': withVerdict(gauges, 'suspect'),
    'managers.zombie': withVerdict(gauges, 'zombie'),
    'managers.inactive': withVerdict(gauges, 'inactive'),
    'managers.unknown': withVerdict(gauges, 'unknown'),
    'cleanup.p50Ms': spreads.cleanup.percentile(0.5),
    'cleanup.p95Ms': spreads.cleanup.percentile(0.95),
    'cleanup.p99Ms': spreads.cleanup.percentile(0.99),
    'zombies.ackTimeout': rate('zombiesByAck'),
    'zombies.probeTimeout': rate('zombiesByProbe'),
    'zombies.transport': rate('zombiesByTransport'),
    'delivery.ackP50Ms': spreads.ack.percentile(0.5),
    'delivery.ackP99Ms': spreads.ack.percentile(0.99),
    'delivery.unacked': gauges.unackedEvents,
    'resume.resumes': rate('resumes'),
    'resume.replayed': (now.replayed - replayed) / seconds,
    'resume.gaps': rate('gaps'),
    seats: gauges.seats,
    'queue.length': gauges.queueLength.reduce((sum, { count }) => sum + count, 0),
    'loop.p99Ms': spreads.loop.percentile(0.99),
    'process.cpuShare': (now.cpuUs - cpuBefore) / 1e6 / seconds,
    'process.rssBytes': process.memoryUsage.rss(),
  };
  return [now.at, ...SERIES.map((name) => values[name])];
}

/** Managers with a verdict, of all tiers. */
export function withVerdict({ managers }: Gauges, verdict: VerdictName): number {
  let sum = 0;
  for (const group of managers) if (group.verdict === verdict) sum += group.count;
  return sum;
}
