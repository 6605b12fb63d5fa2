import { expect, test } from 'vitest';
import type { Clock } from '../ports/clock.ts';
import { PatientPull } from './patient-pull.ts';

const SILENT_MS = 1_000;

/** A clock whose timers end when the test lets time pass. */
class Hand implements Clock {
  now = 0;
  armed = 0;
  #timers: { readonly at: number; readonly callback: () => void }[] = [];
  mono = (): number => this.now;
  wall = (): number => this.now;
  after(delayMs: number, callback: () => void): () => void {
    this.armed++;
    const timer = { at: this.now + delayMs, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }
  soon(callback: () => void): void {
    setImmediate(callback);
  }
  pass(ms: number): void {
    this.now += ms;
    const due = this.#timers.filter(({ at }) => at <= this.now);
    this.#timers = this.#timers.filter(({ at }) => at > this.now);
    for (const { callback } of due) callback();
  }
  get waiting(): number {
    return this.#timers.length;
  }
}

/** An iterator whose answers the test gives. */
function answered() {
  const waiting: ((value: IteratorResult<number>) => void)[] = [];
  const iterator: AsyncIterator<number> = { next: () => new Promise((resolve) => waiting.push(resolve)) };
  return { iterator, answer: (value: number) => waiting.shift()?.({ value, done: false }) };
}

test('an agent is silent when a pull has waited its time, however long others took before', async () => {
  const clock = new Hand();
  const pull = new PatientPull<number>(clock, SILENT_MS);
  const { iterator, answer } = answered();
  for (let n = 0; n < 500; n++) {
    const next = pull.next(iterator);
    clock.pass(SILENT_MS / 10);
    answer(n);
    expect(await next).toEqual({ value: n, done: false });
    pull.taken();
  }
  // One timer, armed anew when it ends; none an event.
  expect(clock.armed).toBeLessThan(100);
  const last = pull.next(iterator);
  clock.pass(SILENT_MS - 1);
  expect(await Promise.race([last, Promise.resolve('waits')])).toBe('waits');
  for (let ms = 0; ms < 3; ms++) clock.pass(1);
  expect(await last).toBe('silent');
  pull.end();
  expect(clock.waiting).toBe(0);
});

test('nobody is silent while the log has no room', async () => {
  const clock = new Hand();
  const pull = new PatientPull<number>(clock, SILENT_MS);
  const { iterator, answer } = answered();
  const first = pull.next(iterator);
  answer(1);
  await first;
  pull.taken();
  clock.pass(10 * SILENT_MS);
  const second = pull.next(iterator);
  clock.pass(SILENT_MS / 2);
  answer(2);
  expect(await second).toEqual({ value: 2, done: false });
  pull.end();
});

test('an abort ends the pull that waits, and what the agent answers then is nobody’s news', async () => {
  const clock = new Hand();
  const pull = new PatientPull<number>(clock, SILENT_MS);
  const { iterator, answer } = answered();
  const next = pull.next(iterator);
  pull.abort();
  answer(1);
  expect(await next).toBe('aborted');
  await expect(pull.next({ next: () => Promise.reject(new Error('broken')) })).rejects.toThrow('broken');
  await expect(
    pull.next({
      next: () => {
        throw new Error('thrown');
      },
    }),
  ).rejects.toThrow('thrown');
});
