import { expect, it } from 'vitest';
import type { Clock } from '../ports/clock.ts';
import { Turns } from './turns.ts';

/** Turns of an event loop, one by one. */
function handTurns() {
  const later: (() => void)[] = [];
  const clock: Clock = { mono: () => 0, wall: () => 0, after: () => () => {}, soon: (callback) => later.push(callback) };
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 2_000; i++) await Promise.resolve();
  };
  return {
    turns: new Turns(clock),
    settle,
    /** False: nothing was waiting for another turn. */
    async next(): Promise<boolean> {
      const due = later.splice(0);
      for (const callback of due) callback();
      await settle();
      return due.length > 0;
    },
  };
}

it('lets fifty users with twenty evictions each go round robin, a bounded amount of work a turn', async () => {
  const { turns, next, settle } = handTurns();
  const done: { readonly user: number; readonly turn: number }[] = [];
  let turn = 0;
  const work = async (user: number): Promise<void> => {
    for (let i = 0; i < 20; i++) {
      await turns.spend(3);
      done.push({ user, turn });
    }
  };
  for (let user = 0; user < 50; user++) void work(user);
  await settle();
  do turn++;
  while (await next());

  expect(done).toHaveLength(1_000);
  for (let t = 0; t <= turn; t++) expect(done.filter((d) => d.turn === t).length * 3).toBeLessThanOrEqual(256 + 3);
  expect(turn).toBeGreaterThanOrEqual(11);
  // Nobody is ever more than one round ahead of anybody else.
  const count = new Map<number, number>();
  for (const [i, { user }] of done.entries()) {
    count.set(user, (count.get(user) ?? 0) + 1);
    if (i % 50 === 49) expect(Math.max(...count.values()) - Math.min(...Array.from({ length: 50 }, (_, u) => count.get(u) ?? 0))).toBeLessThanOrEqual(1);
  }
});

it('costs nothing while there is little to do', async () => {
  const { turns, next } = handTurns();
  for (let i = 0; i < 10; i++) await turns.spend(3);
  expect(await next()).toBe(true);
  expect(await next()).toBe(false);
});

it('lets a piece of work that is larger than a turn pass, alone', async () => {
  const { turns, next } = handTurns();
  await turns.spend(1_000);
  let went = false;
  void turns.spend(1).then(() => {
    went = true;
  });
  await Promise.resolve();
  expect(went).toBe(false);
  await next();
  expect(went).toBe(true);
});
