/** Runs of threads that several nodes serve: each thread's are at one node, and whoever asks elsewhere notices nothing of it. */

import { describe, expect, test } from 'vitest';
import { createGateway } from '../../src/gateway/gateway.ts';
import type { ThreadId, UserId } from '../../src/protocol/ids.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { FaultyStore } from '../support/faulty-store.ts';
import { HELLO } from '../support/gateway.ts';
import { type MemoryNode, StoreCable, startNodes } from '../support/memory-nodes.ts';
import { ScriptedAgent } from '../support/scripted-agent.ts';
import type { WireClient, WireFrame } from '../support/wire-client.ts';

const isEnd = (f: WireFrame): boolean => f.type === 'event' && (f.data.type === 'agent_completed' || f.data.type === 'agent_error');
const ask = (client: WireClient, id: string, text = id): void => client.sendFrame({ type: 'send', id, thread: 't', data: { text } });

async function follower(node: MemoryNode, user = 'ada'): Promise<WireClient> {
  const { client } = await node.seat(user);
  client.behave();
  client.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
  await client.next('subscribed');
  return client;
}

const eventsOf = (client: WireClient): readonly WireFrame[] => client.frames.filter((f) => f.type === 'event');

/** Offsets without a hole, a double or a step back, one start and one end for each run, and each acceptance before its events. */
function expectWhole(client: WireClient): void {
  let last = 0;
  for (const f of eventsOf(client)) {
    expect(f.from ?? f.offset).toBe(last + 1);
    last = f.offset;
  }
  expect(client.frames.filter((f) => f.type === 'gap')).toEqual([]);
  for (const [at, f] of client.frames.entries()) {
    if (f.type !== 'run-accepted' || f.duplicate !== false) continue;
    const first = client.frames.findIndex(
      (e) => e.type === 'event' && [e.data].flat().some((d: { run_id?: string; run?: string }) => (d.run_id ?? d.run) === f.run),
    );
    expect(first === -1 || first > at).toBe(true);
  }
}

/** Events as the log has them, one by one. */
const typesOf = (client: WireClient): readonly string[] =>
  eventsOf(client).flatMap((f) => (f.kind === 'message' ? ['message'] : [f.data].flat().map((d: { type: string; code?: string }) => d.code ?? d.type)));

