import { expect, it } from 'vitest';
import { handClock, toldSource } from '../../test/support/told-source.ts';
import type { AdmissionRecord } from '../ports/events.ts';
import type { ManagerId, UserId } from '../protocol/ids.ts';
import { SERIES, type SeriesName } from '../protocol/live.ts';
import { createHistory, type Point } from './history.ts';
import { createSummarist } from './summary.ts';

const OF_MANAGER = { managerId: 'mgr_1' as ManagerId, user: 'ada' as UserId, tier: 'free' };

function begun() {
  const source = toldSource();
  const clock = handClock();
  const errors: unknown[] = [];
  const history = createHistory(source, clock, 10_000, (error) => errors.push(error));
  const summarist = createSummarist(source, history, clock, 4);
  return { source, clock, history, errors, summary: () => summarist.summary() };
}

const value = (point: Point | undefined, name: SeriesName): number | null | undefined => point?.[1 + SERIES.indexOf(name)];

const seated = (tell: ReturnType<typeof toldSource>['tell'], outcome: AdmissionRecord['outcome'] = 'direct', durationMs = 4): void =>
  tell('admission-ended', { ...OF_MANAGER, intent: 'user', outcome, reason: null, levels: [], probed: 0, durationMs });

it('writes a point a second: rates of that second, gauges at its end, null where nothing was measured', () => {
  const { source, clock, history } = begun();
  for (let i = 0; i < 3; i++) seated(source.tell);
  source.figures = { ...source.figures, seats: 7, managers: [{ verdict: 'zombie', tier: 'free', count: 2 }] };
  source.delivery.replayed = 5;
  clock.pass(1_000);
  clock.pass(1_000);
  const [first, second, ...more] = history.points('15m');
  expect(more).toEqual([]);
  expect(first?.[0]).toBe(1_700_000_000_000 + 2_000);
  expect(first).toHaveLength(SERIES.length + 1);
  expect([value(first, 'admissions.seated'), value(second, 'admissions.seated')]).toEqual([3, 0]);
  expect([value(first, 'seats'), value(first, 'managers.zombie'), value(first, 'resume.replayed'), value(second, 'resume.replayed')]).toEqual([7, 2, 5, 0]);
  expect([value(first, 'cleanup.p99Ms'), value(first, 'delivery.ackP50Ms')]).toEqual([null, null]);
  expect(value(first, 'process.rssBytes')).toBeGreaterThan(1e6);
});

it('keeps percentiles of all values of a step, not means of means', () => {
  const { source, clock, history } = begun();
  for (let second = 0; second < 60; second++) {
    for (let i = 0; i < 100; i++) source.tell('acknowledged', { managerId: OF_MANAGER.managerId, delayMs: second === 59 ? 1_000 : 10 });
    clock.pass(1_000);
  }
  const [minute] = history.points('24h');
  expect(value(minute, 'delivery.ackP50Ms')).toBeCloseTo(10, 0);
  expect(value(minute, 'delivery.ackP99Ms')).toBeGreaterThan(985);
  expect(value(minute, 'delivery.ackP99Ms')).toBeLessThan(1_015);
});

it('holds 15 minutes, a day and a week in rings of fixed size, under 1.2 MB', () => {
  const { source, clock, history } = begun();
  expect(history.bytes).toBeLessThan(1_200_000);
  for (let minute = 0; minute < 20; minute++) {
    seated(source.tell, 'after-queue');
    clock.pass(60_000);
  }
  expect(history.points('15m')).toHaveLength(900);
  expect(history.points('24h')).toHaveLength(20);
  expect(history.points('7d')).toHaveLength(2);
  expect(value(history.points('7d')[1], 'admissions.queue')).toBeCloseTo(1 / 60, 5);
  const times = history.points('15m').map(([at]) => at as number);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
});

it('tells of each new point, also where another listener throws', () => {
  const { clock, history, errors } = begun();
  const heard: Point[] = [];
  history.onPoint('15m', () => {
    throw new Error('a page that broke');
  });
  const undo = history.onPoint('15m', (point) => heard.push(point));
  clock.pass(2_000);
  undo();
  clock.pass(1_000);
  expect(heard).toEqual(history.points('15m').slice(0, 2));
  expect(errors).toHaveLength(3);
});

it('sums up this instant', () => {
  const { source, clock, summary } = begun();
  expect(summary()).toMatchObject({ availability: null, goldenPath: null, cleanupP99Ms: null, queue: { length: 0, longestMs: 0 }, alertsFiring: 0 });
  source.tell('queue-entered', { ...OF_MANAGER, at: 'queue', position: 1 });
  clock.pass(700);
  source.tell('queue-entered', { ...OF_MANAGER, managerId: 'mgr_2' as ManagerId, at: 'gate', position: 1 });
  source.tell('alert-changed', { alert: 'Lockout', state: 'firing', value: 1, summary: '' });
  source.tell('lockout', { ...OF_MANAGER, why: 'refused' });
  seated(source.tell);
  seated(source.tell, 'retry-later');
  clock.pass(100);
  expect(summary()).toMatchObject({ availability: 1 / 3, queue: { longestMs: 800 }, alertsFiring: 1, lockouts: { total: 1, last24h: 1 } });
  source.tell('queue-left', { ...OF_MANAGER, at: 'queue', waitedMs: 800, end: 'seated' });
  source.tell('alert-changed', { alert: 'Lockout', state: 'quiet', value: 0, summary: '' });
  expect(summary()).toMatchObject({ queue: { longestMs: 100 }, alertsFiring: 0 });
  clock.pass(86_400_000);
  expect(summary().lockouts).toEqual({ total: 1, last24h: 0 });
});

it('says that the gateway is slow itself from the score on from which findings do not count', () => {
  const { source, summary } = begun();
  source.figures = { ...source.figures, localHealthScore: 3 };
  expect(summary().selfSlow).toBe(false);
  source.figures = { ...source.figures, localHealthScore: 4 };
  expect(summary().selfSlow).toBe(true);
});
