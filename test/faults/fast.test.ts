import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tryNeeds } from './needs.ts';
import type { Result } from './row.ts';
import { ROWS } from './rows/index.ts';
import { type Run, runRows } from './runner.ts';

const RUN_MAX_MS = 240_000;
const rows = ROWS.filter(({ fast }) => fast);
const name = ({ key, variant }: Pick<Result, 'key' | 'variant'>): string => (variant === undefined ? key : `${key} at ${variant} seats`);

describe('faults of clients, links and the gateway, ten times as fast', () => {
  const said: string[] = [];
  let folder: string;
  let run: Run;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'spillway-faults-'));
    const found = await tryNeeds(rows, { is: 'shared', reason: 'the fast rows need none' });
    run = await runRows({ rows, timing: 'fast', folder, found, host: '127.0.0.1', repeatsVoid: false, say: (text) => said.push(text) });
  }, RUN_MAX_MS);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  for (const { key, field, by } of rows)
    test(`${key} ${field}: ${by}`, (context) => {
      const results = run.results.filter((result) => result.key === key);
      expect(results.filter(({ outcome }) => outcome === 'failed').map((result) => `${name(result)}: ${result.why}`)).toEqual([]);
      expect(results.length).toBeGreaterThan(0);
      const open = results.filter(({ outcome }) => outcome !== 'passed').map((result) => `${name(result)} is ${result.outcome}: ${result.why}`);
      if (open.length > 0) context.skip(open.join('; '));
    });
});