describe.concurrent('a thread', () => {
  test('in which one node answers is asked and cancelled at another: the node that answers does it', async () => {
    const agents = [new ScriptedAgent(), new ScriptedAgent()] as const;
    await using cluster = await startNodes(2, (i) => ({ agent: agents[i] as ScriptedAgent }));
    const [a, b] = cluster.nodes as [MemoryNode, MemoryNode];
    const [atA, atB] = [await follower(a), await follower(b)];
    ask(atA, 'a');
    const run = await agents[0].nextRun();
    run.start().text('one ');
    await atB.nextWhere('the first word at the other node', (f) => f.type === 'event' && f.data.text === 'one ');
    ask(atB, 'b');
    expect(await atB.next('run-accepted')).toMatchObject({ id: 'b', state: 'queued', duplicate: false });
    ask(atB, 'b');
    expect(await atB.next('run-accepted')).toMatchObject({ id: 'b', duplicate: true });
    run.text('two ').complete();
    const second = await agents[0].nextRun();
    second.start().text('three ');
    const said = await atB.nextWhere('a word of the second', (f) => f.type === 'event' && f.data.text === 'three ');
    atB.sendFrame({ type: 'cancel', run: said.data.run_id });
    expect(await atB.next('cancelled')).toMatchObject({ state: 'cancelling' });
    for (const client of [atA, atB]) await client.nextWhere('the end', (f) => isEnd(f) && f.data.status === 'cancelled');
    expectWhole(atA);
    expectWhole(atB);
    expect(typesOf(atA)).toEqual(typesOf(atB));
    expect(agents[1].runs).toEqual([]);
    // Nobody has it now: whoever is asked next does.
    ask(atB, 'c');
    (await agents[1].nextRun()).start().complete();
    for (const client of [atA, atB]) await client.nextWhere('the end of c', (f) => isEnd(f) && f.offset > 10);
    ask(atA, 'd');
    (await agents[0].nextRun()).start().complete();
    for (const client of [atA, atB]) await client.nextWhere('the end of d', (f) => isEnd(f) && f.offset > 13);
    expectWhole(atA);
    expectWhole(atB);
  });

  test('asked at three nodes at once, most of it several times: one run at a time, each message once', { timeout: 60_000 }, async () => {
    let running = 0;
    let most = 0;
    const agent = async function* () {
      most = Math.max(most, ++running);
      yield { type: 'agent_started', agent_name: 'counting' } as const;
      await new Promise((resolve) => setImmediate(resolve));
      yield { type: 'text_delta', text: 'word' } as const;
      running--;
      yield { type: 'agent_completed', status: 'completed' } as const;
    };
    await using cluster = await startNodes(3, () => ({ agent, run: { waiting: 200 }, rate: { framesPer10s: 1_000, closeFramesPer10s: 5_000 } }));
    const clients = await Promise.all(cluster.nodes.flatMap((node) => [follower(node), follower(node)]));
    for (let i = 0; i < 30; i++) for (const client of clients) ask(client, `m${i}`);
    for (const client of clients) {
      while (client.frames.filter((f) => f.type === 'run-accepted').length < 30) await client.nextWhere('accepted', (f) => f.type === 'run-accepted');
      while (eventsOf(client).filter(isEnd).length < 30) await client.nextWhere('an end', isEnd);
    }
    expect(most).toBe(1);
    for (const client of clients) {
      expectWhole(client);
      expect(client.frames.filter((f) => f.type === 'error')).toEqual([]);
      expect(typesOf(client).filter((type) => type === 'message')).toHaveLength(30);
      expect(eventsOf(client).filter(isEnd)).toHaveLength(30);
    }
    const accepted = new Set(clients.flatMap((c) => c.frames.filter((f) => f.type === 'run-accepted').map((f) => f.run)));
    expect(accepted.size).toBe(30);
  });

  test('whose node dies in the middle: what was said, one end, and the rest has its turn elsewhere', { timeout: 60_000 }, async () => {
    const [dying, others] = [new ScriptedAgent(), new ScriptedAgent()];
    await using cluster = await startNodes(3, (i) => ({ agent: i === 0 ? dying : others }));
    const [a, b, c] = cluster.nodes as [MemoryNode, MemoryNode, MemoryNode];
    const [atA, atB, atC] = [await follower(a), await follower(b), await follower(c)];
    ask(atA, 'a');
    const run = await dying.nextRun();
    run.start().text('one ', 'two ');
    await atB.nextWhere('the second word', (f) => f.type === 'event' && JSON.stringify(f.data).includes('two '));
    ask(atB, 'b');
    await atB.next('run-accepted');
    const startedAt = performance.now();
    await a.cable.die();
    run.text('nobody hears this');
    // Asked while nobody knows yet that it is dead: the person waits, and is not refused.
    ask(atC, 'c');
    const next = await others.nextRun(15_000);
    next.start().text('three ').complete();
    expect(performance.now() - startedAt).toBeLessThan(15_000);
    expect(await atC.nextWhere('c', (f) => f.type === 'run-accepted')).toMatchObject({ id: 'c', duplicate: false });
    const last = await others.nextRun();
    last.start().complete();
    for (const client of [atB, atC]) while (eventsOf(client).filter(isEnd).length < 3) await client.nextWhere('an end', isEnd);
    expect(typesOf(atB).filter((type) => type === 'producer_lost')).toHaveLength(1);
    expectWhole(atB);
    expectWhole(atC);
    // It comes back, with words that nobody asked for any more.
    a.cable.mend();
    for (const client of [atA]) while (eventsOf(client).filter(isEnd).length < 3) await client.nextWhere('an end', isEnd);
    expectWhole(atA);
    expect(JSON.stringify(atA.frames)).not.toContain('nobody hears');
    expect(await cluster.store.threads.openRuns(null)).toEqual([]);
    for (const { error } of [atB, atC].flatMap((client) => client.frames.filter((f) => f.type === 'error'))) expect(error).toBe(null);
  });

  test('whose node is drained: what runs ends there, what waits is answered by another one', async () => {
    const agents = [new ScriptedAgent(), new ScriptedAgent()] as const;
    await using cluster = await startNodes(2, (i) => ({ agent: agents[i] as ScriptedAgent, shutdown: { predelayMs: 0, spreadMs: 0 } }));
    const [a, b] = cluster.nodes as [MemoryNode, MemoryNode];
    const [atA, atB] = [await follower(a), await follower(b)];
    ask(atA, 'a');
    const run = await agents[0].nextRun();
    run.start();
    await atB.nextWhere('its start', (f) => f.type === 'event' && f.data.type === 'agent_started');
    ask(atA, 'b');
    await atA.nextWhere('b', (f) => f.type === 'run-accepted' && f.id === 'b');
    const drained = a.gateway.drain({ withinMs: 20_000 });
    expect(await atA.next('bye')).toMatchObject({ code: 4001 });
    // Also what comes now waits for a node that goes on.
    ask(atB, 'c');
    expect(await atB.next('run-accepted')).toMatchObject({ id: 'c', state: 'queued' });
    run.text('to the end').complete();
    for (const _ of ['b', 'c']) (await agents[1].nextRun()).start().complete();
    await drained;
    while (eventsOf(atB).filter(isEnd).length < 3) await atB.nextWhere('an end', isEnd);
    expect(typesOf(atB)).not.toContain('producer_lost');
    expectWhole(atB);
  });

  test('is followed live at a node that gets no hints', async () => {
    const agent = new ScriptedAgent();
    await using cluster = await startNodes(1, () => ({ agent }));
    const [a] = cluster.nodes as [MemoryNode];
    const b = await cluster.start({ node: 'gw-2', agent }, new StoreCable(cluster.store, { isDeaf: true }));
    const [atA, atB] = [await follower(a), await follower(b)];
    ask(atA, 'a');
    const run = await agent.nextRun();
    run.start().text('one ');
    await atB.nextWhere('the word', (f) => f.type === 'event' && f.data.text === 'one ');
    run.complete();
    await atB.nextWhere('the end', isEnd);
    expectWhole(atB);
  });

  test('takes events of the application at any node, and refuses what it refuses everywhere', async () => {
    const agent = new ScriptedAgent();
    await using cluster = await startNodes(2, () => ({ agent }));
    const [a, b] = cluster.nodes as [MemoryNode, MemoryNode];
    const atA = await follower(a);
    ask(atA, 'a');
    const run = await agent.nextRun();
    run.start();
    await atA.nextWhere('its start', (f) => f.type === 'event' && f.data.type === 'agent_started');
    const [user, thread] = ['ada' as UserId, 't' as ThreadId];
    const { offset } = await b.gateway.publish(user, thread, { type: 'text_delta', text: 'by the way ' });
    const told = await atA.nextWhere('it', (f) => f.type === 'event' && f.data.text === 'by the way ');
    expect([told.offset, told.data.run_id]).toEqual([offset, run.asked.runId]);
    await expect(b.gateway.publish(user, thread, { type: 'agent_completed', status: 'completed' })).rejects.toThrow(/its agent begins and ends it/);
    run.complete();
    await atA.nextWhere('the end', isEnd);
    expectWhole(atA);
  });

  test('shows a message to nobody before its sender was told that it is accepted, however late letters come', async () => {
    const agent = new ScriptedAgent();
    await using cluster = await startNodes(1, () => ({ agent }));
    const [a] = cluster.nodes as [MemoryNode];
    const b = await cluster.start({ node: 'gw-2', agent }, new StoreCable(cluster.store, { lettersLateMs: 300 }));
    const [atA, atB] = [await follower(a), await follower(b)];
    ask(atA, 'a');
    const run = await agent.nextRun();
    run.start();
    await atB.nextWhere('its start', (f) => f.type === 'event' && f.data.type === 'agent_started');
    ask(atB, 'b');
    const { run: asked } = await atB.next('run-accepted');
    const of = (f: WireFrame): boolean => f.type === 'event' && f.kind === 'message' && f.data.run === asked;
    await atA.nextWhere('the message at the node that has it', of);
    await atB.nextWhere('the message', of);
    run.complete();
    (await agent.nextRun()).start().complete();
    for (const client of [atA, atB]) while (eventsOf(client).filter(isEnd).length < 2) await client.nextWhere('an end', isEnd);
    expectWhole(atB);
    expect(atB.frames.filter((f) => f.type === 'run-accepted')).toHaveLength(1);
  });

  test('that another node takes over while a message is on its way to it: the message arrives all the same', async () => {
    const agent = new ScriptedAgent();
    await using cluster = await startNodes(1, () => ({ agent }));
    const [a] = cluster.nodes as [MemoryNode];
    const slow = new FaultyStore(cluster.store);
    const b = await cluster.start({ node: 'gw-2', agent, store: slow });
    for (const call of ['threads.findSend', 'log.append'] as const) {
      const client = await follower(b);
      const other = await follower(a);
      const held = slow.hold(call);
      ask(client, call);
      await held.reached;
      ask(other, `${call} elsewhere`);
      (await agent.nextRun()).start().complete();
      await other.nextWhere('its end', isEnd);
      slow.heal(call);
      held.release();
      expect(await client.nextWhere('accepted', (f) => f.type === 'run-accepted' || f.type === 'error')).toMatchObject({ type: 'run-accepted', id: call });
      (await agent.nextRun()).start().complete();
      await other.nextWhere('the other end', isEnd);
      expectWhole(other);
      await Promise.all([client, other].map((one) => one[Symbol.asyncDispose]()));
    }
  });

  test('takes a long message at any node', async () => {
    const agent = new ScriptedAgent();
    await using cluster = await startNodes(2, () => ({ agent }));
    const [a, b] = cluster.nodes as [MemoryNode, MemoryNode];
    const atA = await follower(a);
    ask(atA, 'a');
    const run = await agent.nextRun();
    run.start();
    await atA.nextWhere('its start', (f) => f.type === 'event' && f.data.type === 'agent_started');
    const text = Array.from({ length: 40_000 }, () => Math.random().toString(36).slice(2, 14)).join(' ');
    const response = await b.request('POST', '/v1/threads/t/messages', { user: 'ada', body: { id: 'long', data: { text } } });
    expect([response.status, await response.json()]).toMatchObject([202, { state: 'queued', duplicate: false }]);
    run.complete();
    const asked = (await agent.nextRun()).start();
    expect(asked.asked.messages.at(-1)?.parts).toEqual([{ type: 'text', text }]);
    asked.complete();
  });

  test('that a node left when it crashed is ended by its next life under the same name', { timeout: 60_000 }, async () => {
    const agents = [new ScriptedAgent(), new ScriptedAgent()] as const;
    await using cluster = await startNodes(1, () => ({ agent: agents[0] }));
    const [a] = cluster.nodes as [MemoryNode];
    const atA = await follower(a);
    ask(atA, 'a');
    (await agents[0].nextRun()).start();
    await atA.nextWhere('its start', (f) => f.type === 'event' && f.data.type === 'agent_started');
    a.cable.cut();
    const again = await cluster.start({ node: 'gw-1', agent: agents[1] });
    const client = await follower(again);
    expect((await client.nextWhere('the end', isEnd)).data).toMatchObject({ type: 'agent_error', code: 'producer_lost' });
    expectWhole(client);
  });
});

