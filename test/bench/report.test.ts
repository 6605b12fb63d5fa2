import { readFileSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseArguments } from '../../bench/arguments.ts';
import { GOALS, standingOf } from '../../bench/goals.ts';
import { pageOf } from '../../bench/page.ts';
import { table } from '../../bench/report.ts';
import { committedFiles, committedRows, PAGE } from '../../bench/results.ts';
import { rowOf } from './rows.ts';

const REPS = [0, 1, 2, 3, 4, 5];
const both = (ours: (rep: number) => number, theirs: (rep: number) => number) =>
  REPS.flatMap((rep) => [rowOf({ rep, cpuUs: ours(rep) }), rowOf({ rep, peer: 'ws', cpuUs: theirs(rep) })]);
const pacedOverWs = GOALS.find((goal) => goal.variant === 'paced' && goal.over === 'ws') as (typeof GOALS)[number];

test('the page about benchmarks is what the committed rows say', () => {
  const rows = committedRows();
  expect(readFileSync(PAGE, 'utf8'), 'run: npm run bench -- report').toBe(pageOf(rows));
  for (const { delivery, variant, peer } of rows) expect(delivery, `${variant} on ${peer}`).toMatchObject({ lost: 0, doubled: 0, reordered: 0 });
});

test('the committed rows stay within 2 MiB', () => {
  expect(committedFiles().reduce((sum, file) => sum + statSync(file).size, 0)).toBeLessThanOrEqual(2 * 2 ** 20);
});

test('ratios are formed inside each repetition, so that a slow minute of the machine weighs on nobody', () => {
  const rows = both(
    (rep) => 10 * (rep + 1),
    (rep) => 20 * (rep + 1),
  );
  expect(standingOf(pacedOverWs, rows)).toMatchObject({ verdict: 'reached', interval: { median: 0.5, low: 0.5, high: 0.5, of: 6 } });
});

test('a goal that is missed is told as missed', () => {
  const rows = both(
    () => 30,
    () => 20,
  );
  expect(standingOf(pacedOverWs, rows)).toMatchObject({ verdict: 'missed', interval: { median: 1.5 } });
  expect(pageOf(rows)).toContain('| G1 | paced | CPU ÷ ws | ≤ 1.35 | 1.50 | 1.50 … 1.50 | 6 | **missed** |');
});

test('rows that the generator slowed down count for CPU and not for rates', () => {
  const bound = { cpuMs: 1, busyShare: 1, bound: true };
  const rows = REPS.flatMap((rep) =>
    ['spillway', 'ws'].map((peer) => rowOf({ rep, peer, scenario: 'echo', variant: 'echo', ...(peer === 'ws' ? { client: bound } : {}) })),
  );
  const echo = (what: string) => standingOf(GOALS.find((goal) => goal.id === 'G9' && goal.what === what && goal.over === 'ws') as (typeof GOALS)[number], rows);
  expect(echo('CPU')).toMatchObject({ verdict: 'reached' });
  expect(echo('p50')).toBeNull();
});

test('rows from a busy host, and sources that were not committed, are told on the page', () => {
  const host = { loadBefore: 9, stealShare: 0, othersShare: 0.5, busy: true };
  const page = pageOf([rowOf({ host, dirty: true }), rowOf({ rep: 1 })]);
  expect(page).toContain('1 of 2 rows come from a busy host');
  expect(page).toContain('`abcdef012345` with changes that were not committed yet');
  expect(page).toContain('Not measured here: burst8');
});

test('a table names every peer, with the ratio to each', () => {
  const text = table(
    both(
      () => 10,
      () => 20,
    ),
  );
  expect(text).toMatch(/spillway +10\.0/);
  expect(text).toMatch(/ws +20\.0 +0\.50/);
});

test('an unknown name is answered with all that there are', () => {
  expect(() => parseArguments(['nonsense'])).toThrow(/got nonsense\. There are: stream \(paced, burst8, max, overload\).*memory.*smoke or report/);
  expect(() => parseArguments([])).toThrow('Expected what to measure');
  expect(() => parseArguments(['paced', '--peers', 'nobody'])).toThrow('Expected peers among');
  expect(() => parseArguments(['paced', '--reps', '0'])).toThrow('--reps');
  expect(() => parseArguments(['report', 'paced'])).toThrow('Expected report alone');
  expect(parseArguments(['stream', '--peers', 'ws'])).toMatchObject({ command: 'run', peers: ['spillway', 'ws'], reps: 6 });
});
