import { expect, test } from 'vitest';
import type { DrillRun } from '../admin/index.ts';
import { junit } from './junit.ts';

const RUN: DrillRun = {
  id: 'drl_00000000000000000000',
  name: 'frozen-tabs',
  user: 'drill:a"b',
  count: 20,
  state: 'failed',
  startedAt: Date.UTC(2026, 10, 21, 14),
  endedAt: Date.UTC(2026, 10, 21, 14) + 24_300,
  steps: [{ atMs: 1_500, text: 'a < b & \u001b[31m' }],
  expectations: [
    { text: 'found', ok: true, seen: '20 of 20' },
    { text: 'seated', ok: false, seen: 'after "900" ms' },
    { text: 'whole', ok: null, seen: '' },
  ],
};

test('each expectation is a case: passed, failed with what was seen, or skipped', () => {
  const xml = junit(RUN);
  expect(xml).toContain('tests="3" failures="1" errors="0" skipped="1" time="24.300" timestamp="2026-11-21T14:00:00Z"');
  expect(xml).toContain('name="found" time="24.300"/>');
  expect(xml).toContain('name="seated" time="24.300"><failure message="after &quot;900&quot; ms"/></testcase>');
  expect(xml).toContain('name="whole" time="24.300"><skipped');
});

test('what others wrote cannot break the document', () => {
  expect(junit(RUN)).toContain('1.5 a &lt; b &amp;  [31m');
  expect(junit(RUN)).toContain('value="drill:a&quot;b"');
});

test('a drill that was stopped is a failure even if nothing went wrong until then', () => {
  const xml = junit({ ...RUN, state: 'stopped', expectations: [{ text: 'found', ok: true, seen: '' }] });
  expect(xml).toContain('failures="1"');
  expect(xml).toContain('name="comes to its end" time="24.300"><failure message="stopped"/></testcase>');
});
