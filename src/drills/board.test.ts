import { describe, expect, it } from 'vitest';
import { resolveOptions } from '../core/resolve-options.ts';
import type { DrillName } from '../protocol/drills.ts';
import { createDrillBoard } from './board.ts';
import { MOST_SOCKETS } from './catalogue.ts';
import { type DrillSurroundings, drillGround } from './ground.ts';

const surroundings: DrillSurroundings = {
  gateway: { url: 'http://127.0.0.1:1', adminUrl: 'http://127.0.0.1:2', adminKey: 'a-key-of-the-tests' },
  options: resolveOptions({ limits: { perUser: 30 } }),
  store: 'memory',
  sharedStore: null,
  program: '/nowhere/main.js',
  mint: null,
};
const board = () => createDrillBoard(drillGround(surroundings));

describe('a board of drills', () => {
  it('fills up a user by the limits of its gateway, and opens no more sockets than is allowed', () => {
    const counts = Object.fromEntries(board().catalogue.map(({ name, count }) => [name, count.default]));
    expect(counts).toMatchObject({ 'frozen-tabs': 30, 'auto-pong-proxy': 30, 'leaky-tabs': 60, drain: 200 });
    for (const { name, count } of board().catalogue) expect(count.most, name).toBeLessThanOrEqual(MOST_SOCKETS);
  });

  it('refuses a count that cannot be, a user that cannot be and a name that no drill has', async () => {
    await expect(board().start({ name: 'frozen-tabs', count: 200 })).rejects.toMatchObject({ code: 'SPILLWAY_BAD_ARGUMENT' });
    await expect(board().start({ name: 'frozen-tabs', count: 0 })).rejects.toMatchObject({ code: 'SPILLWAY_BAD_ARGUMENT' });
    await expect(board().start({ name: 'frozen-tabs', user: '' })).rejects.toMatchObject({ code: 'SPILLWAY_BAD_ARGUMENT' });
    await expect(board().start({ name: 'frozen-tabz' as DrillName })).rejects.toMatchObject({ code: 'SPILLWAY_BAD_ARGUMENT' });
  });

  it('says clearly that nobody here can make tokens, and starts nothing', async () => {
    const one = board();
    await expect(one.start({ name: 'frozen-tabs' })).rejects.toMatchObject({ code: 'SPILLWAY_REFUSED', message: expect.stringContaining('auth.jwksUrl') });
    expect(one.runs).toEqual([]);
  });

  it('takes nothing any more once it is closed', async () => {
    const one = board();
    await one.close();
    await expect(one.start({ name: 'crash' })).rejects.toMatchObject({ code: 'SPILLWAY_CLOSED' });
  });
});
