import type { ServerFrame } from '../../src/protocol/frames.ts';
import type { SimulatedClient } from './client.ts';
import { marksIn } from './producer.ts';
import type { World } from './world.ts';

/** I13: what a page has applied is a prefix of the log. The page itself checks offsets; here contents are held against what the
 *  store confirmed, entry by entry. */
export class Story {
  readonly #world: World;
  #mayGap = false;

  constructor(world: World) {
    this.#world = world;
  }

  trimmed(): void {
    this.#mayGap = true;
  }

  gapped(page: SimulatedClient, gap: Extract<ServerFrame, { type: 'gap' }>): void {
    if (gap.reason === 'retention' && this.#mayGap) return;
    this.#world.violated('I13', `${page.name} was told of a gap (${gap.reason}, ${gap.from} to ${gap.to}), and nothing was lost`);
  }

  /** A run is in progress until its producer ends it, whatever becomes of sessions. */
  inspect(): void {
    for (const { plan, run } of this.#world.producers) {
      // A log that was in trouble may have been claimed anew, which is the producer's to notice.
      if (run === null || run.stream.tenure === null || this.#world.plan.storeTroubles.length > 0) continue;
      const active = run.stream.activeRun?.id;
      if (active !== run.id) this.#world.violated('I13', `${run.id} of ${plan.id} goes on, and its conversation says ${active ?? 'nothing does'}`);
    }
  }

  applied(page: SimulatedClient, from: number, to: number, data: unknown): void {
    const { user, thread } = page.traits;
    const logged = this.#world.store.loggedIn({ user, thread });
    const got = marksIn(JSON.stringify(data));
    const expected: number[] = [];
    for (let offset = from; offset <= to; offset++) expected.push(...marksIn(logged.get(offset) ?? ''));
    if (expected.length !== to - from + 1)
      this.#world.violated('I13', `${page.name} got ${from} to ${to}, of which the store has confirmed ${expected.length}`);
    else if (got.join() !== expected.join()) this.#world.violated('I13', `${page.name} got ${got.join()} as ${from} to ${to}; the log says ${expected.join()}`);
  }
}
