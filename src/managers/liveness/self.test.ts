import { expect, it } from 'vitest';
import { resolveOptions } from '../../core/resolve-options.ts';
import type { Clock } from '../../ports/clock.ts';
import { SelfWatch } from './self.ts';

/** A clock that is moved by hand; every `after` that is due is called, in order. */
class Hand implements Clock {
  #now = 0;
  #timers: { readonly at: number; readonly call: () => void }[] = [];
  mono = (): number => this.#now;
  wall = (): number => 1_700_000_000_000 + this.#now;
  soon = (call: () => void): void => call();
  after(delayMs: number, call: () => void): () => void {
    const timer = { at: this.#now + delayMs, call };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((t) => t !== timer);
    };
  }
  /** Nothing of ours runs in between. */
  stall(ms: number): void {
    this.#now += ms;
    this.#run();
  }
  run(ms: number): void {
    for (const until = this.#now + ms; this.#now < until; ) {
      this.#now++;
      this.#run();
    }
  }
  #run(): void {
    const due = this.#timers.filter((t) => t.at <= this.#now);
    this.#timers = this.#timers.filter((t) => t.at > this.#now);
    for (const { call } of due) call();
  }
}

const start = (takeP99Ms: () => number = () => 0) => {
  const clock = new Hand();
  const gaps: number[] = [];
  const self = new SelfWatch(clock, resolveOptions(), (gapMs) => gaps.push(gapMs), { takeP99Ms, stop: () => {} });
  return { clock, self, gaps };
};

it('our own stalls do not pass on the attentive clock, and cost health', () => {
  const { clock, self, gaps } = start();
  clock.run(1_000);
  expect([self.now, self.health.score]).toEqual([1_000, 0]);
  clock.stall(400);
  expect(self.now).toBeLessThanOrEqual(1_020);
  expect(gaps).toEqual([400]);
  clock.run(1_000);
  expect(self.health.score).toBe(1);
  clock.stall(1_500);
  expect(self.health.score).toBe(3);
  clock.run(3_010);
  expect(self.health.score).toBe(0);
});

it('a loop that turns late costs health though no single tick was missed', () => {
  let p99Ms = 150;
  const { clock, self } = start(() => p99Ms);
  clock.run(2_010);
  expect(self.health.score).toBe(2);
  p99Ms = 100;
  clock.run(1_000);
  expect(self.health.score).toBe(1);
});

it('a voided round costs health once in its second', () => {
  const { clock, self } = start();
  clock.run(500);
  self.voided();
  self.voided();
  clock.run(510);
  expect(self.health.score).toBe(1);
  clock.run(1_000);
  expect(self.health.score).toBe(0);
});

it('measures nothing real beside a clock that is not the system’s', () => {
  const clock = new Hand();
  const self = new SelfWatch(clock, resolveOptions(), () => {});
  const until = performance.now() + 300;
  while (performance.now() < until);
  clock.run(2_010);
  expect(self.health.score).toBe(0);
  self.stop();
});
