import { expect, test } from 'vitest';
import { type Allowance, judgeRow, type Observed } from './judge.ts';
import { boundMs, timesOf } from './times.ts';

const passed = { passed: true, why: '' };
const busy = { passed: false, why: 'this process was held up for 3000 ms' };
const T30: Allowance = { expect: { is: 'noticed', bound: 'T30' }, boundMs: 30_000, releaseMs: 1_000, socketReleaseMs: 1_000, ownReconnects: 0 };
const OK0: Allowance = { ...T30, expect: { is: 'left-alone' } };
const found: Observed = {
  client: 'ada',
  noticedMs: 25_000,
  socketReleasedMs: 25_100,
  seatReleasedMs: 25_100,
  wasSelfSlow: false,
  faults: [],
  falselyClosed: [],
  ownReconnects: 0,
  unproved: null,
  broken: [],
};
const close = (whileStalled: boolean) => [{ what: 'closed with 4002', whileStalled }];

test.each<[string, Partial<Observed>, Allowance, string, string]>([
  ['found in time', {}, T30, 'passed', 'passed'],
  ['found late', { noticedMs: 30_001, socketReleasedMs: 30_100, seatReleasedMs: 30_100 }, T30, 'failed', 'void'],
  ['never found', { noticedMs: null }, T30, 'failed', 'failed'],
  ['never found by a gateway that hardly ran', { noticedMs: null, wasSelfSlow: true }, T30, 'failed', 'void'],
  ['its seat kept', { seatReleasedMs: null }, T30, 'failed', 'failed'],
  ['its socket given back late', { socketReleasedMs: 27_000 }, T30, 'failed', 'void'],
  ['something lost', { faults: ['lost: 3'] }, T30, 'failed', 'failed'],
  ['the fault was not in force', { unproved: 'process state S' }, T30, 'void', 'void'],
  ['what its row promises besides was not held', { broken: ['it dialled again too late'] }, T30, 'failed', 'void'],
  ['alive, closed', { falselyClosed: close(false) }, OK0, 'failed', 'failed'],
  ['alive, closed while it was held up itself', { falselyClosed: close(true) }, OK0, 'failed', 'void'],
  ['alive, gone by itself', { ownReconnects: 1 }, OK0, 'failed', 'void'],
  ['alive, left alone', {}, OK0, 'passed', 'passed'],
  ['only reported', { noticedMs: null, falselyClosed: close(false) }, { ...T30, expect: { is: 'info' } }, 'passed', 'passed'],
  ['only reported, but lost', { faults: ['lost: 3'] }, { ...T30, expect: { is: 'info' } }, 'failed', 'failed'],
])('%s', (_what, seen, allowed, quiet, loaded) => {
  const one = { ...found, ...seen };
  expect(judgeRow([found, one], allowed, passed).outcome).toBe(quiet);
  expect(judgeRow([found, one], allowed, busy).outcome).toBe(loaded);
});

test('a frozen application has 80 s up to 70 % of the limit, and 25 s at it', () => {
  const times = timesOf('default');
  expect([0.05, 0.7, 0.85, 1].map((share) => Math.round(boundMs(times, 'A80', share)))).toEqual([80_000, 80_000, 52_500, 25_000]);
  expect(boundMs(timesOf('fast'), 'T30')).toBe(3_500);
});
