import fc from 'fast-check';
import { expect, it } from 'vitest';
import { nearest } from './nearest.ts';

const names = ['limits.perUser', 'limits.perNode', 'queue.places', 'listen'];

it.each([
  ['limits.perUsr', 'limits.perUser'],
  ['limits.preNode', 'limits.perNode'],
  ['LISTEN', 'listen'],
  ['lsiten', 'listen'],
  ['queue.place', 'queue.places'],
])('finds what %s was meant to be', (typed, meant) => {
  expect(nearest(typed, names)).toBe(meant);
});

it('says nothing rather than something far off', () => {
  expect(nearest('banana', names)).toBeNull();
  expect(nearest('x', [])).toBeNull();
});

it('finds a name again after any one slip', () => {
  fc.assert(
    fc.property(fc.constantFrom(...names), fc.nat(), fc.constantFrom('drop', 'double', 'swap'), (name, at, slip) => {
      const i = at % (name.length - 1);
      const [a = '', b = ''] = [name[i], name[i + 1]];
      const typed = name.slice(0, i) + { drop: b, double: a + a + b, swap: b + a }[slip] + name.slice(i + 2);
      expect(nearest(typed, names)).toBe(name);
    }),
  );
});
