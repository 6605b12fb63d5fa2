import type { Clock } from '../../ports/clock.ts';
import type { UserId } from '../../protocol/ids.ts';
import type { CleanupReport, FactoryEmitter, FactoryEvents } from '../events.ts';

const EVENTS_KEPT = 2_000;
const CLEANUPS_KEPT = 1_000;

/** One thing that a factory told of. */
export type HistoryEvent = {
  readonly [N in keyof FactoryEvents]: {
    /** Rises by one with every event of the factory, from 1: pages and streams go on after the last one seen. */
    readonly sequence: number;
    /** Milliseconds since the Unix epoch, for display. */
    readonly at: number;
    readonly type: N;
    readonly data: FactoryEvents[N];
  };
}[keyof FactoryEvents];

/** A cleanup record and when it was written. */
export interface PastCleanup {
  readonly sequence: number;
  readonly at: number;
  readonly report: CleanupReport;
}

/** Which part of a history. Everything that is left out matches all. */
export interface HistoryFilter {
  readonly user?: UserId;
  /** Milliseconds since the Unix epoch; what happened then counts too. */
  readonly since?: number;
  /** Only what came after this sequence number. */
  readonly after?: number;
  /** At most so many: the newest ones, or with `after` the first ones behind it. */
  readonly limit?: number;
}

const TYPES = {
  'admission-ended': true,
  'cleanup-finished': true,
  'manager-ended': true,
  'transport-quarantined': true,
  'eviction-regret': true,
} as const satisfies Record<keyof FactoryEvents, true>;
/** Everything that a factory tells of. */
export const EVENT_TYPES = Object.keys(TYPES) as readonly (keyof FactoryEvents)[];

/** What happened lately: bounded, in memory, oldest forgotten first. */
export class History {
  readonly #clock: Clock;
  readonly #events: HistoryEvent[] = [];
  readonly #cleanups: PastCleanup[] = [];
  #sequence = 0;

  constructor(clock: Clock, emitter: FactoryEmitter) {
    this.#clock = clock;
    for (const type of EVENT_TYPES) emitter.on(type, (data) => this.#note(type, data));
  }

  #note<N extends keyof FactoryEvents>(type: N, data: FactoryEvents[N]): void {
    const event = { sequence: ++this.#sequence, at: this.#clock.wall(), type, data } as HistoryEvent;
    keep(this.#events, event, EVENTS_KEPT);
    if (event.type === 'cleanup-finished') keep(this.#cleanups, { sequence: event.sequence, at: event.at, report: event.data }, CLEANUPS_KEPT);
  }

  /** Number of the newest event; 0 before the first. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Events, oldest first; at most the last 2,000 are known. */
  events(filter: HistoryFilter & { readonly type?: keyof FactoryEvents } = {}): readonly HistoryEvent[] {
    const { type } = filter;
    return select(this.#events, filter, (e) => (type === undefined || e.type === type) && (filter.user === undefined || e.data.user === filter.user));
  }

  /** Cleanup records, oldest first; at most the last 1,000 are known. */
  cleanups(filter: HistoryFilter = {}): readonly PastCleanup[] {
    return select(this.#cleanups, filter, ({ report }) => filter.user === undefined || report.user === filter.user);
  }

  /** The record of one cleanup by its id `cln_…`; null for one that is unknown or forgotten. */
  cleanup(run: string): PastCleanup | null {
    return this.#cleanups.findLast(({ report }) => report.run === run) ?? null;
  }
}

function keep<T>(ring: T[], item: T, most: number): void {
  ring.push(item);
  if (ring.length > most) ring.shift();
}

function select<T extends { readonly sequence: number; readonly at: number }>(all: readonly T[], filter: HistoryFilter, matches: (item: T) => boolean): T[] {
  const { since = Number.NEGATIVE_INFINITY, after, limit = Number.POSITIVE_INFINITY } = filter;
  const found = all.filter((item) => item.at >= since && item.sequence > (after ?? 0) && matches(item));
  if (found.length <= limit) return found;
  return after === undefined ? found.slice(found.length - limit) : found.slice(0, limit);
}
