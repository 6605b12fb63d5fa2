import { expect, test } from 'vitest';
import type { Clock } from '../ports/clock.ts';
import type { LogRecord } from '../ports/telemetry.ts';
import { createAlertEvaluator, EVALUATE_EVERY_MS } from './alert-evaluator.ts';
import { quantileIn, type Reading } from './alert-figures.ts';
import { RisingWindow } from './alert-windows.ts';
import { alertsOf } from './alerts.ts';

/** One alert of the table over figures that a test sets; time passes by hand. */
function evaluatorOf(name: string, figures: Readonly<Record<string, number>>) {
  let now = 0;
  const records: LogRecord[] = [];
  const changes: string[] = [];
  const timers: (() => void)[] = [];
  const clock: Clock = {
    mono: () => now,
    wall: () => 1_700_000_000_000 + now,
    after(_, callback) {
      timers.push(callback);
      return () => {};
    },
    soon: () => {},
  };
  let current: Readonly<Record<string, number>> | Error = figures;
  const evaluator = createAlertEvaluator({
    alerts: alertsOf().filter((alert) => alert.name === name),
    read(metrics) {
      if (current instanceof Error) throw current;
      const known = current;
      return new Map(metrics.map((metric) => [metric, known[metric] === undefined ? [] : ([{ labels: {}, value: known[metric] }] as Reading[])]));
    },
    clock,
    telemetry: { record: (record) => records.push(record) },
    changed: ({ state }) => changes.push(state),
  });
  return {
    records,
    changes,
    timers,
    status: () => evaluator.statuses()[0],
    async pass(ms: number, next: typeof current = current) {
      current = next;
      now += ms;
      await evaluator.evaluate();
    },
    [Symbol.dispose]: () => evaluator[Symbol.dispose](),
  };
}

test('an alert that must last is pending first; what fires and what ends is logged, what only began to wait is not', async () => {
  using board = evaluatorOf('FailOpen', { store_fail_open: 0 });
  await board.pass(5_000);
  expect(board.status()).toMatchObject({ state: 'quiet', value: 0, since: null });
  await board.pass(5_000, { store_fail_open: 1 });
  expect(board.status()).toMatchObject({ state: 'pending', since: 1_700_000_010_000 });
  await board.pass(60_000);
  expect(board.status()).toMatchObject({ state: 'firing', value: 1, since: 1_700_000_010_000 });
  await board.pass(5_000, { store_fail_open: 0 });
  expect(board.changes).toEqual(['pending', 'firing', 'quiet']);
  expect(board.records.map(({ severity, state }) => [severity, state])).toEqual([
    ['ERROR', 'firing'],
    ['INFO', 'quiet'],
  ]);
});

test('what ends while it waits was no alert: nothing is logged', async () => {
  using board = evaluatorOf('FailOpen', { store_fail_open: 1 });
  await board.pass(5_000);
  await board.pass(5_000, { store_fail_open: 0 });
  expect(board.changes).toEqual(['pending', 'quiet']);
  expect(board.records).toEqual([]);
});

test('the sweeper is dead when its sign of life stands still, not when this process was suspended, nor when the wall clock was set', async () => {
  using board = evaluatorOf('SweeperDead', { cleanup_heartbeat_timestamp_seconds: 1_000 });
  await board.pass(5_000);
  await board.pass(600_000);
  expect(board.status()).toMatchObject({ state: 'quiet' });
  await board.pass(5_000, { cleanup_heartbeat_timestamp_seconds: 1 });
  for (let i = 0; i < 6; i++) await board.pass(5_000);
  expect(board.status()).toMatchObject({ state: 'quiet', value: 30 });
  await board.pass(5_000);
  expect(board.status()).toMatchObject({ state: 'firing', value: 35 });
});

test('figures that cannot be read leave everything as it stood; that is logged, and it goes on', async () => {
  using board = evaluatorOf('Quarantine', { quarantined_transports: 1 });
  await board.pass(5_000);
  await expect(board.pass(5_000, new Error('no figures'))).rejects.toThrow('no figures');
  expect(board.status()).toMatchObject({ state: 'pending' });
  await new Promise((resolve) => setImmediate(resolve));
  board.timers.shift()?.();
  await expect.poll(() => board.timers.length).toBe(1);
  expect(board.records).toMatchObject([{ event: 'alerts-not-evaluated' }]);
});

test('a window counts what rose within it, keeps few samples, and knows no fall', () => {
  const window = new RisingWindow(300_000);
  expect(window.rise(0, [5])).toEqual([0]);
  expect(window.rise(5_000, [7])).toEqual([2]);
  for (let at = 10_000; at <= 290_000; at += EVALUATE_EVERY_MS) window.rise(at, [7]);
  expect(window.rise(300_000, [8])).toEqual([3]);
  expect(window.rise(306_000, [8])).toEqual([1]);
  expect(window.rise(700_000, [8])).toEqual([0]);
  expect(window.rise(705_000, [0])).toEqual([0]);
});

test('a quantile is that of Prometheus: linear in its bucket, at most the last bound, null of nothing', () => {
  const bounds = [1, 2, 4, Number.POSITIVE_INFINITY];
  expect(quantileIn(0.5, bounds, [0, 10, 10, 10])).toBe(1.5);
  expect(quantileIn(0.5, bounds, [10, 10, 10, 10])).toBe(0.5);
  expect(quantileIn(0.99, bounds, [0, 0, 0, 10])).toBe(4);
  expect(quantileIn(0.99, bounds, [0, 0, 0, 0])).toBeNull();
});

test('an alert with alternatives shows the figure of the one that holds: it had shown 0 while it fired', async () => {
  using board = evaluatorOf('ProbesVoided', { probes_total: 100, local_health_score: 0 });
  await board.pass(5_000);
  await board.pass(5_000, { probes_total: 100, local_health_score: 6 });
  await board.pass(60_000);
  expect(board.status()).toMatchObject({ state: 'firing', value: 6 });
});
