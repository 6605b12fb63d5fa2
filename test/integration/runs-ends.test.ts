/** Every run ends once, whatever its agent, its store or another writer does. */

import { expect, test } from 'vitest';
import type { Agent } from '../../src/ports/agent.ts';
import type { AgentYield } from '../../src/protocol/agent-events.ts';
import type { ThreadId, UserId } from '../../src/protocol/ids.ts';
import { FaultyStore } from '../support/faulty-store.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { echoAgent, ScriptedAgent } from '../support/scripted-agent.ts';
import type { WireClient, WireFrame } from '../support/wire-client.ts';

const isEnd = (f: WireFrame): boolean => f.type === 'event' && (f.data.type === 'agent_completed' || f.data.type === 'agent_error');
const KEY = { user: 'ada' as UserId, thread: 't' as ThreadId };

async function follower(gw: TestGateway): Promise<WireClient> {
  const { client } = await gw.seat('ada');
  client.behave();
  client.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
  await client.next('replayed');
  return client;
}

const ask = (client: WireClient, id: string): void => client.sendFrame({ type: 'send', id, thread: 't', data: { text: 'go' } });
const agentOf = (run: Agent['run']): Agent => ({ codec: 'agent-events', name: 'odd', run });

const ODD: readonly (readonly [string, Agent['run'], object])[] = [
  [
    'throws before its first event',
    () => {
      throw new Error('no');
    },
    { type: 'agent_error', code: 'agent_failed' },
  ],
  ['is no iterable', () => ({}) as AsyncIterable<AgentYield>, { type: 'agent_error', code: 'agent_failed' }],
  [
    'returns at once',
    async function* () {
      /* nothing */
    },
    { type: 'agent_completed', status: 'completed' },
  ],
  [
    'yields garbage',
    async function* () {
      yield 42 as unknown as AgentYield;
    },
    { type: 'agent_error', code: 'agent_invalid' },
  ],
  [
    'yields an end that is none',
    async function* () {
      yield { type: 'agent_completed', status: 42 } as unknown as AgentYield;
    },
    { type: 'agent_error', code: 'agent_invalid' },
  ],
  [
    'yields after its end',
    async function* () {
      yield { type: 'agent_completed', status: 'completed' };
      yield { type: 'text_delta', text: 'late' };
      yield { type: 'agent_error', error_message: 'late', recoverable: false };
    },
    { type: 'agent_completed', status: 'completed' },
  ],
  [
    'throws when it is told to leave',
    () => {
      let step = 0;
      return {
        [Symbol.asyncIterator]: () => ({
          next: async () =>
            step++ === 0 ? { done: false, value: { type: 'agent_completed', status: 'completed' } as AgentYield } : { done: true, value: undefined },
          return: () => {
            throw new Error('I was leaving anyway.');
          },
        }),
      };
    },
    { type: 'agent_completed', status: 'completed' },
  ],
  [
    'says more than a run may',
    async function* () {
      for (let i = 0; i < 40; i++) yield { type: 'text_delta', text: 'x'.repeat(1_000) };
      yield { type: 'agent_completed', status: 'completed' };
    },
    { type: 'agent_error', code: 'run_too_long' },
  ],
];

for (const [story, run, end] of ODD) {
  test(`an agent that ${story}: one start, one end, and the thread answers again`, async () => {
    let first = true;
    await using gw = await startGateway({
      log: { runBytes: 20_000 },
      agent: agentOf((asked) => {
        if (!first) return echoAgent.run(asked);
        first = false;
        return run(asked);
      }),
    });
    const client = await follower(gw);
    ask(client, 'a');
    const done = await client.nextWhere('the end', isEnd);
    expect(done.data).toMatchObject(end);
    ask(client, 'b');
    expect((await client.nextWhere('the second end', isEnd)).data).toMatchObject({ type: 'agent_completed', final_response: 'go ' });
    const types = client.frames.filter((f) => f.type === 'event' && f.kind !== 'message').map((f) => f.data.type);
    expect(types.filter((t) => t === 'agent_started')).toHaveLength(2);
    expect(types.filter((t) => t === 'agent_completed' || t === 'agent_error')).toHaveLength(2);
  });
}

test('an agent that hangs is ended by silence, and by cancel', async () => {
  await using gw = await startGateway({
    run: { silentMs: 1_000 },
    agent: agentOf(() => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) })),
  });
  const client = await follower(gw);
  ask(client, 'a');
  expect((await client.nextWhere('the end', isEnd)).data).toMatchObject({ type: 'agent_error', code: 'agent_silent' });
  ask(client, 'b');
  const { run } = await client.next('run-accepted');
  client.sendFrame({ type: 'cancel', run });
  expect((await client.nextWhere('the end', isEnd)).data).toMatchObject({ type: 'agent_completed', status: 'cancelled', run_id: run });
});

test('cancelled while the store takes nothing: the end comes when the store does', async () => {
  const store = new FaultyStore();
  const agent = new ScriptedAgent();
  await using gw = await startGateway({ store, agent });
  const client = await follower(gw);
  ask(client, 'a');
  const { run: id } = await client.next('run-accepted');
  const run = await agent.nextRun();
  run.start();
  await client.nextWhere('the start', (f) => f.type === 'event' && f.offset === 2);
  store.fail('log.append');
  // More than is kept unconfirmed, so that the agent is not pulled any more.
  for (let i = 0; i < 50; i++) run.text('x'.repeat(100_000));
  client.sendFrame({ type: 'cancel', run: id });
  expect(await client.next('cancelled')).toMatchObject({ run: id, state: 'cancelling' });
  client.sendFrame({ type: 'send', id: 'b', thread: 't', data: { text: 'not now' } });
  expect(await client.next('error')).toMatchObject({ code: 'store-unavailable', retryable: true });
  store.heal('log.append');
  const end = await client.nextWhere('the end', isEnd);
  expect(end.data).toMatchObject({ type: 'agent_completed', status: 'cancelled', run_id: id });
  let last = 0;
  for (const f of client.frames.filter((f) => f.type === 'event')) {
    expect(f.from ?? f.offset).toBe(last + 1);
    last = f.offset;
  }
});

