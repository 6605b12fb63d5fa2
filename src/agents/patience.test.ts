import { describe, expect, it } from 'vitest';
import type { Clock } from '../ports/clock.ts';
import { patience } from './patience.ts';

/** Time passes when the test says so. */
function handClock() {
  let now = 0;
  const timers = new Map<() => void, number>();
  const clock: Clock = {
    mono: () => now,
    wall: () => now,
    soon: (callback) => callback(),
    after(delayMs, callback) {
      timers.set(callback, now + delayMs);
      return () => timers.delete(callback);
    },
  };
  const pass = (ms: number) => {
    now += ms;
    for (const [callback, due] of timers) if (due <= now) callback();
  };
  return { clock, pass, timers };
}
const never = new Promise<never>(() => {});

describe('patience with somebody who may stay silent', () => {
  it('ends when the limit has passed in one wait or in several', async () => {
    const { clock, pass } = handClock();
    const silence = patience(clock, new AbortController().signal, 100);
    const first = silence.wait(never);
    pass(100);
    expect(await first).toEqual({ is: 'silent' });

    silence.renew(100);
    let come = (_: string) => {};
    const second = silence.wait(
      new Promise<string>((resolve) => {
        come = resolve;
      }),
    );
    pass(60);
    come('a ping that says nothing');
    expect(await second).toEqual({ is: 'came', value: 'a ping that says nothing' });
    const third = silence.wait(never);
    pass(40);
    expect(await third).toEqual({ is: 'silent' });
  });

  it('is not used up while the reader itself pauses', async () => {
    const { clock, pass } = handClock();
    const silence = patience(clock, new AbortController().signal, 100);
    pass(5_000);
    expect(await silence.wait(Promise.resolve('here'))).toEqual({ is: 'came', value: 'here' });
  });

  it('ends with an abort, and leaves no timer behind', async () => {
    const { clock, timers } = handClock();
    const stop = new AbortController();
    const silence = patience(clock, stop.signal, 100);
    const waiting = silence.wait(never);
    stop.abort();
    expect(await waiting).toEqual({ is: 'aborted' });
    expect(await silence.wait(never)).toEqual({ is: 'aborted' });
    expect(timers.size).toBe(0);
  });

  it('passes on what the other side failed with', async () => {
    await expect(patience(handClock().clock, new AbortController().signal, 100).wait(Promise.reject(new Error('cut')))).rejects.toThrow('cut');
  });
});
