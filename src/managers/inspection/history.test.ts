import { expect, test } from 'vitest';
import type { Clock } from '../../ports/clock.ts';
import { systemClock } from '../../ports/clock.ts';
import type { ManagerId, UserId } from '../../protocol/ids.ts';
import { type CleanupReport, FactoryEmitter } from '../events.ts';
import { History } from './history.ts';

const user = (name: string) => name as UserId;

/** A history whose wall clock shows what `clock.at` says. */
function setUp() {
  const emitter = new FactoryEmitter((error) => {
    throw error;
  });
  const time = { at: 1_000 };
  const clock: Clock = { ...systemClock, wall: () => time.at };
  const history = new History(clock, emitter);
  const end = (name: string, n = 0) =>
    emitter.emit('manager-ended', { managerId: `mgr_${String(n).padStart(20, '0')}` as ManagerId, user: user(name), reason: 'parked' });
  const clean = (name: string, run: string) => emitter.emit('cleanup-finished', { run, user: user(name), victims: [], levels: [] } as unknown as CleanupReport);
  return { history, time, end, clean };
}

test('events keep their order under rising numbers, whatever their kind', () => {
  const { history, time, end, clean } = setUp();
  end('ada');
  time.at = 2_000;
  clean('ben', 'cln_1');
  end('ben');
  expect(history.events().map(({ sequence, at, type }) => ({ sequence, at, type }))).toEqual([
    { sequence: 1, at: 1_000, type: 'manager-ended' },
    { sequence: 2, at: 2_000, type: 'cleanup-finished' },
    { sequence: 3, at: 2_000, type: 'manager-ended' },
  ]);
  expect(history.sequence).toBe(3);
});

test('filters by user, kind and time; time says from when on, that instant included', () => {
  const { history, time, end, clean } = setUp();
  end('ada');
  time.at = 2_000;
  end('ben');
  clean('ada', 'cln_1');
  const numbers = (filter: Parameters<History['events']>[0]) => history.events(filter).map((e) => e.sequence);
  expect(numbers({ user: user('ada') })).toEqual([1, 3]);
  expect(numbers({ type: 'manager-ended' })).toEqual([1, 2]);
  expect(numbers({ since: 2_000 })).toEqual([2, 3]);
  expect(numbers({ user: user('ada'), type: 'manager-ended', since: 2_000 })).toEqual([]);
});

test('a page goes on where the last one ended; without a place to start it is the newest', () => {
  const { history, end } = setUp();
  for (let i = 0; i < 5; i++) end('ada', i);
  const numbers = (filter: Parameters<History['events']>[0]) => history.events(filter).map((e) => e.sequence);
  expect(numbers({ limit: 2 })).toEqual([4, 5]);
  expect(numbers({ after: 0, limit: 2 })).toEqual([1, 2]);
  expect(numbers({ after: 2, limit: 2 })).toEqual([3, 4]);
  expect(numbers({ after: 5 })).toEqual([]);
  expect(numbers({ limit: 0 })).toEqual([]);
});

test('a cleanup is found by its id, and only the last thousand are; of events the last two thousand', () => {
  const { history, clean } = setUp();
  for (let i = 0; i < 2_500; i++) clean('ada', `cln_${i}`);
  expect(history.cleanup('cln_1499')).toBeNull();
  expect(history.cleanup('cln_1500')?.report.run).toBe('cln_1500');
  expect(history.cleanups()).toHaveLength(1_000);
  expect(history.events()).toHaveLength(2_000);
  expect(history.events()[0]?.sequence).toBe(501);
  expect(history.cleanups({ user: user('ben') })).toEqual([]);
});
