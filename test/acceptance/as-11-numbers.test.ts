/** AS-11, true numbers: people do all that they do to a gateway, over real sockets, while one page freezes, sockets are cut and a lock stalls
 *  the store. Then everybody who counts says what they counted: the clients, the kernel, the metrics, the admin API and the log. No figure
 *  differs. */

import { setTimeout as delay } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import { SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { createAdminClient } from '../../src/admin/index.ts';
import { startCli, temporaryFolder } from '../support/cli.ts';
import { differences, Exposition, type Facts } from '../support/figures.ts';
import { until } from '../support/peers/kernel.ts';
import { Witness } from '../support/witness.ts';
import { facts, type LogLine, type Scene } from './as-11-facts.ts';

const SECRET = 'a-secret-of-the-issuer-32-bytes-long';
const KEY = 'key-of-the-operators';
const PER_USER = 4;
const BURST = 5;
const SETTLED_WITHIN_MS = 6_000;
const QUESTION = 'What is 15% of 80?';
const LOCKED_MS = 800;

const FLAGS = [
  ...['serve', '--listen', '127.0.0.1:0', '--admin.listen', '127.0.0.1:0', '--timing', 'fast', '--golden-path.every-ms', '0'],
  ...['--logging.format', 'json', '--logging.level', 'debug', '--limits.per-user', String(PER_USER), '--limits.burst.per-user', String(BURST)],
  ...['--queue.places', '2', '--queue.wait-ms', '1500'],
];

const keep = (scene: Scene, witness: Witness): Witness => {
  scene.all.push(witness);
  return witness;
};
const seat = async (scene: Scene, user: string, more: object = {}): Promise<Witness> =>
  keep(scene, await Witness.seat(scene.url, user, await scene.token(user), more));

/** Waits until a question has its whole answer in everybody who follows it. */
async function answered(asker: Witness, followers: readonly Witness[], thread: string, id: string): Promise<void> {
  asker.ask(thread, id, QUESTION);
  await until(
    'an answer',
    () => followers.every((one) => one.wire.frames.some(({ type, ack, kind }) => type === 'event' && ack === true && kind !== 'message')),
    15_000,
  );
}

/** One of four pages freezes in the middle of a conversation; the others go on, and a fifth comes. */
async function freezes(scene: Scene): Promise<void> {
  const pages = [];
  for (let i = 0; i < PER_USER; i++) pages.push(await seat(scene, 'u1'));
  for (const page of pages) await page.follow('t');
  const [first, last] = [pages[0] as Witness, pages.at(-1) as Witness];
  last.freeze();
  await answered(first, pages.slice(0, -1), 't', 'q1');
  await until('the frozen page to be sent away', () => last.code !== null, 15_000);
  await (await seat(scene, 'u1')).follow('t');
}

/** Six come where there is room for four and a burst of one: the sixth and seventh wait, the eighth is told a time. */
async function waits(scene: Scene): Promise<void> {
  const pages = [];
  for (let i = 0; i < BURST; i++) pages.push(await seat(scene, 'u2'));
  const token = await scene.token('u2');
  const waiting = [];
  for (let i = 0; i < 2; i++) {
    const one = keep(scene, await Witness.greet(scene.url, 'u2', token));
    await one.wire.next('queued');
    waiting.push(one);
  }
  const told = keep(scene, await Witness.greet(scene.url, 'u2', token));
  await told.wire.closed;
  // One leaves the queue, somebody takes the place, and one leaves a seat: whoever waits gets it; the other one is seated by Force.
  await waiting.pop()?.leave();
  const next = keep(scene, await Witness.greet(scene.url, 'u2', token));
  await next.wire.next('queued');
  await pages[0]?.leave();
  await Promise.all([...waiting, next].map((one) => one.wire.nextWhere('a seat', ({ type }) => type === 'ready').catch(() => null)));
  expect([...waiting, next].every(({ ready }) => ready !== null)).toBe(true);
}

/** Cut in two ways and back with what it had, asked twice under one id, and gone. */
async function comesAndGoes(scene: Scene): Promise<void> {
  const first = await seat(scene, 'u3');
  await first.follow('t');
  await answered(first, [first], 't', 'q1');
  await until('the answer to be acknowledged', () => first.acked === first.live);
  first.wire.reset();
  await first.wire.closed;
  const resume = { manager: first.ready?.manager, token: first.ready?.resumeToken, subs: [first.position()] };
  const second = await seat(scene, 'u3', { resume });
  await second.wire.next('replayed');
  second.ask('t', 'q1', QUESTION);
  await second.wire.next('run-accepted');
  for (let i = 0; i < 3; i++) await (await seat(scene, 'u3')).leave();
  await second.leave();
}

/** Two who are not let in. */
async function strangers(scene: Scene): Promise<void> {
  const forged = keep(scene, await Witness.greet(scene.url, 'nobody', 'not.a.token'));
  const silent = keep(scene, await Witness.dial(scene.url, 'nobody'));
  await Promise.all([forged.wire.closed, silent.wire.closed]);
}

/** Somebody holds the write lock of the store while a question is answered. */
async function stalls(scene: Scene): Promise<void> {
  const page = await seat(scene, 'u4');
  await page.follow('t');
  page.ask('t', 'q1', QUESTION);
  await page.wire.next('run-accepted');
  const database = new Sqlite(scene.storeFile, { timeout: 5_000 });
  try {
    database.exec('BEGIN IMMEDIATE');
    await seat(scene, 'u4');
    await delay(LOCKED_MS);
  } finally {
    database.exec('ROLLBACK');
    database.close();
  }
  await until('the answer', () => page.wire.frames.some(({ type, data }) => type === 'event' && JSON.stringify(data).includes('agent_completed')), 15_000);
}

/** Waits until all sources agree, gives what they say then, and throws what still differs. */
async function agreed(scene: Scene): Promise<Facts> {
  let seen: Facts = {};
  const look = async (): Promise<boolean> => {
    seen = await facts(scene);
    return Object.keys(differences(seen)).length === 0;
  };
  await until('figures that agree', look, SETTLED_WITHIN_MS, 200).catch(() => {});
  expect(differences(seen), 'figures that differ').toEqual({});
  return seen;
}

test('AS-11 clients, kernel, metrics, admin API and log have counted the same', { timeout: 60_000 }, async () => {
  using folder = temporaryFolder();
  const storeFile = `${folder.path}/store.sqlite`;
  await using gateway = startCli([...FLAGS, '--data', folder.path, '--store', `sqlite:${storeFile}`], {
    cwd: folder.path,
    env: { SPILLWAY_AUTH_JWT_SECRET: SECRET, SPILLWAY_AUTH_ORIGINS: 'https://chat.example', SPILLWAY_ADMIN_TOKEN: KEY },
  });
  const [, url = '', adminUrl = ''] = await gateway.until(/"event":"listening","url":"(http:[^"]+)","admin":"(http:[^"]+)"/);
  const scene: Scene = {
    url: `${url.replace('http', 'ws')}/v1/ws`,
    port: Number(new URL(url).port),
    pid: gateway.child.pid ?? 0,
    admin: createAdminClient({ url: adminUrl, key: KEY }),
    storeFile,
    all: [],
    token: (user) =>
      new SignJWT({}).setProtectedHeader({ alg: 'HS256' }).setSubject(user).setIssuedAt().setExpirationTime('10m').sign(new TextEncoder().encode(SECRET)),
    log: () =>
      gateway
        .stdout()
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as LogLine),
  };

  await Promise.all([freezes(scene), waits(scene), comesAndGoes(scene), strangers(scene), stalls(scene)]);
  const during = await agreed(scene);
  // What did not happen proves nothing.
  const happened = ['queued', 'resumed', 'asked twice', 'bursts granted', 'zombies', 'told a time'].map((fact) => [fact, during[fact]?.clients]);
  expect(Object.fromEntries(happened)).toEqual({ queued: 3, resumed: 'attached 1', 'asked twice': 1, 'bursts granted': 1, zombies: 1, 'told a time': 1 });
  expect((await scene.admin.consistency()).differences).toEqual([]);

  // Nobody is left, and nothing moves any more: what was asked all the time can be counted now.
  await Promise.all(scene.all.filter(({ code }) => code === null).map((one) => one.leave()));
  const after = await agreed(scene);
  expect([after.seats?.clients, after['sockets open']?.kernel]).toEqual([0, 0]);
  const probes = {
    clients: scene.all.reduce((sum, { probesAnswered }) => sum + probesAnswered, 0),
    metrics: new Exposition(await scene.admin.metrics()).sum('probes_total', { result: 'answered' }),
  };
  expect(probes.metrics, 'probes answered').toBe(probes.clients);
  expect(probes.clients).toBeGreaterThan(0);
  if (process.env.SPILLWAY_TELL === '1') process.stdout.write(`${JSON.stringify({ during, after, probes }, null, 1)}\n`);
});
