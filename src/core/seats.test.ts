import { expect, it } from 'vitest';
import { effective, effectiveCapacity, room } from './seats.ts';

it('20 dead of 20: no room, and yet room for everybody once they are freed', () => {
  const count = { seats: 20, dead: 20, leaving: 0, promised: 0, cap: 20 };
  expect([room(count), effective(count), effectiveCapacity(count)]).toEqual([0, 0, 20]);
});

it('15 working and 5 dead, one on its way out, one seat promised', () => {
  const count = { seats: 20, dead: 5, leaving: 1, promised: 1, cap: 20 };
  expect([room(count), effective(count), effectiveCapacity(count)]).toEqual([-1, 14, 5]);
});
