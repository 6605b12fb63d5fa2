/** The checker at work on real clients: a faithful one that is killed loses nothing; one that acknowledges before it applies is found. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { startGateway, type TestGateway } from '../gateway.ts';
import { check, faultsOf } from './checker.ts';
import { readLog } from './logged.ts';
import { asking, numberedAgent } from './numbered-agent.ts';
import { readLines } from './read-lines.ts';
import { RecordingClient } from './recording-client.ts';
import type { Attempted, Findings, Line } from './records.ts';

const folder = mkdtempSync(join(tmpdir(), 'spillway-recording-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const COUNT = 120;

async function judged(gw: TestGateway, user: string, file: string, attempted: readonly Attempted[]): Promise<Findings> {
  const logged = await readLog({ url: gw.url, token: await gw.token(user), thread: 't' });
  return check({ user, logged, lines: readLines<Line>(file), attempted: attempted.filter((line) => line.user === user) });
}

test('a client that is stopped and killed in the middle, and comes back from its file, has applied the log', async () => {
  const attempted: Attempted[] = [];
  await using gw = await startGateway({ agent: numberedAgent({ attempted: (line) => attempted.push(line) }) });
  const file = join(folder, 'faithful.jsonl');
  await using client = await RecordingClient.open({ url: gw.wsUrl, tokens: [await gw.token('ada')], thread: 't', file, drawer: join(folder, 'drawer.json') });
  const { manager } = client;
  client.send(asking({ count: COUNT, perSecond: 100, bytes: 200 }));
  await client.reaches('acked', 20);
  client.process.signal('SIGSTOP');
  await new Promise((resolve) => setTimeout(resolve, 200));
  await client.restart();
  expect(client.manager).toBe(manager);
  await client.reaches('applied', 60);
  await client.restart();
  await client.said('run-ended', ({ status }) => status === 'completed');
  const findings = await judged(gw, 'ada', file, attempted);
  expect(faultsOf(findings)).toEqual([]);
  expect(findings.checked).toBe(COUNT);
  expect(new Set([...readLines<Line>(file)].map(({ life }) => life))).toEqual(new Set([1, 2, 3]));
  expect([...readLines<Line>(file)].some(({ is }) => is === 'ack')).toBe(true);
});

test('a client that acknowledges before it applies, and is killed, is found: acknowledged but unseen, and lost', async () => {
  const attempted: Attempted[] = [];
  await using gw = await startGateway({ agent: numberedAgent({ attempted: (line) => attempted.push(line) }) });
  const file = join(folder, 'careless.jsonl');
  await using client = await RecordingClient.open({ url: gw.wsUrl, tokens: [await gw.token('bob')], thread: 't', file, careless: { applyAfterMs: 30 } });
  // So many that it is killed long before the end, whatever it has acknowledged by then.
  client.send(asking({ perSecond: 100, plainEvery: 2 }));
  await client.reaches('applied', 20);
  await client.restart();
  await client.reaches('applied', attempted.length + 1);
  client.cancel();
  await client.said('run-ended', ({ status }) => status === 'cancelled');
  const findings = await judged(gw, 'bob', file, attempted);
  expect(findings.lost.length).toBeGreaterThan(0);
  expect(findings.ackedUnseen.length).toBeGreaterThan(0);
  expect(findings).toMatchObject({ doubled: [], reordered: [], phantom: [], altered: [], foreign: [], unlogged: [], declared: [] });
});
