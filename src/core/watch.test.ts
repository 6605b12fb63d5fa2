import fc from 'fast-check';
import { expect, it } from 'vitest';
import { mono } from './clocks.ts';
import { resolveOptions } from './resolve-options.ts';
import { CALM, stepWatch, type Watch } from './watch.ts';

const o = resolveOptions();
const look = (w: Watch, seats: number, now: number) => stepWatch(w, seats, 20, o, mono(now));

it('looks harder at 14, 16, 17 and 19 of 20 seats', () => {
  const at = (seats: number) => look(CALM, seats, 0);
  expect([13, 14, 16, 17, 19, 25].map((n) => at(n).level)).toEqual([null, 'conservative', 'conservative', 'moderate', 'aggressive', 'aggressive']);
  expect([13, 15, 16, 20].map((n) => at(n).probing)).toEqual([false, false, true, true]);
});

it('leaves a level only 30 s after the load fell well below it', () => {
  let watch = look(CALM, 19, 0).watch;
  watch = look(watch, 17, 1_000).watch;
  expect(look(watch, 17, 100_000).level).toBe('aggressive');
  watch = look(watch, 12, 100_000).watch;
  expect(look(watch, 12, 129_999)).toMatchObject({ level: 'aggressive', probing: true });
  expect(look(watch, 12, 130_000)).toMatchObject({ level: 'conservative', probing: false });
});

it('leaves all freeing to admissions if told so, and still keeps evidence fresh', () => {
  const off = resolveOptions({ cleanup: { proactive: false } });
  expect(stepWatch(CALM, 20, 20, off, mono(0))).toMatchObject({ level: null, probing: true });
});

it('I22: a constant load changes its mind at most once in 30 s, and from then on never', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(25), { maxLength: 10 }), fc.nat(25), fc.array(fc.nat(20_000), { maxLength: 40 }), (before, load, gaps) => {
      let watch = CALM;
      for (const [i, seats] of before.entries()) watch = look(watch, seats, i * 1_000).watch;
      let now = 10_000;
      watch = look(watch, load, now).watch;
      const changes: number[] = [];
      for (const gap of gaps) {
        now += gap;
        const next = look(watch, load, now).watch;
        if (next.level !== watch.level) changes.push(now);
        watch = next;
      }
      for (const [i, at] of changes.entries()) if (i > 0) expect(at - (changes[i - 1] as number)).toBeGreaterThanOrEqual(30_000);
      expect(changes.length).toBeLessThanOrEqual(1);
    }),
  );
});
