/** A Redis in trouble, as gateways meet it: every call ends in time, says what happened and what helps, and all goes on when it is over. */

import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import type { SeatLimits, Store } from '../../src/ports/store.ts';
import type { ManagerId, NodeId, UserId } from '../../src/protocol/ids.ts';
import type { RedisStoreOptions } from '../../src/stores/redis/options.ts';
import { redisStore } from '../../src/stores/redis/store.ts';
import { makeCertificates, type RedisServer, redisTool, startRedis, startRedisCluster, startSentinel } from '../support/redis.ts';

const LIMITS: SeatLimits = {
  ...{ soft: 3, hard: 5, burstForMs: 60_000, coolDownMs: 900_000, debtMaxMs: 600_000, places: 2 },
  ...{ waitMs: 10_000, promiseMs: 5_000, ttlMs: 30_000, tombstoneMs: 600_000 },
};
const NODE = 'gw-1' as NodeId;
const ADA = 'ada' as UserId;
/** What is promised, and what a busy machine may add. */
const ANSWERED_WITHIN_MS = 200;
const BUSY_MS = 800;
/** Where time is not what is tested. */
const PATIENT = { deadlineMs: 2_000 };
const BACK_WITHIN_MS = 15_000;

const admit = (store: Store, name: string, user = ADA) =>
  store.seats.admit({ user, manager: name as ManagerId, attach: name, node: NODE, incarnation: 'one', class: 'user', mayBurst: false, limits: LIMITS });

/** How a call failed, and after how long. */
async function failureOf(call: Promise<unknown>): Promise<{ readonly code: string; readonly message: string; readonly afterMs: number }> {
  const started = performance.now();
  try {
    await call;
  } catch (error) {
    const { code, message } = error as { readonly code: string; readonly message: string };
    return { code, message, afterMs: performance.now() - started };
  }
  throw new Error('Expected the call to fail.');
}

