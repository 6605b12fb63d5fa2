/** `spillway serve --workers 3`: one machine, one port, and no worker that could not be missed. */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { counted, countingModel, Person, SERVE_ENV } from '../acceptance/drain-scene.ts';
import { freePort, startCli, temporaryFolder } from '../support/cli.ts';
import { until } from '../support/peers/kernel.ts';
import { redisTool, startRedis } from '../support/redis.ts';
import { skipWithout } from '../support/tools.ts';

const PEOPLE = 18;
const COUNT = 40;
const EVERY_MS = 100;
const SECOND = 10;
const BACK_WITHIN_MS = 30_000;

skipWithout(redisTool());

/** Processes that this one has started and that listen for people. */
const workersOf = (pid: number): readonly number[] => readFileSync(`/proc/${pid}/task/${pid}/children`, 'ascii').trim().split(' ').filter(Boolean).map(Number);

test('a worker of three is killed while everybody reads: its answers end visibly, all others go on, and it is back', { timeout: 120_000 }, async () => {
  await using cleanUp = new AsyncDisposableStack();
  const redis = cleanUp.use(await startRedis({ appendonly: true }));
  const folder = cleanUp.use(temporaryFolder());
  const model = cleanUp.use(await countingModel());
  model.goOn();
  const url = `http://127.0.0.1:${await freePort()}`;
  const args = [
    'serve',
    '--listen',
    url.slice('http://'.length),
    '--admin.listen',
    '127.0.0.1:0',
    '--data',
    folder.path,
    '--store',
    redis.url,
    '--workers',
    '3',
    '--node',
    'gw',
  ];
  const server = cleanUp.use(startCli(args, { env: { ...SERVE_ENV, SPILLWAY_AGENT_BASE_URL: model.baseUrl } }));
  await until('three workers to listen', () => (server.stdout() + server.stderr()).split('"event":"listening"').length > 3, BACK_WITHIN_MS);
  const people = Array.from({ length: PEOPLE }, (_, i) => cleanUp.use(new Person(url, `user-${i % 6}`, `thread-${i}`)));
  for (const person of people) person.ask(COUNT, EVERY_MS);
  await until('everybody to read', () => people.every(({ text }) => text.length > 0), BACK_WITHIN_MS);

  const [victim = 0] = workersOf(server.child.pid ?? 0);
  process.kill(victim, 'SIGKILL');
  await until('the end of every answer', () => people.every((person) => person.hasEnded(1)), BACK_WITHIN_MS);
  const ends = people.map(({ runs }) => [...runs.values()][0]);
  for (const [i, run] of ends.entries()) {
    expect(run?.ends).toHaveLength(1);
    expect(counted(COUNT).startsWith(run?.text ?? '?'), `what person ${i} has read`).toBe(true);
    if (run?.ends[0]?.how === 'completed') expect(run.text).toBe(counted(COUNT));
    else expect(run?.ends[0]?.how).toBe('producer_lost');
  }
  const lost = ends.filter((run) => run?.ends[0]?.how === 'producer_lost').length;
  expect(lost, 'answers of the killed worker').toBeGreaterThan(0);
  expect(lost, 'answers of the killed worker').toBeLessThan(PEOPLE);
  await until('another worker in its place', () => workersOf(server.child.pid ?? 0).length === 3, BACK_WITHIN_MS);

  for (const person of people) person.ask(SECOND, EVERY_MS / 2);
  await until('a second answer for everybody', () => people.every((person) => person.hasEnded(2)), BACK_WITHIN_MS);
  for (const person of people) expect([...person.runs.values()][1]).toMatchObject({ text: counted(SECOND), ends: [{ how: 'completed' }] });
  server.child.kill('SIGTERM');
  expect(await server.finished).toMatchObject({ code: 0 });
});
