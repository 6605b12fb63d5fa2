/** A stranger follows docs/twenty-first-tab.md: the scripts of the walkthrough, against the real program. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { type RunningCli, startCli, temporaryFolder } from '../support/cli.ts';

const WALK = fileURLToPath(new URL('../../examples/twenty-first-tab/run.mjs', import.meta.url));
/** Twenty-one processes start on a small machine. */
const WITHIN_MS = 90_000;

interface Ground {
  readonly dev: RunningCli;
  readonly addresses: readonly string[];
  readonly admin: string;
  readonly key: string;
}

async function startDev(folder: string, ...flags: string[]): Promise<Ground & AsyncDisposable> {
  const args = ['dev', '--no-open', '--port', '0', '--timing', 'fast', '--logging.format', 'json', ...flags];
  const dev = startCli(args, { cwd: folder });
  const [, port, admin] = await dev.until(/ws:\/\/127\.0\.0\.1:(\d+)\/v1\/ws[\s\S]*Admin +(http:\S+)\/admin\/api\/v1/);
  const keyFile = join(folder, '.spillway', 'admin-key');
  const addresses = ['--url', `http://127.0.0.1:${port}`, '--admin', admin ?? '', '--key-file', keyFile];
  return { dev, addresses, admin: admin ?? '', key: readFileSync(keyFile, 'utf8').trim(), [Symbol.asyncDispose]: () => dev[Symbol.asyncDispose]() };
}

/** The walk under way, and everything it has said. */
function walk(args: readonly string[]): { readonly child: ChildProcess; said(): string; until(pattern: RegExp): Promise<void> } & AsyncDisposable {
  const child = spawn(process.execPath, [WALK, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  const closed = once(child, 'close');
  return {
    child,
    said: () => said,
    async until(pattern) {
      await expect.poll(() => said, { timeout: WITHIN_MS, interval: 50 }).toMatch(pattern);
    },
    async [Symbol.asyncDispose]() {
      // It closes its tabs; killed at once it could not.
      if (child.exitCode === null) child.kill('SIGTERM');
      await closed;
    },
  };
}

/** Lines of one of the printed tables: those that name a tab. */
const rowsAfter = (said: string, head: string): string[] =>
  (said.split(new RegExp(`^ *${head} `, 'm'))[1]?.split('\n\n')[0] ?? '').split('\n').filter((line) => /^ *tab \d+ /.test(line));

/** How many sockets are open, by the gateway's own count. */
async function socketsAt({ admin, key }: Ground): Promise<number> {
  const response = await fetch(`${admin}/admin/api/v1/status`, { headers: { authorization: `Bearer ${key}` } });
  return ((await response.json()) as { sockets: number }).sockets;
}

test('with cleanup on demand, the twenty-first tab is seated, and five reasons to go and fifteen to stay are told alike everywhere', {
  timeout: 150_000,
}, async () => {
  using folder = temporaryFolder();
  await using ground = await startDev(folder.path, '--cleanup.proactive=false');
  await using walking = walk([...ground.addresses, '--once']);
  await walking.until(/The same with curl/);
  const said = walking.said();
  expect(said).toContain('20 of 20 seats are taken');
  expect(said).toMatch(/The 21st tab connected: seat "soft", after \d+ ms\./);
  expect(said).toMatch(/: trigger admission, 20 seats before, 15 after, \d+ ms, enough/);
  expect(rowsAfter(said, 'WENT').map((row) => row.trim().split(/ {2,}/)[0])).toEqual(
    expect.arrayContaining(['tab 16', 'tab 17', 'tab 18', 'tab 19', 'tab 20']),
  );
  expect(rowsAfter(said, 'WENT')).toHaveLength(5);
  expect(rowsAfter(said, 'STAYED')).toHaveLength(15);

  const run = /cln_\w+/.exec(said)?.[0];
  const record = ground.dev
    .stdout()
    .split('\n')
    .filter((line) => line.includes('"event":"cleanup-finished"'))
    .map((line) => (JSON.parse(line) as { cleanup: { run: string; victims: unknown[]; kept: { because: string; text: string }[] } }).cleanup)
    .find((cleanup) => cleanup.run === run);
  expect(record?.victims).toHaveLength(5);
  expect(record?.kept).toHaveLength(15);
  expect(record?.kept.every(({ because, text }) => because !== '' && text !== '')).toBe(true);
});

test('with cleanup ahead of need, nobody has to wait for a cleanup, and Ctrl-C leaves nothing behind', { timeout: 150_000 }, async () => {
  using folder = temporaryFolder();
  await using ground = await startDev(folder.path);
  await using walking = walk(ground.addresses);
  await walking.until(/Ctrl-C closes them/);
  const said = walking.said();
  expect(said).toMatch(/The 21st tab connected: seat "soft"/);
  expect(said).toMatch(/: trigger proactive, | is inactive and nobody needed its seat; level conservative would take it/);
  expect(await socketsAt(ground)).toBe(16);
  walking.child.kill('SIGINT');
  await once(walking.child, 'close');
  expect(walking.child.exitCode).toBe(0);
  await expect.poll(() => socketsAt(ground), { timeout: 5_000 }).toBe(0);
});
