/** A person's own sessions, of which some are on another node. */

import { expect, test } from 'vitest';
import type { ClusterStore } from '../../src/ports/cluster.ts';
import type { Store } from '../../src/ports/store.ts';
import type { SessionInfo } from '../../src/protocol/messages.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { HELLO, startGateway, type TestGateway } from '../support/gateway.ts';
import { bearer, startWithAccounts } from './http-support.ts';

async function until(what: string, holds: () => boolean | Promise<boolean>, withinMs = 5_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`Expected ${what} within ${withinMs} ms.`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
const labelled = (label: string) => ({ client: { ...HELLO.client, label } });
const met = (...gateways: TestGateway[]): Promise<void> =>
  until('that all nodes know each other', () => gateways.every(({ gateway }) => gateway.factory.cluster?.living === gateways.length));
const sessionsOf = async (gw: TestGateway, user = 'ada', headers = {}): Promise<SessionInfo[]> =>
  ((await (await gw.request('GET', '/v1/me/sessions', { user, headers })).json()) as { sessions: SessionInfo[] }).sessions;

/** The same store for a node that reads no letters. */
function deaf(store: Store): Store {
  const get = (target: object, name: PropertyKey): unknown => {
    const value = Reflect.get(target, name) as unknown;
    if (name === 'receive') return () => () => {};
    return typeof value === 'function' ? (value.bind(target) as unknown) : value;
  };
  return { ...store, cluster: store.cluster && new Proxy<ClusterStore>(store.cluster, { get }) };
}

test('are listed from every node, and freed from any: the one that is ended learns from where', async () => {
  const store = memoryStore({ cluster: true });
  await using a = await startGateway({ store, node: 'a' });
  await using b = await startGateway({ store, node: 'b' });
  await met(a, b);
  const laptop = await a.seat('ada', labelled('Laptop'));
  const phone = await b.seat('ada', labelled('Phone'));
  await a.seat('ben');
  const listed = await sessionsOf(b, 'ada', { 'spillway-manager': phone.ready.manager });
  expect(listed.map(({ label, current, verdict, connected, outdated }) => ({ label, current, verdict, connected, outdated }))).toEqual([
    { label: 'Phone', current: true, verdict: 'healthy', connected: true, outdated: undefined },
    { label: 'Laptop', current: false, verdict: 'healthy', connected: true, outdated: undefined },
  ]);
  const headers = { 'spillway-manager': phone.ready.manager };
  expect((await b.request('DELETE', `/v1/me/sessions/${laptop.ready.manager}`, { user: 'ben' })).status).toBe(404);
  const freed = await b.request('DELETE', `/v1/me/sessions/${laptop.ready.manager}`, { user: 'ada', headers });
  expect(await freed.json()).toMatchObject({ freed: [laptop.ready.manager], limits: { used: 1 } });
  expect(await laptop.client.next('bye')).toMatchObject({ code: 4203, text: 'You closed this one from Phone.' });
  await until('that its node has let it go', () => a.gateway.factory.list('ada' as never).length === 0);
  expect((await b.request('DELETE', `/v1/me/sessions/${laptop.ready.manager}`, { user: 'ada', headers })).status).toBe(404);
});

test('on a node that does not answer are listed as they were known last, and can be freed all the same', async () => {
  const store = memoryStore({ cluster: true });
  await using a = await startGateway({ store: deaf(store), node: 'a' });
  await using b = await startGateway({ store, node: 'b' });
  await met(a, b);
  const laptop = await a.seat('ada', labelled('Laptop'));
  const startedAt = performance.now();
  expect(await sessionsOf(b)).toMatchObject([{ id: laptop.ready.manager, label: null, verdict: 'unknown', outdated: true }]);
  expect(performance.now() - startedAt).toBeLessThan(1_000);
  const freed = await b.request('DELETE', `/v1/me/sessions/${laptop.ready.manager}`, { user: 'ada' });
  expect(await freed.json()).toMatchObject({ freed: [laptop.ready.manager], limits: { used: 0 } });
});

test('that are dead on any node are freed at once, and who waits here gets a seat', async () => {
  const store = memoryStore({ cluster: true });
  const options = { timing: 'fast', limits: { perUser: 2, burst: { perUser: 2 } }, cleanup: { proactive: false } } as const;
  await using a = await startGateway({ ...options, store, node: 'a' });
  await using b = await startGateway({ ...options, store, node: 'b' });
  await met(a, b);
  const gone = await a.seat('ada');
  await b.seat('ada');
  await gone.client[Symbol.asyncDispose]();
  await until('that it is seen as gone', async () => (await sessionsOf(b)).some(({ verdict }) => verdict === 'inactive'));
  const answer = await b.request('POST', '/v1/me/sessions/free-unresponsive', { user: 'ada', body: {} });
  expect(await answer.json()).toMatchObject({ freed: [gone.ready.manager], kept: 1, limits: { used: 1 } });
});

test('a waiting tab on one node is seated as soon as a session on another is freed', async () => {
  const store = memoryStore({ cluster: true });
  const options = { limits: { perUser: 2, burst: { perUser: 2 } } };
  await using a = await startGateway({ ...options, store, node: 'a' });
  await using b = await startGateway({ ...options, store, node: 'b' });
  await met(a, b);
  const laptop = await a.seat('ada');
  await a.seat('ada');
  const waiting = await b.open();
  waiting.sendFrame({ ...HELLO, token: await b.token('ada') });
  expect(await waiting.next('queued')).toMatchObject({ position: 1 });
  const startedAt = performance.now();
  expect((await b.request('DELETE', `/v1/me/sessions/${laptop.ready.manager}`, { user: 'ada' })).status).toBe(200);
  await waiting.next('ready');
  expect(performance.now() - startedAt).toBeLessThan(1_000);
});

test('end on all nodes with their log-in, and its access token is void on all of them', async () => {
  const store = memoryStore({ cluster: true });
  await using a = await startWithAccounts({ store, node: 'a' });
  await using b = await startWithAccounts({ store, node: 'b' });
  await met(a.gw, b.gw);
  const leaving = await a.login();
  const staying = await a.login();
  const open = async (token: string) => {
    const client = await b.gw.open();
    client.sendFrame({ ...HELLO, token });
    await client.next('ready');
    return client;
  };
  const [ended, kept] = [await open(leaving.accessToken), await open(staying.accessToken)];
  expect((await a.post('/v1/auth/logout', { refreshToken: leaving.refreshToken })).status).toBe(204);
  expect(await ended.next('bye')).toMatchObject({ code: 4506, name: 'logged-out' });
  const me = (token: string) => fetch(`${b.gw.url}/v1/auth/me`, { headers: bearer(token) });
  await until('that its token is void', async () => (await me(leaving.accessToken)).status === 401);
  expect((await me(staying.accessToken)).status).toBe(200);
  expect(kept.isOpen).toBe(true);
  expect((await a.post('/v1/auth/logout', { refreshToken: staying.refreshToken, everywhere: true })).status).toBe(204);
  expect(await kept.next('bye')).toMatchObject({ code: 4506 });
  await until('that all tokens are void', async () => (await me(staying.accessToken)).status === 401);
});
