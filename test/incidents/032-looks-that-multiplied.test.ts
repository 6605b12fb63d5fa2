/** While the store could not be asked, every poll of a followed conversation began a row of attempts of its own, a quarter of a second
 *  apart, and none ended before the store was back. After ten minutes each conversation had three hundred rows of them, and the node did
 *  nothing else. */

import { expect, test } from 'vitest';
import type { Clock } from '../../src/ports/clock.ts';
import { systemRandom } from '../../src/ports/random.ts';
import type { LogStore } from '../../src/ports/store.ts';
import { SpillwayError } from '../../src/protocol/errors.ts';
import type { Epoch, RunId, ThreadId, UserId } from '../../src/protocol/ids.ts';
import { type Readable, ReadingAlong } from '../../src/streams/reading-along.ts';

const OUTAGE_MS = 120_000;

/** Time that passes when the test says so. */
class Hand implements Clock {
  #now = 0;
  readonly timers = new Set<{ readonly at: number; readonly call: () => void }>();
  mono = (): number => this.#now;
  wall = (): number => this.#now;
  soon = (callback: () => void): void => void setImmediate(callback);
  after = (delayMs: number, call: () => void): (() => void) => {
    const timer = { at: this.#now + delayMs, call };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  };

  async pass(ms: number): Promise<void> {
    const until = this.#now + ms;
    for (;;) {
      const [next] = [...this.timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.timers.delete(next);
      this.#now = next.at;
      next.call();
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#now = until;
  }
}

test('a conversation that is followed asks a store that is away again and again, and not more the longer it is away', async () => {
  let asked = 0;
  const clock = new Hand();
  const state: LogStore['state'] = async () => {
    asked++;
    throw new SpillwayError('SPILLWAY_STORE_UNAVAILABLE', 'away', { retry: 'later' });
  };
  const stream: Readable = {
    epoch: 'e' as Epoch,
    mark: 3,
    activeRun: { id: 'run_00000000000000000000' as RunId, firstOffset: 2 },
    isWriting: false,
    isAwaited: false,
    beforeNews: async () => {},
    moved: () => {},
    took: () => {},
    noted: () => {},
    rewound: async () => {},
  };
  const log = { state, watch: () => () => {} } as unknown as LogStore;
  const along = new ReadingAlong(stream, { key: { user: 'ada' as UserId, thread: 't' as ThreadId }, log, clock, random: systemRandom });
  along.start();
  await clock.pass(OUTAGE_MS);
  // The next poll, and the next attempt.
  expect(clock.timers.size).toBeLessThanOrEqual(2);
  expect(asked).toBeGreaterThan(OUTAGE_MS / 1_000);
  expect(asked).toBeLessThan(OUTAGE_MS / 100);
  along.stop();
});
