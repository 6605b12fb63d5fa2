/** An issuer made tokens that live for a month. That is longer than a timer of the platform may be, so none was set: a connection that
 *  stayed open was never asked for a new one, and went on reading and sending long after its token had ended. */

import { expect, test } from 'vitest';
import type { Clock } from '../ports/clock.ts';
import { CLOSE, type CloseCode } from '../protocol/close-codes.ts';
import type { UserId } from '../protocol/ids.ts';
import { Credential } from './credential.ts';
import { EventStream } from './http/event-stream.ts';

const DAY_MS = 86_400_000;

/** Timers as the platform has them. */
class Hand implements Clock {
  #now = 0;
  readonly #timers = new Map<() => void, number>();
  mono = (): number => this.#now;
  wall = (): number => this.#now;
  after(delayMs: number, callback: () => void): () => void {
    const ring = (): void => callback();
    this.#timers.set(ring, this.#now + (delayMs >= 2 ** 31 ? 1 : delayMs));
    return () => this.#timers.delete(ring);
  }
  soon(callback: () => void): void {
    callback();
  }
  /** Lets time pass up to `at`. */
  passTo(at: number): void {
    for (;;) {
      const [next] = [...this.#timers].sort(([, a], [, b]) => a - b);
      if (next === undefined || next[1] > at) break;
      this.#timers.delete(next[0]);
      this.#now = next[1];
      next[0]();
    }
    this.#now = at;
  }
}

const identity = (days: number) => ({ user: 'ada' as UserId, name: 'Ada', tier: 'free', expiresAt: days * DAY_MS, family: null });

test.each([30, 100, 400])('a token of %i days is asked for again, and ends when it is over', (days) => {
  const clock = new Hand();
  const told: (number | CloseCode)[] = [];
  const watch = {
    recognise: () => Promise.resolve({ is: 'invalid' } as const),
    expiring: (at: number) => told.push(at),
    over: (close: CloseCode) => told.push(close),
  };
  const credential = new Credential(identity(days), clock, watch);
  clock.passTo(days * 0.79 * DAY_MS);
  expect(told).toEqual([]);
  clock.passTo(days * 0.81 * DAY_MS);
  expect(told).toEqual([days * DAY_MS]);
  clock.passTo(days * DAY_MS);
  expect(told).toHaveLength(1);
  clock.passTo(days * DAY_MS + 60_000);
  expect(told).toEqual([days * DAY_MS, CLOSE.credentialExpired]);
  credential.end();
});

test.each([30, 100])('and so does a stream of events with a token of %i days', (days) => {
  const clock = new Hand();
  let endedAt: number | null = null;
  const stream = new EventStream({ identity: identity(days), clock, keepAliveMs: DAY_MS, ended: () => (endedAt = clock.wall()) });
  clock.passTo((days - 1) * DAY_MS);
  expect(endedAt).toBe(null);
  clock.passTo((days + 1) * DAY_MS);
  expect(endedAt).toBe(days * DAY_MS);
  void stream.body.cancel();
});
