import type { Clock } from '../../ports/clock.ts';
import { EVENT_TYPES } from '../../protocol/event-types.ts';
import type { UserId } from '../../protocol/ids.ts';
import type { VerdictName } from '../../protocol/messages.ts';
import type { CleanupReport, FactoryEmitter, FactoryEvents } from '../events.ts';

/** Of each kind, so that what happens often does not drive out what happens rarely. */
const EVENTS_KEPT = 500;
const CLEANUPS_KEPT = 1_000;

/** One thing that a factory told of. */
export type HistoryEvent = {
  readonly [N in HistoryType]: {
    /** Rises by one with every event of the factory, from 1: pages and streams go on after the last one seen. */
    readonly sequence: number;
    /** Milliseconds since the Unix epoch, for display. */
    readonly at: number;
    readonly type: N;
    readonly data: FactoryEvents[N];
  };
}[HistoryType];

/** A cleanup record and when it was written. */
export interface PastCleanup {
  readonly sequence: number;
  readonly at: number;
  readonly report: CleanupReport;
}

/** Which part of a history. Everything that is left out matches all. */
export interface HistoryFilter {
  readonly user?: UserId;
  /** A reason code: of the event, or of somebody who was evicted in it. */
  readonly reason?: string;
  /** Milliseconds since the Unix epoch; what happened then counts too. */
  readonly since?: number;
  /** Only what came after this sequence number. */
  readonly after?: number;
  /** At most so many: the newest ones, or with `after` the first ones behind it. */
  readonly limit?: number;
}

export type HistoryType = Extract<keyof FactoryEvents, (typeof EVENT_TYPES)[number]>;

/** What happened lately: bounded, in memory, of each kind the oldest forgotten first. */
export class History {
  readonly #clock: Clock;
  readonly #byType = new Map<HistoryType, HistoryEvent[]>();
  #sequence = 0;

  constructor(clock: Clock, emitter: FactoryEmitter) {
    this.#clock = clock;
    for (const type of EVENT_TYPES) {
      this.#byType.set(type, []);
      emitter.on(type, (data) => {
        if (isNews(type, data)) this.#note(type, data);
      });
    }
  }

  #note<N extends HistoryType>(type: N, data: FactoryEvents[N]): void {
    const event = { sequence: ++this.#sequence, at: this.#clock.wall(), type, data } as HistoryEvent;
    const kept = this.#of(type);
    kept.push(event);
    if (kept.length > (type === 'cleanup-finished' ? CLEANUPS_KEPT : EVENTS_KEPT)) kept.shift();
  }

  #of(type: HistoryType): HistoryEvent[] {
    return this.#byType.get(type) ?? [];
  }

  /** Number of the newest event; 0 before the first. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Events, oldest first; at most the last 500 of each kind are known, and the last 1,000 cleanups. */
  events(filter: HistoryFilter & { readonly type?: HistoryType } = {}): readonly HistoryEvent[] {
    const { type, since = Number.NEGATIVE_INFINITY, after, limit = Number.POSITIVE_INFINITY } = filter;
    const found: HistoryEvent[] = [];
    for (const kept of type === undefined ? this.#byType.values() : [this.#of(type)]) {
      // From the newest back, so that whoever asks for what is new is not charged for what is old.
      for (let i = kept.length - 1; i >= 0; i--) {
        const event = kept[i] as HistoryEvent;
        if (event.sequence <= (after ?? 0) || event.at < since) break;
        if (isAbout(event, filter)) found.push(event);
      }
    }
    found.sort((a, b) => a.sequence - b.sequence);
    if (found.length <= limit) return found;
    return after === undefined ? found.slice(found.length - limit) : found.slice(0, limit);
  }

  /** Cleanup records, oldest first; at most the last 1,000 are known. */
  cleanups(filter: HistoryFilter = {}): readonly PastCleanup[] {
    return this.events({ ...filter, type: 'cleanup-finished' }).map(pastCleanup);
  }

  /** The record of one cleanup by its id `cln_…`; null for one that is unknown or forgotten. */
  cleanup(run: string): PastCleanup | null {
    const found = this.#of('cleanup-finished').findLast(({ data }) => (data as CleanupReport).run === run);
    return found === undefined ? null : pastCleanup(found);
  }
}

/** Between `healthy` and `idle` everybody goes to and fro all day. */
function isNews(type: HistoryType, data: FactoryEvents[HistoryType]): boolean {
  if (type !== 'verdict-changed') return true;
  const { verdict, was } = data as FactoryEvents['verdict-changed'];
  return !isCalm(verdict) || (was !== null && !isCalm(was));
}

const isCalm = (verdict: VerdictName): boolean => verdict === 'healthy' || verdict === 'idle';

const pastCleanup = ({ sequence, at, data }: HistoryEvent): PastCleanup => ({ sequence, at, report: data as CleanupReport });

function isAbout({ data }: HistoryEvent, { user, reason }: HistoryFilter): boolean {
  if (user !== undefined && !('user' in data && data.user === user)) return false;
  if (reason === undefined) return true;
  if ('victims' in data) return data.victims.some((victim) => victim.reason === reason);
  return ('reason' in data && data.reason === reason) || ('why' in data && data.why === reason);
}
