import { expect, test } from 'vitest';
import { mono } from '../../core/clocks.ts';
import { resolveOptions } from '../../core/resolve-options.ts';
import type { SpillwayEvents } from '../../ports/events.ts';
import type { Context } from '../context.ts';
import { FactoryEmitter } from '../events.ts';
import type { AdmissionRun } from './admission-run.ts';
import { WaitLog } from './wait-log.ts';

type Ticket = AdmissionRun['ticket'];
const ticket = (of: 'user' | 'auto', at: 'queue' | 'gate' = 'queue') => ({ at, class: of, deadline: mono(9_000) }) as Ticket;

function setUp() {
  const time = { now: 0 };
  const timers = new Set<{ readonly at: number; readonly ring: () => void }>();
  const events = new FactoryEmitter((error) => {
    throw error;
  });
  const told: string[] = [];
  events.on('queue-entered', ({ user, at, position }) => told.push(`${user} waits at the ${at}, number ${position}`));
  events.on('queue-left', ({ user, at, waitedMs, end }) => told.push(`${user} ${end} from the ${at} after ${waitedMs}`));
  const lockouts: SpillwayEvents['lockout'][] = [];
  events.on('lockout', (lockout) => lockouts.push(lockout));
  const clock = {
    after: (delayMs: number, ring: () => void) => {
      const timer = { at: time.now + delayMs, ring };
      timers.add(timer);
      return () => timers.delete(timer);
    },
  };
  const options = resolveOptions({ queue: { waitMs: 10_000 } });
  const log = new WaitLog({ events, clock, options, mono: () => mono(time.now) } as unknown as Context);
  const run = (user: string, o: { intent?: 'user' | 'auto'; tier?: string; ticket?: Ticket; isPromiseBroken?: boolean } = {}) =>
    ({
      applicant: { manager: `mgr_${user}`, user, tier: o.tier ?? 'free', intent: o.intent ?? 'user' },
      ticket: o.ticket ?? ticket('user'),
      isPromiseBroken: o.isPromiseBroken ?? false,
    }) as unknown as AdmissionRun;
  const passTo = (ms: number) => {
    time.now = ms;
    for (const timer of [...timers]) if (timer.at <= ms && timers.delete(timer)) timer.ring();
  };
  return { log, run, passTo, told, lockouts, timers };
}

test('a wait is told once when it begins and once when it ends, also where it goes on in the other queue', () => {
  const { log, run, passTo, told, timers } = setUp();
  const ada = run('ada');
  log.holds(ada, 2);
  log.holds(ada, 1);
  expect(log.byTier).toEqual([{ tier: 'free', count: 1 }]);
  ada.ticket = ticket('user', 'gate');
  log.holds(ada, 7);
  passTo(400);
  log.ended(ada, 'seated');
  log.ended(ada, 'abandoned');
  expect(told).toEqual(['ada waits at the queue, number 2', 'ada seated from the gate after 400']);
  expect([log.size, log.byTier, timers.size]).toEqual([0, [], 0]);
});

test('a person who waits half a second longer than the queue’s patience is locked out, whether or not the wait ever ends', () => {
  const { log, run, passTo, lockouts } = setUp();
  log.holds(run('ada'), 1);
  log.holds(run('bot', { intent: 'auto', ticket: ticket('auto') }), 1);
  passTo(10_499);
  expect(lockouts).toEqual([]);
  passTo(60_000);
  expect(lockouts).toEqual([{ managerId: 'mgr_ada', user: 'ada', tier: 'free', why: 'waited-too-long' }]);
});

test('a time that works is no lockout; no time, a broken promise and no answer are', () => {
  const { log, run, lockouts } = setUp();
  log.sentAway(run('full'), 'queue-full');
  log.sentAway(run('busy'), 'node-overloaded');
  log.sentAway(run('robot', { intent: 'auto', ticket: null }), 'no-seat-yet');
  log.sentAway(run('claims too often', { ticket: ticket('auto') }), 'no-seat-yet');
  expect(lockouts).toEqual([]);
  log.sentAway(run('ada'), 'no-seat-yet');
  log.sentAway(run('ben', { ticket: null }), 'failed');
  log.sentAway(run('cleo', { isPromiseBroken: true }), 'queue-full');
  expect(lockouts.map(({ user, why }) => `${user} ${why}`)).toEqual(['ada refused', 'ben refused', 'cleo promise-broken']);
});
