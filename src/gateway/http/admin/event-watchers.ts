import type { WebSocketManagerFactory } from '../../../managers/factory.ts';
import type { HistoryEvent, HistoryType } from '../../../managers/inspection/history.ts';
import { EVENT_TYPES } from '../../../protocol/event-types.ts';
import type { UserId } from '../../../protocol/ids.ts';
import type { EventRow } from '../../../protocol/live.ts';
import type { Services } from '../../services.ts';
import { SseBody } from '../sse.ts';

/** Streams at once; one more ends the oldest. */
const MOST = 10;
/** Beyond about 24 days a timer of Node.js would fire at once. */
const LONGEST_TIMER_MS = 86_400_000;
/** Events read from the history in one go. */
const BATCH = 100;

export interface EventFilter {
  readonly type?: HistoryType;
  readonly user?: UserId;
  readonly reason?: string;
  readonly since?: number;
}

/** Operators who watch events as they happen. Each reads the bounded history at its own speed: a slow one is told how many it
 *  missed, and holds up nobody. */
export class EventWatchers {
  readonly #factory: WebSocketManagerFactory;
  readonly #services: Services;
  readonly #open: { readonly body: SseBody; readonly pump: () => void }[] = [];
  #isDue = false;

  constructor(factory: WebSocketManagerFactory, services: Services) {
    this.#factory = factory;
    this.#services = services;
    // The history has noted an event before anybody else hears of it.
    for (const type of EVENT_TYPES) factory.on(type, () => this.#happened());
  }

  /** What comes after event number `after`, and everything to come, until `expiresAt` (milliseconds since the Unix epoch; null: no end):
   *  who may not ask any more is not told any more either. */
  open(filter: EventFilter, after: number, expiresAt: number | null): ReadableStream<Uint8Array> {
    const { clock, options } = this.#services;
    let last = after;
    const pump = (): void => {
      while (!body.isFull && !body.isOver) {
        const batch = this.#factory.history.events({ ...filter, after: last, limit: BATCH });
        if (batch.length === 0) return;
        for (const event of batch) body.write(`id: ${event.sequence}\nevent: ${event.type}\ndata: ${JSON.stringify(told(this.#factory.node, event))}\n\n`);
        last = batch.at(-1)?.sequence ?? last;
      }
    };
    const body = new SseBody({ clock, keepAliveMs: options.health.heartbeatMs, drained: pump, ended: () => this.#remove(body, cancelEnd) });
    const cancelEnd = expiresAt === null ? () => {} : this.#endAt(body, expiresAt);
    this.#open.push({ body, pump });
    if (this.#open.length > MOST) this.#end(this.#open[0]?.body);
    pump();
    return body.stream;
  }

  endAll(): void {
    for (const { body } of [...this.#open]) this.#end(body);
  }

  #end(body: SseBody | undefined): void {
    body?.write('event: bye\ndata: {}\n\n');
    body?.end();
  }

  /** All that happens in one turn of the event loop is told at once. */
  #happened(): void {
    if (this.#isDue || this.#open.length === 0) return;
    this.#isDue = true;
    this.#services.clock.soon(() => {
      this.#isDue = false;
      for (const { pump } of [...this.#open]) pump();
    });
  }

  #endAt(body: SseBody, expiresAt: number): () => void {
    const { clock } = this.#services;
    let cancel = (): void => {};
    const arm = (): void => {
      const leftMs = expiresAt - clock.wall();
      if (leftMs <= 0) this.#end(body);
      else cancel = clock.after(Math.min(leftMs, LONGEST_TIMER_MS), arm);
    };
    cancel = clock.after(0, arm);
    return () => cancel();
  }

  #remove(body: SseBody, cancelEnd: () => void): void {
    cancelEnd();
    const at = this.#open.findIndex((one) => one.body === body);
    if (at >= 0) this.#open.splice(at, 1);
  }
}

/** An event as pages are told of it. */
export const rowOf = ({ sequence, at, type, data }: HistoryEvent): EventRow => ({ id: sequence, at, type, data });

/** An event as the API tells it. */
export const told = (node: string, event: HistoryEvent): EventRow & { readonly node: string } => ({ ...rowOf(event), node });
