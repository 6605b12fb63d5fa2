import type { Clock } from '../../src/ports/clock.ts';

/** A clock that moves only by hand, monotonic and wall time apart. */
export class HandClock implements Clock {
  #mono = 1_000;
  #wall = Date.UTC(2026, 0, 1);
  #hear: (ms: number) => void = () => {};

  /** Tells whoever keeps another clock in step how much time passes; a jump is this process's alone. */
  onPass(hear: (ms: number) => void): void {
    this.#hear = hear;
  }

  mono(): number {
    return this.#mono;
  }
  wall(): number {
    return this.#wall;
  }
  /** Lets time pass. */
  pass(ms: number): void {
    this.#mono += ms;
    this.#wall += ms;
    this.#hear(ms);
  }
  /** Sets the wall clock forward or back, as an administrator or NTP does. */
  jump(ms: number): void {
    this.#wall += ms;
  }
  after(): () => void {
    throw new Error('Expected a store to set no timer on the clock it was given.');
  }
  soon(callback: () => void): void {
    setImmediate(callback);
  }
}