/** Resolves when a seat can be had again. */
async function isBack(store: Store, name = 'back'): Promise<void> {
  const deadline = performance.now() + BACK_WITHIN_MS;
  for (;;) {
    try {
      await admit(store, name);
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** Calls until it fails with such a message. */
async function untilFails(store: Store, message: RegExp): Promise<{ readonly code: string; readonly message: string }> {
  const deadline = performance.now() + BACK_WITHIN_MS;
  for (let seen = ''; performance.now() < deadline; await new Promise((resolve) => setTimeout(resolve, 20))) {
    const failed = await failureOf(admit(store, 'x').then(() => Promise.reject(new Error('it worked'))));
    seen = failed.message;
    if (message.test(seen)) return failed;
  }
  throw new Error(`Expected a failure that says ${message}.`);
}

const openTo = (server: RedisServer, more: RedisStoreOptions = PATIENT): Promise<Store> => redisStore({ url: server.url, ...more });

beforeEach((context) => {
  const { missing } = redisTool();
  if (missing !== null) context.skip(missing);
});

// Apart from the others, because it is about time.
it('frozen: every call ends in time and says so, and goes on when it thaws', async () => {
  await using server = await startRedis();
  await using store = await openTo(server, {});
  await isBack(store, 'a');
  server.freeze();
  const leave = async () => store.cluster?.leave({ node: NODE, incarnation: 'x' });
  const calls = [() => admit(store, 'b'), () => store.seats.facts(ADA, LIMITS), leave, () => admit(store, 'b'), () => admit(store, 'b')];
  const failures = [];
  for (const call of calls) failures.push(await failureOf(call()));
  for (const { code, message, afterMs } of failures) {
    expect(code).toBe('SPILLWAY_STORE_UNAVAILABLE');
    expect(message).toMatch(/within 150 ms/);
    expect(afterMs).toBeLessThan(ANSWERED_WITHIN_MS + BUSY_MS);
  }
  expect(Math.min(...failures.map((failure) => failure.afterMs))).toBeLessThan(2 * ANSWERED_WITHIN_MS);
  expect(await store.health()).toMatchObject({ ok: false });
  server.thaw();
  await isBack(store);
  // What was asked meanwhile may have been done: asked again it is the same seat.
  await isBack(store, 'b');
  expect((await store.seats.facts(ADA, LIMITS)).seats.map((seat) => seat.manager).sort()).toEqual(['a', 'b', 'back']);
});

describe.concurrent('a Redis in trouble', () => {
  it('gone: calls fail at once, and go on after a restart with what was on disk', async () => {
    await using server = await startRedis({ appendonly: true });
    await using store = await openTo(server);
    await admit(store, 'a');
    const heard: string[] = [];
    const undo = store.cluster?.receive(NODE, (letter) => heard.push(letter.id));
    await server.kill();
    const { code, message } = await untilFails(store, /could not:/);
    expect(code).toBe('SPILLWAY_STORE_UNAVAILABLE');
    expect(message).toMatch(/See that it runs/);
    await server.start();
    await isBack(store);
    expect((await store.seats.facts(ADA, LIMITS)).seats.map((seat) => seat.manager)).toEqual(['a', 'back']);
    for (let id = 0; heard.length === 0; id++) {
      await store.cluster?.post(NODE, { id: `${id}`, from: { node: NODE, incarnation: 'one' }, kind: 'k', body: '{}' });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    undo?.();
  });

  it('a replica now: says so, and is used again when it leads again', async () => {
    await using server = await startRedis();
    await using store = await openTo(server);
    await admit(store, 'a');
    server.cli('replicaof', '127.0.0.1', '1');
    const { code, message } = await untilFails(store, /READONLY|MASTERDOWN/);
    expect(code).toBe('SPILLWAY_STORE_UNAVAILABLE');
    expect(message).toMatch(/replica/);
    server.cli('replicaof', 'no', 'one');
    await isBack(store);
  });

  it('loading its data: calls fail in time until it has', async () => {
    // 2 ms a command of its file.
    await using server = await startRedis({ appendonly: true, args: ['--key-load-delay', '2000'] });
    await using store = await openTo(server);
    for (let i = 0; i < 20; i++) await admit(store, 'a', `u${i}` as UserId);
    await server.kill();
    const starting = server.start();
    await untilFails(store, /LOADING|could not:/);
    await starting;
    await isBack(store);
    expect((await store.seats.facts('u7' as UserId, LIMITS)).seats).toHaveLength(1);
  });

  it('out of memory: says so, and goes on when it has some', async () => {
    await using server = await startRedis();
    await using store = await openTo(server);
    await admit(store, 'a');
    server.cli('config', 'set', 'maxmemory', '1');
    const { code, message } = await failureOf(admit(store, 'b'));
    expect(code).toBe('SPILLWAY_STORE_UNAVAILABLE');
    expect(message).toMatch(/OOM.*raise maxmemory/);
    expect((await store.health()).detail).toMatch(/maxmemory/);
    server.cli('config', 'set', 'maxmemory', '0');
    await admit(store, 'b');
  });

  it('without its scripts: is given them again, in single calls and in batches', async () => {
    await using server = await startRedis();
    await using store = await openTo(server);
    const seats = await Promise.all(['u1', 'u2', 'u3'].map((user) => admit(store, 'a', user as UserId)));
    server.cli('script', 'flush');
    const batch = seats.flatMap(
      (
        {
          facts: {
            seats: [seat],
          },
        },
        i,
      ) => (seat === undefined ? [] : [{ user: `u${i + 1}` as UserId, digest: seat }]),
    );
    expect(await store.seats.renew(NODE, batch, 30_000)).toEqual([{ is: 'OK' }, { is: 'OK' }, { is: 'OK' }]);
    server.cli('script', 'flush');
    await admit(store, 'b');
  });

  it('empty of a sudden: tokens stay above all earlier ones, and live managers are taken back', async () => {
    await using server = await startRedis();
    await using store = await openTo(server);
    const first = await admit(store, 'a');
    if (first.is !== 'ok') throw new Error('Expected a seat.');
    const card = { node: NODE, incarnation: 'one', version: '0', startedAt: 0, managers: 1, isDraining: false };
    const { epoch } = (await store.cluster?.beat(card, 5_000)) ?? { epoch: '' };
    expect((await store.cluster?.beat(card, 5_000))?.epoch).toBe(epoch);
    server.cli('flushall');
    expect((await store.cluster?.beat(card, 5_000))?.epoch).not.toBe(epoch);
    const [seat] = first.facts.seats;
    if (seat === undefined) throw new Error('Expected a seat.');
    expect(await store.seats.renew(NODE, [{ user: ADA, digest: seat }], 30_000)).toEqual([{ is: 'UNKNOWN' }]);
    const second = await admit(store, 'b');
    expect(second).toMatchObject({ is: 'ok' });
    if (second.is === 'ok') expect(second.token).toBeGreaterThan(first.token);
    expect(await store.seats.adopt(ADA, seat, 30_000)).toEqual({ is: 'OK' });
  });

  it('a cluster without one of its masters: says so in time', async () => {
    await using cluster = await startRedisCluster({ args: ['--cluster-node-timeout', '500'] });
    await using store = await redisStore({ nodes: cluster.nodes });
    await isBack(store, 'a');
    await cluster.masters[0]?.kill();
    for (const user of ['u1', 'u2', 'u3', 'u4', 'u5', 'u6']) {
      const answer = await failureOf(admit(store, 'a', user as UserId).then(() => Promise.reject(new Error('served'))));
      if (answer.message === 'served') continue;
      expect(answer.code).toBe('SPILLWAY_STORE_UNAVAILABLE');
      expect(answer.afterMs).toBeLessThan(ANSWERED_WITHIN_MS + BUSY_MS);
    }
    await cluster.masters[0]?.start();
    await isBack(store);
  });

  it('behind Sentinels: the next primary is found after the first has died', async () => {
    await using primary = await startRedis();
    await using replica = await startRedis({ replicaOf: primary });
    await using sentinel = await startSentinel(primary);
    await until(() => sentinel.cli('sentinel', 'replicas', 'spillway').includes(String(replica.port)));
    await using store = await redisStore({ sentinels: [`127.0.0.1:${sentinel.port}`], ...PATIENT });
    await admit(store, 'a');
    await until(() => primary.cli('wait', '1', '100') === '1');
    await primary.kill();
    expect((await failureOf(admit(store, 'b'))).code).toBe('SPILLWAY_STORE_UNAVAILABLE');
    await isBack(store);
    expect((await store.seats.facts(ADA, LIMITS)).seats.map((seat) => seat.manager)).toEqual(['a', 'back']);
  });
});

describe.concurrent('a Redis that cannot be used', () => {
  const refused = (o: RedisStoreOptions) =>
    failureOf(
      redisStore({ startWithinMs: 3_000, ...PATIENT, ...o }).then(async (store) => {
        await store[Symbol.asyncDispose]();
      }),
    );

  it('throws data away when it is full', async () => {
    await using server = await startRedis({ args: ['--maxmemory-policy', 'allkeys-lru'] });
    const { code, message } = await refused({ url: server.url });
    expect(code).toBe('SPILLWAY_STORE_BROKEN');
    expect(message).toMatch(/expected maxmemory-policy noeviction, but it is allkeys-lru.*CONFIG SET maxmemory-policy noeviction/i);
  });

  it('is a replica', async () => {
    await using primary = await startRedis();
    await using replica = await startRedis({ replicaOf: primary });
    expect(await refused({ url: replica.url })).toMatchObject({
      code: 'SPILLWAY_STORE_BROKEN',
      message: expect.stringMatching(/replica of 127\.0\.0\.1.*Sentinels/),
    });
  });

  it('is a cluster that was given as one server, or the other way round', async () => {
    await using cluster = await startRedisCluster();
    await using single = await startRedis();
    expect((await refused({ url: cluster.masters[0]?.url ?? '' })).message).toMatch(/node of a Redis Cluster.*`nodes`/);
    expect((await refused({ nodes: [`127.0.0.1:${single.port}`] })).message).toMatch(/single server.*`url`/);
  });

  it('is not there', async () => {
    const { code, message, afterMs } = await refused({ url: 'redis://127.0.0.1:1', startWithinMs: 500 });
    expect(code).toBe('SPILLWAY_STORE_UNAVAILABLE');
    expect(message).toMatch(/ECONNREFUSED.*See that it runs/);
    expect(afterMs).toBeLessThan(4_000);
  });

  it('wants another user, or gives ours too few rights', async () => {
    await using server = await startRedis({
      users: [
        'default off',
        'ada on >sec/ret ~sp:* &sp:* +@all -@dangerous +info',
        'bea on >secret ~sp:* &sp:* +@all -xadd -publish',
        'cleo on >secret ~other:* &sp:* +@all',
      ],
    });
    const at = (user: string) => ({ url: `redis://${user}127.0.0.1:${server.port}` });
    const nobody = await refused(at(''));
    expect(nobody.code).toBe('SPILLWAY_STORE_BROKEN');
    expect(nobody.message).toMatch(/NOAUTH.*user and password/);
    const wrong = await refused(at('ada:no@'));
    expect(wrong.code).toBe('SPILLWAY_STORE_BROKEN');
    expect(wrong.message).toMatch(/WRONGPASS/);
    expect(wrong.message).not.toContain('ada:no');
    expect((await refused(at('bea:secret@'))).message).toMatch(/XADD.*PUBLISH.*ACL SETUSER/s);
    expect((await refused(at('cleo:secret@'))).message).toMatch(/ACL SETUSER NAME ~sp:\* &sp:\*/);
    await using byUrl = await redisStore({ ...at('ada:sec%2Fret@'), ...PATIENT });
    await using byOptions = await redisStore({ ...at(''), ...PATIENT, username: 'ada', password: 'sec/ret' });
    await admit(byUrl, 'a');
    expect((await byOptions.seats.facts(ADA, LIMITS)).seats).toHaveLength(1);
  });

  it('speaks TLS with a certificate of an authority that we do not trust', async () => {
    using certificates = makeCertificates();
    await using server = await startRedis({ tls: certificates });
    await using store = await redisStore({ url: server.url, tls: { ca: readFileSync(certificates.authority) }, ...PATIENT });
    await admit(store, 'a');
    const { code, message } = await refused({ url: server.url });
    expect(code).toBe('SPILLWAY_STORE_BROKEN');
    expect(message).toMatch(/certificate/);
  });

  it('is spelled wrongly', async () => {
    for (const [options, expected] of [
      [{}, /exactly one of url, nodes and sentinels.*got 0/],
      [{ url: 'redis://a', nodes: ['b'] }, /got 2/],
      [{ url: 'http://ada:secret@host' }, /redis:\/\/HOST:PORT/],
      [{ url: 'redis://host/sessions' }, /number of a database/],
      [{ nodes: [] }, /at least one address/],
      [{ url: 'redis://host', prefix: 'a b' }, /prefix/],
    ] as const) {
      const { code, message } = await refused(options);
      expect(code).toBe('SPILLWAY_BAD_OPTION');
      expect(message).toMatch(expected);
      expect(message).not.toContain('secret');
    }
  });
});

it('does not take a pause of its own for one of the server', async () => {
  await using server = await startRedis();
  await using store = await openTo(server, {});
  await isBack(store, 'a');
  for (let i = 0; i < 3; i++) {
    const asked = store.seats.facts(ADA, LIMITS);
    const until = performance.now() + 400;
    while (performance.now() < until);
    expect((await asked).seats).toHaveLength(1);
  }
});

async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + BACK_WITHIN_MS;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`Expected it within ${BACK_WITHIN_MS} ms.`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}
