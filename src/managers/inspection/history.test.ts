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
  const emit: FactoryEmitter['emit'] = (name, event) => emitter.emit(name, event);
  return { history, time, end, clean, emit };
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

test('a cleanup is found by its id, and only the last thousand are', () => {
  const { history, clean } = setUp();
  for (let i = 0; i < 2_500; i++) clean('ada', `cln_${i}`);
  expect(history.cleanup('cln_1499')).toBeNull();
  expect(history.cleanup('cln_1500')?.report.run).toBe('cln_1500');
  expect(history.cleanups()).toHaveLength(1_000);
  expect(history.events()[0]?.sequence).toBe(1_501);
  expect(history.cleanups({ user: user('ben') })).toEqual([]);
});

test('what happens often does not drive out what happens rarely', () => {
  const { history, end, clean } = setUp();
  clean('ada', 'cln_1');
  for (let i = 0; i < 3_000; i++) end('ben', i);
  clean('ada', 'cln_2');
  expect(history.events().map(({ type }) => type)).toEqual(['cleanup-finished', ...Array(500).fill('manager-ended'), 'cleanup-finished']);
  expect(history.events({ after: 3_000 }).map((e) => e.sequence)).toEqual([3_001, 3_002]);
});

test('a verdict is kept where somebody is doubted or no more, and not where a page falls quiet or speaks', () => {
  const { history, emit } = setUp();
  const verdicts = [null, 'healthy', 'idle', 'suspect', 'zombie', 'healthy', 'idle'] as const;
  for (const [i, verdict] of verdicts.entries()) {
    if (verdict === null) continue;
    emit('verdict-changed', {
      managerId: 'mgr_1' as ManagerId,
      user: user('ada'),
      tier: 'free',
      verdict,
      was: verdicts[i - 1] ?? null,
      reason: 'x',
      evidence: [],
    });
  }
  const kept = history.events({ type: 'verdict-changed' }) as readonly { data: { verdict: string } }[];
  expect(kept.map(({ data }) => data.verdict)).toEqual(['suspect', 'zombie', 'healthy']);
});

test('a reason is that of the event, or of somebody who was evicted in it', () => {
  const { history, end, emit } = setUp();
  end('ada');
  emit('cleanup-finished', { run: 'cln_1', user: user('ada'), levels: [], victims: [{ reason: 'probe-timeout' }] } as unknown as CleanupReport);
  emit('lockout', { managerId: 'mgr_1' as ManagerId, user: user('ben'), tier: 'free', why: 'refused' });
  const types = (reason: string) => history.events({ reason }).map(({ type }) => type);
  expect(types('parked')).toEqual(['manager-ended']);
  expect(types('probe-timeout')).toEqual(['cleanup-finished']);
  expect(types('refused')).toEqual(['lockout']);
  expect(types('drain')).toEqual([]);
});
