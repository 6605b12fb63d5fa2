import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { sqliteStore } from '../../src/stores/sqlite/store.ts';
import { crashData, crashKey, crashRun } from '../contracts/crash-data.ts';

const CHILD = fileURLToPath(new URL('../contracts/append-child.ts', import.meta.url));
const STREAMS = 8;
const ROUNDS = 8;

const folder = mkdtempSync(join(tmpdir(), 'spillway-crash-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Lets a process append until it has confirmed `lines` batches, kills it with SIGKILL, and returns what it confirmed last. */
async function appendUntilKilled(file: string, lines: number): Promise<readonly number[]> {
  const child = spawn(process.execPath, [CHILD, file, `${STREAMS}`], { stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const ended = new Promise<NodeJS.Signals | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (_code, signal) => resolve(signal));
  });
  const confirmed: (readonly number[])[] = [];
  // What the pipe still holds after the kill was confirmed too.
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.endsWith(']')) continue; // Cut by the kill.
    confirmed.push(JSON.parse(line) as readonly number[]);
    // At any moment of what it does between two confirmations.
    if (confirmed.length === lines) setTimeout(() => child.kill('SIGKILL'), Math.random() * 4);
  }
  expect(await ended, errors).toBe('SIGKILL');
  return confirmed.at(-1) ?? [];
}

describe('a process killed with -9 in the middle of its batches', () => {
  it('has lost nothing that was confirmed; no log has a hole, entries and records agree', async () => {
    const file = join(folder, 'killed.sqlite');
    let tokens = 0;
    for (let round = 1; round <= ROUNDS; round++) {
      const confirmed = await appendUntilKilled(file, 1 + Math.floor(Math.random() * 60));
      await using store = await sqliteStore({ file });
      for (let i = 0; i < STREAMS; i++) {
        const key = crashKey(i);
        const { state, messages } = (await store.threads.snapshot(key, 1, null)) ?? { state: null, messages: [] };
        expect(state?.head).toBeGreaterThanOrEqual(confirmed[i] ?? Number.POSITIVE_INFINITY);
        const entries = await store.log.read(key, 1, Number.MAX_SAFE_INTEGER);
        expect(entries.map((e) => e.offset)).toEqual(Array.from({ length: state?.head ?? 0 }, (_, n) => n + 1));
        expect(entries.every((e) => e.data === crashData(i, e.offset))).toBe(true);
        expect((await store.threads.findRun(key.user, crashRun(i)))?.lastOffset).toBe(state?.head);
        expect(messages[0]?.offset).toBe(state?.head);
      }
      const { token } = await store.log.claim(crashKey(0));
      expect(token).toBeGreaterThan(tokens);
      tokens = token;
    }
  }, 120_000);
});