test('answers of the store that are lost: every message and event is there once', async () => {
  const store = new FaultyStore();
  await using gw = await startGateway({ store });
  const client = await follower(gw);
  for (let i = 0; i < 5; i++) {
    store.loseAnswers('log.append', 2);
    ask(client, `q${i}`);
    await client.nextWhere('the end', isEnd);
  }
  const events = client.frames.filter((f) => f.type === 'event');
  let last = 0;
  for (const f of events) {
    expect(f.from ?? f.offset).toBe(last + 1);
    last = f.offset;
  }
  expect(events.filter((f) => f.kind === 'message')).toHaveLength(5);
  expect(events.filter(isEnd)).toHaveLength(5);
});

test('another writer takes the thread over in the middle of an answer: the run gets one end, those behind it their turn', async () => {
  const store = new FaultyStore();
  const agent = new ScriptedAgent();
  await using gw = await startGateway({ store, agent });
  const client = await follower(gw);
  ask(client, 'a');
  const run = await agent.nextRun();
  run.start().text('one');
  await client.nextWhere('the first word', (f) => f.type === 'event' && f.data.text === 'one');
  ask(client, 'b');
  await client.nextWhere('the second message', (f) => f.type === 'event' && f.offset === 4);

  await store.log.claim(KEY);
  run.text(' two');
  const end = await client.nextWhere('the end', isEnd);
  expect(end.data).toMatchObject({ type: 'agent_error', code: 'producer_lost', recoverable: true, run_id: run.asked.runId });
  const second = await agent.nextRun();
  expect(second.asked.messages.at(-1)?.role).toBe('user');
  second.start().complete();
  expect((await client.nextWhere('the second end', isEnd)).data).toMatchObject({ type: 'agent_completed', run_id: second.asked.runId });
  ask(client, 'c');
  (await agent.nextRun()).start().complete();
  await client.nextWhere('the third end', isEnd);
  expect(await store.threads.openRuns(null)).toEqual([]);
  const snapshot = await (await gw.request('GET', '/v1/threads/t/messages', { user: 'ada' })).json();
  expect(snapshot.messages.map((m: { role: string; status: string }) => `${m.role} ${m.status}`).sort()).toEqual([
    'assistant complete',
    'assistant complete',
    'assistant failed',
    'user complete',
    'user complete',
    'user complete',
  ]);
});

test('cancelling a run that waits: it ends in its turn, and says nothing', async () => {
  const agent = new ScriptedAgent();
  await using gw = await startGateway({ agent });
  const client = await follower(gw);
  ask(client, 'a');
  const first = await agent.nextRun();
  first.start();
  ask(client, 'b');
  const { run } = await client.nextWhere('b accepted', (f) => f.type === 'run-accepted' && f.id === 'b');
  client.sendFrame({ type: 'cancel', run });
  await client.next('cancelled');
  first.complete();
  await client.nextWhere('the end of b', (f) => isEnd(f) && f.data.run_id === run);
  const ofB = client.frames.filter((f) => f.type === 'event' && f.kind !== 'message' && f.data.run_id === run).map((f) => f.data);
  expect(ofB).toMatchObject([{ type: 'agent_started' }, { type: 'agent_completed', status: 'cancelled' }]);
  expect(agent.runs).toHaveLength(1);
});

test('a hundred sends of one thread at once, most of them twice: one run at a time, each message once', { timeout: 60_000 }, async () => {
  let running = 0;
  let most = 0;
  await using gw = await startGateway({
    run: { waiting: 200 },
    rate: { framesPer10s: 1_000, closeFramesPer10s: 5_000 },
    agent: async function* () {
      most = Math.max(most, ++running);
      yield { type: 'agent_started', agent_name: 'counting' };
      await new Promise((resolve) => setImmediate(resolve));
      yield { type: 'text_delta', text: 'word' };
      running--;
      yield { type: 'agent_completed', status: 'completed' };
    },
  });
  const clients = await Promise.all(Array.from({ length: 4 }, () => follower(gw)));
  for (let i = 0; i < 50; i++) for (const client of clients) client.sendFrame({ type: 'send', id: `m${i}`, thread: 't', data: { text: `${i}` } });
  const [reader] = clients as [WireClient];
  for (let ends = 0; ends < 50; ends++) await reader.nextWhere('an end', isEnd);
  for (const client of clients) {
    while (client.frames.filter((f) => f.type === 'run-accepted').length < 50) await client.next('run-accepted');
  }
  expect(most).toBe(1);
  const events = reader.frames.filter((f) => f.type === 'event');
  expect(events.filter((f) => f.kind === 'message')).toHaveLength(50);
  expect(events.filter(isEnd)).toHaveLength(50);
  const acceptedRuns = new Set(clients.flatMap((c) => c.frames.filter((f) => f.type === 'run-accepted').map((f) => f.run)));
  expect(acceptedRuns.size).toBe(50);
  // On each transport `run-accepted` came before any event of its run.
  for (const client of clients) {
    const seen = new Set<string>();
    const accepted = client.frames.flatMap((f, i) => (f.type === 'run-accepted' && f.duplicate === false ? [[f.run, i] as const] : []));
    for (const [run, at] of accepted) {
      const first = client.frames.findIndex((f) => f.type === 'event' && f.data?.run_id === run);
      expect(first === -1 || first > at).toBe(true);
      seen.add(run);
    }
  }
});
