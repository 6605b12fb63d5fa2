import { newId } from '../../src/ports/random.ts';
import type { RunId } from '../../src/protocol/ids.ts';
import type { Stream } from '../../src/streams/stream.ts';
import type { UserPlan } from './plan.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { World } from './world.ts';

/** Marks an event, so that it is recognised wherever it comes out. */
export const mark = (n: number): string => `~${n};`;
const MARK = /~(\d+);/g;
/** The marks in a logged event or in a range of merged ones, in order. */
export const marksIn = (json: string): number[] => [...json.matchAll(MARK)].map((m) => Number(m[1]));

/** A person's agent: publishes events, some of them as runs that are in progress for a while. */
export class Producer {
  readonly #world: World;
  readonly #plan: UserPlan;
  readonly #random: SeededRandom;
  #count = 0;
  #run: { readonly id: RunId; readonly stream: Stream; left: number } | null = null;
  /** Events that were confirmed, by their mark. */
  readonly confirmed = new Map<number, number>();

  constructor(world: World, plan: UserPlan, random: SeededRandom) {
    this.#world = world;
    this.#plan = plan;
    this.#random = random;
    this.#next();
  }

  get plan(): UserPlan {
    return this.#plan;
  }
  /** The run in progress, as its producer knows it. */
  get run(): { readonly id: RunId; readonly stream: Stream } | null {
    return this.#run;
  }

  crashed(): void {
    this.#run = null;
  }

  /** The last run comes to its end. */
  finish(): void {
    if (this.#run === null) return;
    this.#run.left = 0;
    this.#world.clock.touch();
    this.#goOn();
  }

  #next(): void {
    this.#world.clock.world(this.#random.share() * 2 * this.#plan.eventEveryMs, () => {
      if (!this.#world.clock.isStalled && !this.#world.isQuiet) {
        this.#world.clock.touch();
        this.#produce();
      }
      this.#next();
    });
  }

  #produce(): void {
    if (this.#run !== null) this.#goOn();
    else if (this.#random.chance(0.15)) this.#start();
    else for (let i = this.#random.chance(0.05) ? 20 : 1; i > 0; i--) this.#publish();
  }

  #publish(): void {
    const n = ++this.#count;
    const text = mark(n) + (this.#random.chance(0.05) ? 'x'.repeat(this.#random.int(100, 3_000)) : '');
    this.#world.factory.publish(this.#plan.id, this.#plan.thread, { type: 'text_delta', text }).then(
      ({ offset }) => this.confirmed.set(n, offset),
      () => {},
    );
  }

  #start(): void {
    const { factory } = this.#world;
    const id = newId(this.#random, 'run') as RunId;
    factory.streams
      .hold({ user: this.#plan.id, thread: this.#plan.thread })
      .then(async (stream) => {
        try {
          await stream.writable();
        } catch (error) {
          factory.streams.release(stream);
          throw error;
        }
        if (factory !== this.#world.factory || this.#run !== null) {
          factory.streams.release(stream);
          return;
        }
        this.#run = { id, stream, left: this.#random.int(2, 8) };
        const n = ++this.#count;
        const offset = this.#log(stream, id, { type: 'agent_started', agent_name: 'a', message: mark(n) }, n);
        stream.setActiveRun({ id, firstOffset: offset });
      })
      .catch(() => {});
  }

  #goOn(): void {
    const run = this.#run;
    if (run === null) return;
    if (run.stream.tenure === null) {
      // The log was taken over by nobody: only a lost answer explains it, and the producer claims anew.
      this.#end(run);
      return;
    }
    const n = ++this.#count;
    if (run.left-- > 0) {
      this.#log(run.stream, run.id, { type: 'text_delta', text: mark(n) }, n);
      return;
    }
    this.#log(run.stream, run.id, { type: 'agent_completed', status: 'completed', final_response: mark(n) }, n);
    this.#end(run);
  }

  #end(run: { readonly stream: Stream }): void {
    run.stream.setActiveRun(null);
    this.#world.factory.streams.release(run.stream);
    this.#run = null;
  }

  #log(stream: Stream, run: RunId, event: object, n: number): number {
    return stream.append(
      { kind: 'agent', run, codec: 'agent-events', data: JSON.stringify({ ...event, run_id: run }), at: 0 },
      { onLogged: (offset) => this.confirmed.set(n, offset), onLost: () => {} },
    );
  }
}
