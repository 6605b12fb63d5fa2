import { describe, expect, it } from 'vitest';
import type { Clock } from '../../ports/clock.ts';
import { systemRandom } from '../../ports/random.ts';
import { chunksOf, pause, resolvePace } from './pace.ts';

describe('an answer is cut into pieces', () => {
  it.each(['one', 'One two  three\n\n- four\n- five six  \n', '', '  \n', ' leads', '| a | b |\n| --- | --- |\n'])(
    'that joined are the text again: %j',
    (text) => {
      const chunks = [...chunksOf(text, systemRandom)];
      expect(chunks.map((chunk) => chunk.text).join('')).toBe(text);
      expect(chunks.every((chunk) => chunk.text !== '' && chunk.words <= 3)).toBe(true);
    },
  );
});

describe('a pause', () => {
  const timers = new Set<() => void>();
  const clock: Clock = {
    mono: () => 0,
    wall: () => 0,
    soon: (callback) => callback(),
    after(_delayMs, callback) {
      timers.add(callback);
      return () => timers.delete(callback);
    },
  };
  it('ends with its time', async () => {
    const waiting = pause(clock, 10, new AbortController().signal);
    for (const callback of timers) callback();
    await waiting;
    expect(timers.size).toBe(0);
  });
  it('ends at once when the run is stopped, and leaves no timer behind', async () => {
    const stop = new AbortController();
    const waiting = pause(clock, 1_000_000, stop.signal);
    expect(timers.size).toBe(1);
    stop.abort();
    await waiting;
    expect(timers.size).toBe(0);
  });
});

describe('a pace', () => {
  it('that never ends is refused', () => {
    expect(() => resolvePace({ wordsPerSecond: 0 })).toThrow('pace.wordsPerSecond');
    expect(() => resolvePace({ stepMs: -1 })).toThrow('pace.stepMs');
  });
});
