import type { Clock } from '../../src/ports/clock.ts';

/** Order within one instant, as in one turn of an event loop: the world, then expired timers, then what the network brought, then what waits for the next turn. */
const PHASE = { world: 0, timer: 1, network: 2, soon: 3, look: 4 } as const;
type Phase = (typeof PHASE)[keyof typeof PHASE];

interface Entry {
  at: number;
  readonly phase: Phase;
  order: number;
  /** Null: cancelled. */
  run: (() => void) | null;
}

const EPOCH = Date.UTC(2026, 0, 1);

/** Virtual time for one process under test and the world around it. Events run one by one in a fixed order; between two of them
 *  everything that the first one left to do (promises, next ticks) is done. The process can stall: then the world goes on, and
 *  the process's timers and what the network brought wait, as they do in a kernel. */
export class VirtualClock implements Clock {
  readonly #heap: Entry[] = [];
  #now = 0;
  #order = 0;
  #wallOffset = 0;
  #stalledUntil = 0;
  #activity = 0;
  #running: (() => void) | null = null;
  /** What runs has armed itself again. */
  #isTicker = false;
  #events = 0;
  #turns = 0;
  /** Calls of the process that wait for something outside of virtual time, as a file. */
  readonly #outside: () => number;

  constructor(o: { readonly outside?: () => number } = {}) {
    this.#outside = o.outside ?? (() => 0);
  }

  // ---- what the process sees

  mono(): number {
    return this.#now;
  }

  wall(): number {
    return EPOCH + this.#now + this.#wallOffset;
  }

  after(delayMs: number, callback: () => void): () => void {
    if (!Number.isFinite(delayMs) || delayMs >= 2 ** 31) throw new Error(`Expected a delay that a timer can hold, got ${delayMs} ms.`);
    if (callback === this.#running) this.#isTicker = true;
    else this.#activity++;
    const entry = this.#push(this.#now + Math.max(1, delayMs), PHASE.timer, callback);
    return () => {
      entry.run = null;
    };
  }

  soon(callback: () => void): void {
    this.#activity++;
    this.#push(this.#now, PHASE.soon, callback);
  }

  // ---- what the world does

  get now(): number {
    return this.#now;
  }
  /** Callbacks run so far. */
  get events(): number {
    return this.#events;
  }
  /** Real turns of the event loop taken. */
  get turns(): number {
    return this.#turns;
  }
  get isStalled(): boolean {
    return this.#now < this.#stalledUntil;
  }
  get stalledUntil(): number {
    return this.#stalledUntil;
  }

  /** Something of the process was called: its promises are settled before the next event. */
  touch(): void {
    this.#activity++;
  }

  /** Something happens out in the world, whatever the process does. Returns the undo. */
  world(delayMs: number, act: () => void): () => void {
    const entry = this.#push(this.#now + delayMs, PHASE.world, act);
    return () => {
      entry.run = null;
    };
  }

  /** Something reaches the process from outside at `at`, or when it listens again. */
  arrive(at: number, act: () => void): void {
    this.#push(Math.max(at, this.#now), PHASE.network, () => {
      this.#activity++;
      act();
    });
  }

  /** Looks at the process `delayMs` from now, when everything that was due by then has happened. */
  afterwards(delayMs: number, act: () => void): void {
    this.#push(this.#now + delayMs, PHASE.look, act);
  }

  /** The process does nothing for `forMs`. */
  stall(forMs: number): void {
    this.#stalledUntil = Math.max(this.#stalledUntil, this.#now + forMs);
  }

  /** The wall clock is set; no other time moves. */
  setWall(byMs: number): void {
    this.#wallOffset += byMs;
  }

  /** The process is gone: nothing that it had planned happens. */
  forget(): void {
    for (const entry of this.#heap) if (entry.phase === PHASE.timer || entry.phase === PHASE.soon) entry.run = null;
    this.#stalledUntil = this.#now;
  }

  /** Lets `forMs` pass. */
  async pass(forMs: number): Promise<void> {
    await this.#settle();
    const until = this.#now + forMs;
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.at > until) break;
      this.#pop();
      if (next.run === null) continue;
      if (next.phase !== PHASE.world && next.phase !== PHASE.look && next.at < this.#stalledUntil) {
        next.at = this.#stalledUntil;
        next.order = ++this.#order;
        this.#insert(next);
        continue;
      }
      this.#now = next.at;
      const before = this.#activity;
      this.#running = next.run;
      this.#isTicker = false;
      this.#events++;
      next.run();
      this.#running = null;
      // The world's own events leave nothing to do. Nor does a ticker: no promise waits behind what only arms itself again.
      const isIdle = (next.phase === PHASE.world || next.phase === PHASE.look || this.#isTicker) && this.#activity === before;
      if (!isIdle) await this.#settle();
    }
    this.#now = until;
  }

  /** Lets time pass until `done`, at most `withinMs`. False: it did not come. */
  async passUntil(done: () => boolean, withinMs: number, stepMs = 10): Promise<boolean> {
    const until = this.#now + withinMs;
    await this.#settle();
    while (!done() && this.#now < until) await this.pass(Math.min(stepMs, until - this.#now));
    return done();
  }

  /** Everything that can go on without time passing has gone on. */
  async #settle(): Promise<void> {
    do {
      this.#turns++;
      await new Promise<void>((resolve) => setImmediate(resolve));
    } while (this.#outside() > 0);
  }

  // ---- the heap

  #push(at: number, phase: Phase, run: () => void): Entry {
    const entry: Entry = { at, phase, order: ++this.#order, run };
    this.#insert(entry);
    return entry;
  }

  #insert(entry: Entry): void {
    const heap = this.#heap;
    let i = heap.length;
    heap.push(entry);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = heap[parent] as Entry;
      if (!isBefore(entry, above)) break;
      heap[i] = above;
      i = parent;
    }
    heap[i] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Entry;
    const size = heap.length;
    if (size === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= size) break;
      if (child + 1 < size && isBefore(heap[child + 1] as Entry, heap[child] as Entry)) child++;
      if (!isBefore(heap[child] as Entry, last)) break;
      heap[i] = heap[child] as Entry;
      i = child;
    }
    heap[i] = last;
  }
}

const isBefore = (a: Entry, b: Entry): boolean => (a.at !== b.at ? a.at < b.at : a.phase !== b.phase ? a.phase < b.phase : a.order < b.order);
