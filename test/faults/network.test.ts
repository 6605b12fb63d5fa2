import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { Result } from './row.ts';

const PROGRAM = new URL('./network-smoke.ts', import.meta.url).pathname;
const WITHIN_MS = 90_000;

test(
  'F03b, a silent firewall in a network namespace: noticed in time, nothing lost',
  async ({ skip }) => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', PROGRAM], { timeout: WITHIN_MS });
    const result = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Result;
    if (result.outcome === 'skipped' || result.outcome === 'void') skip(`F03b is ${result.outcome}: ${result.why}`);
    expect(result).toMatchObject({ outcome: 'passed', falselyClosed: 0, lossless: { lost: 0, doubled: 0, reordered: 0, others: 0 } });
    expect(result.lossless?.checked).toBeGreaterThan(0);
  },
  WITHIN_MS + 10_000,
);
