/** What Spillway is to reach, as ratios to others in the same repetition wherever that is possible. */
import { quantileUs } from './histogram.ts';
import type { Row } from './row.ts';
import { type Interval, interval, type Verdict, verdict } from './statistics.ts';

/** Server CPU of one unit of work, microseconds. */
export const cpuPerUnit = ({ server, units }: Row): number => ((server.cpuUserMs + server.cpuSysMs) * 1_000) / Math.max(1, units);

export interface Goal {
  readonly id: string;
  readonly variant: string;
  /** What is compared. */
  readonly what: string;
  /** The peer under it; null: the figure counts by itself. */
  readonly over: string | null;
  readonly direction: 'at most' | 'at least';
  readonly bound: number;
  readonly unit: 'ratio' | 'bytes' | 'share';
  readonly figure: (row: Row) => number;
  /** Rows whose generator was the bottleneck do not count. */
  readonly isRate: boolean;
}

const figure =
  (name: string) =>
  (row: Row): number =>
    row.figures[name] ?? Number.NaN;
const p50 = ({ latency }: Row): number => quantileUs(latency, 0.5) ?? Number.NaN;

type Ratio = Pick<Goal, 'what' | 'figure'> & Partial<Goal>;
const CPU: Ratio = { what: 'CPU', figure: cpuPerUnit };

function atMost(id: string, variant: string, ratio: Ratio, bounds: Readonly<Record<string, number>>): readonly Goal[] {
  return Object.entries(bounds).map(([over, bound]) => ({ id, variant, over, bound, direction: 'at most', unit: 'ratio', isRate: false, ...ratio }));
}

const alone = (id: string, variant: string, what: string, name: string, bound: number, unit: Goal['unit'], direction: Goal['direction'] = 'at most'): Goal => ({
  id,
  variant,
  what,
  over: null,
  direction,
  bound,
  unit,
  figure: figure(name),
  isRate: false,
});

const KIB = 1_024;

export const GOALS: readonly Goal[] = [
  ...atMost('G1', 'paced', CPU, { ws: 1.35, socketio: 0.95, csr: 0.8 }),
  ...atMost('G2', 'burst8', CPU, { ws: 0.55, socketio: 0.4, csr: 0.35 }),
  ...atMost('G3', 'max', CPU, { ws: 1.3, socketio: 0.85 }),
  ...atMost('G4', 'overload', { what: 'delivered in time', figure: figure('perSecond'), direction: 'at least', isRate: true }, { ws: 2 }),
  ...atMost('G4', 'overload', CPU, { ws: 0.5 }),
  alone('G4', 'overload', 'most bytes in one connection’s sockets', 'socketBytes', 256 * KIB, 'bytes'),
  alone('G4', 'overload', 'memory growth in the last third beyond logged entries', 'unloggedGrowth', 0.05, 'share'),
  ...['storm-hs256', 'storm-ticket', 'storm-resume'].flatMap((variant) => atMost('G5', variant, CPU, { ws: 1.3, socketio: 0.55 })),
  ...atMost('G6', 'idle-19000', { what: 'RSS each', figure: figure('rssEach') }, { ws: 1.3, socketio: 0.5 }),
  ...atMost('G6', 'idle-19000', { what: 'heap each', figure: figure('heapEach') }, { ws: 1.5, socketio: 0.5 }),
  alone('G7', 'unacked', 'held for 256 unacknowledged tokens', 'heldEach', 6 * KIB, 'bytes'),
  alone('G7', 'slow', 'held for a reader 4,000 tokens behind (window of 256 KiB, and 64 KiB)', 'slowEach', 320 * KIB, 'bytes'),
  alone('G7', 'detached', 'held for a manager without a client', 'heldEach', 2 * KIB, 'bytes'),
  alone('G7', 'evicted', 'held for an evicted manager', 'heldEach', 2 * KIB, 'bytes'),
  alone('G7', 'strangers', 'held for a connection before `hello`', 'heldEach', 64 * KIB, 'bytes'),
  alone('G8', 'refill', 'heap and external memory given back', 'returnedShare', 0.97, 'share', 'at least'),
  alone('G8', 'refill', 'RSS of the second fill over the first', 'secondFillRss', 1.05, 'share'),
  ...atMost('G9', 'echo', { what: 'p50', figure: p50, isRate: true }, { ws: 1.5, socketio: 1.2 }),
  ...atMost('G9', 'echo', CPU, { ws: 2 }),
];

/** How one goal stands. Null where the rows say nothing about it. */
export interface Standing {
  readonly goal: Goal;
  readonly interval: Interval;
  readonly verdict: Verdict;
}

export function standingOf(goal: Goal, rows: readonly Row[]): Standing | null {
  const own = rows.filter((row) => row.variant === goal.variant && !(goal.isRate && row.client.bound));
  const values = goal.over === null ? own.filter(({ peer }) => peer === 'spillway').map(goal.figure) : ratios(own, 'spillway', goal.over, goal.figure);
  if (values.length === 0) return null;
  const found = interval(values);
  return { goal, interval: found, verdict: verdict(found, goal.bound, goal.direction) };
}

/** Ratios formed inside each repetition: one peer's figure over the other's. */
export function ratios(rows: readonly Row[], peer: string, other: string, of: (row: Row) => number): readonly number[] {
  const found: number[] = [];
  for (const row of rows) {
    if (row.peer !== peer) continue;
    const against = rows.find((candidate) => candidate.peer === other && candidate.rep === row.rep && candidate.variant === row.variant);
    if (against !== undefined) found.push(of(row) / of(against));
  }
  return found;
}
