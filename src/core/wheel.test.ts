import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BUCKET_MS, Wheel } from './wheel.ts';

it('serves a deadline in its bucket, late by less than the width, never early', () => {
  const wheel = new Wheel<string>();
  wheel.set('a', 150);
  expect(wheel.advance(149)).toEqual([]);
  expect(wheel.advance(199)).toEqual([]);
  expect(wheel.advance(200)).toEqual(['a']);
  expect(wheel.size).toBe(0);
});

it('touching puts a deadline off without a second one', () => {
  const wheel = new Wheel<string>();
  wheel.set('a', 100);
  wheel.set('a', 1_000);
  expect(wheel.advance(900)).toEqual([]);
  expect(wheel.at('a')).toBe(1_000);
  expect(wheel.advance(1_000)).toEqual(['a']);
});

it('serves a deadline that was moved to earlier once, at the earlier time', () => {
  const wheel = new Wheel<string>();
  wheel.set('a', 1_000);
  wheel.set('a', 200);
  expect(wheel.advance(200)).toEqual(['a']);
  expect(wheel.advance(2_000)).toEqual([]);
});

it('serves what was set for the past at the next bucket', () => {
  const wheel = new Wheel<string>();
  wheel.advance(5_000);
  wheel.set('late', 1);
  expect(wheel.advance(5_100)).toEqual(['late']);
});

it('a sleep of days costs nothing', () => {
  const wheel = new Wheel<number>();
  wheel.advance(0);
  for (let i = 0; i < 10; i++) wheel.set(i, i * 1_000);
  expect(wheel.advance(1e12)).toHaveLength(10);
});

type Act =
  | { readonly do: 'set'; readonly key: number; readonly inMs: number }
  | { readonly do: 'delete'; readonly key: number }
  | { readonly do: 'advance'; readonly byMs: number };
const acts = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('set' as const), key: fc.nat(5), inMs: fc.integer({ min: -200, max: 2_000 }) }),
    fc.record({ do: fc.constant('delete' as const), key: fc.nat(5) }),
    fc.record({ do: fc.constant('advance' as const), byMs: fc.oneof(fc.nat(150), fc.nat(5_000)) }),
  ),
  { maxLength: 80 },
);

it('over any history: late by at most a bucket, never early, each deadline once', () => {
  fc.assert(
    fc.property(fc.integer({ min: -500, max: 5_000 }), acts, (start, history: Act[]) => {
      const wheel = new Wheel<number>();
      const model = new Map<number, { at: number; setAt: number }>();
      let now = start;
      for (const act of history) {
        if (act.do === 'set') {
          wheel.set(act.key, now + act.inMs);
          model.set(act.key, { at: now + act.inMs, setAt: now });
        } else if (act.do === 'delete') {
          expect(wheel.delete(act.key)).toBe(model.delete(act.key));
        } else {
          now += act.byMs;
          for (const key of wheel.advance(now)) {
            expect(model.get(key)?.at).toBeLessThanOrEqual(now);
            model.delete(key);
          }
          // Nobody is later than the end of a bucket after its deadline, or after it was set for the past.
          for (const { at, setAt } of model.values()) expect(now - Math.max(at, setAt)).toBeLessThan(2 * BUCKET_MS);
          for (const { at, setAt } of model.values()) if (at >= setAt) expect(now - at).toBeLessThan(BUCKET_MS);
        }
        expect(wheel.size).toBe(model.size);
      }
    }),
  );
});