test('a client of one node goes on at any other: nothing lost, doubled or out of order, and what it sent is known', { timeout: 60_000 }, async () => {
  const agents = [new ScriptedAgent(), new ScriptedAgent()] as const;
  await using cluster = await startNodes(2, (i) => ({ agent: agents[i] as ScriptedAgent }));
  const [a, b] = cluster.nodes as [MemoryNode, MemoryNode];
  const { client, ready } = await a.seat('ada');
  client.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
  const { epoch } = await client.next('subscribed');
  ask(client, 'a');
  const run = await agents[0].nextRun();
  run.start().text('one ');
  const seen = await client.nextWhere('one', (f) => f.type === 'event' && f.data.text === 'one ');
  run.text('two ');
  const resume = { manager: ready.manager, token: ready.resumeToken, subs: [{ sub: 1, thread: 't', epoch, offset: seen.offset }] };
  const again = await b.open();
  again.sendFrame({ ...HELLO, intent: 'auto', resume });
  expect(await again.next('ready')).toMatchObject({ manager: ready.manager, resume: 'attached' });
  ask(again, 'a');
  expect(await again.nextWhere('the duplicate', (f) => f.type === 'run-accepted')).toMatchObject({ id: 'a', duplicate: true });
  run.text('three ').complete();
  await again.nextWhere('the end', isEnd);
  let last = seen.offset;
  for (const f of eventsOf(again)) {
    expect(f.from ?? f.offset).toBe(last + 1);
    last = f.offset;
  }
  expect(await client.closed).toMatchObject({ code: 4205 });
});

test('a gateway that shares its store needs the key that the others have', () => {
  const store = memoryStore({ cluster: true });
  expect(() => createGateway({ store, authenticate: () => null, agent: new ScriptedAgent() })).toThrow(/signingKey/);
});
