import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { VARIANTS } from '../../bench/arguments.ts';
import { committedFiles, root } from '../../bench/results.ts';
import { readRows } from '../../bench/row.ts';
import { run } from '../../bench/run.ts';

test('a run starts every peer afresh, checks every token and leaves a row each', { timeout: 60_000 }, async () => {
  const out = join(tmpdir(), `spillway-bench-test-${process.pid}.jsonl`);
  onTestFinished(() => rmSync(out, { force: true }));
  const contestants = (['spillway', 'ws'] as const).map((kind) => ({ name: kind, kind, root: null }));
  const variants = VARIANTS.filter(({ name }) => name === 'burst8');
  const rows = await run({ variants, contestants, reps: 2, n: 4, seconds: 0.5, out, profiles: null, root, tell: () => {} });
  expect(rows.map(({ peer, rep, place }) => `${peer} ${rep}.${place}`)).toEqual(['spillway 0.0', 'ws 0.1', 'ws 1.0', 'spillway 1.1']);
  for (const row of rows) {
    expect(row.units).toBeGreaterThan(0);
    expect(row.delivery).toMatchObject({ lost: 0, doubled: 0, reordered: 0 });
    expect(row.delivery.checked).toBeGreaterThanOrEqual(row.units);
    expect(row.server.cpuUserMs).toBeGreaterThan(0);
    expect(row.versions).toHaveProperty('node');
  }
  expect(readRows(out)).toEqual(rows);
});

test('no row names a path of the machine it was made on', () => {
  for (const file of committedFiles()) expect(readFileSync(file, 'utf8')).not.toContain(root);
});
