import type { History, HistoryEvent } from '../../managers/inspection/history.ts';
import type { EventFilter, EventRow, LiveTopic, LiveUpdate } from '../../protocol/live.ts';
import { rowOf } from '../http/admin/event-watchers.ts';
import type { Source } from './source.ts';

const EVERY_MS = 250;
/** A page is told of 200 events a second at most. */
const ROWS_PER_LOOK = 50;
/** What happened before somebody began to watch, and what somebody missed who did not read. */
const ROWS_AT_ONCE = 100;

/** Events as they happen. Of more than a page can show, every so-manieth is told, and how many were left out. */
export class EventTail implements Source {
  readonly everyMs = EVERY_MS;
  readonly #history: History;
  readonly #filter: EventFilter;
  #seen: number;
  #news: string | null = null;

  constructor(history: History, { filter = {} }: Extract<LiveTopic, { of: 'events' }>) {
    this.#history = history;
    this.#filter = filter;
    this.#seen = history.sequence;
  }

  /** Number of the last event that was looked at. */
  get stamp(): number {
    return this.#seen;
  }

  look(): void {
    const before = this.#seen;
    this.#seen = this.#history.sequence;
    this.#news = null;
    if (this.#seen === before) return;
    const { found, lost } = this.#after(before);
    const every = Math.ceil(found.length / ROWS_PER_LOOK);
    const rows = every <= 1 ? found : found.filter((_, index) => index % every === 0);
    const skipped = found.length - rows.length + lost;
    if (rows.length > 0 || skipped > 0) this.#news = textOf(rows, skipped);
  }

  news(): string | null {
    return this.#news;
  }

  /** The newest ones. Who has nothing yet has missed nothing. */
  whole(told: number | null): string {
    const { found, lost } = this.#after(told ?? 0);
    const rows = found.slice(-ROWS_AT_ONCE);
    return textOf(rows, told === null ? 0 : found.length - rows.length + lost);
  }

  end(): void {}

  /** `lost`: events that the history has forgotten already. Nobody knows any more whether the filter would have matched them. */
  #after(sequence: number): { readonly found: readonly HistoryEvent[]; readonly lost: number } {
    const events = this.#history.events({ after: sequence }).filter((event) => event.sequence <= this.#seen);
    return { found: events.filter((event) => matches(event, this.#filter)), lost: this.#seen - sequence - events.length };
  }
}

function matches({ type, data }: HistoryEvent, filter: EventFilter): boolean {
  const fields = data as { readonly user?: unknown; readonly reason?: unknown };
  return (
    (filter.type === undefined || type === filter.type) &&
    (filter.user === undefined || fields.user === filter.user) &&
    (filter.reason === undefined || fields.reason === filter.reason)
  );
}

function textOf(events: readonly HistoryEvent[], skipped: number): string {
  const rows: readonly EventRow[] = events.map(rowOf);
  return JSON.stringify({ of: 'events', rows, skipped } satisfies LiveUpdate);
}
