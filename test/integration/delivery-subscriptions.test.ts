/** What subscriptions of one connection do to each other, and what a slow reader costs. */

import { expect, test } from 'vitest';
import { FaultyStore } from '../support/faulty-store.ts';
import { startGateway } from '../support/gateway.ts';
import { ScriptedAgent } from '../support/scripted-agent.ts';
import type { WireClient } from '../support/wire-client.ts';

const ofSub = (client: WireClient, sub: number) => client.frames.filter((f) => f.type === 'event' && f.sub === sub);

test('two subscriptions of one thread on one connection: ending one leaves the other live', async () => {
  const agent = new ScriptedAgent();
  await using gw = await startGateway({ agent });
  const { client } = await gw.seat('ada');
  client.behave();
  for (const sub of [1, 2]) {
    client.sendFrame({ type: 'subscribe', sub, thread: 't', from: 'start' });
    await client.next('replayed');
  }
  client.sendFrame({ type: 'send', id: 'a', thread: 't', data: { text: 'go' } });
  const run = await agent.nextRun();
  run.start();
  await client.nextWhere('the start on 2', (f) => f.type === 'event' && f.sub === 2 && f.offset === 2);
  client.sendFrame({ type: 'unsubscribe', sub: 1 });
  await client.next('unsubscribed');
  run.text('one').complete();
  await client.nextWhere('the end on 2', (f) => f.type === 'event' && f.sub === 2 && f.data.type === 'agent_completed');
  expect(ofSub(client, 2).map((f) => f.offset)).toEqual([1, 2, 3, 4]);
  expect(ofSub(client, 1).at(-1)?.offset).toBe(2);
});

test('what an ended subscription did not acknowledge accuses nobody', async () => {
  await using gw = await startGateway();
  const { client, ready } = await gw.seat('ada');
  client.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
  client.sendFrame({ type: 'send', id: 'a', thread: 't', data: { text: 'one two three' } });
  await client.nextWhere('the end', (f) => f.type === 'event' && f.data.type === 'agent_completed');
  const manager = gw.gateway.factory.find(ready.manager);
  expect(manager?.evidence.owed).not.toBe(null);
  client.sendFrame({ type: 'unsubscribe', sub: 1 });
  await client.next('unsubscribed');
  expect(manager?.evidence.owed).toBe(null);
});

test('a position beyond the head, presented in the middle of an answer, ends no run and costs no reader anything', async () => {
  const store = new FaultyStore();
  const agent = new ScriptedAgent();
  await using gw = await startGateway({ agent, store });
  const { client: reader } = await gw.seat('ada');
  reader.behave();
  reader.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
  const { epoch } = await reader.next('subscribed');
  reader.sendFrame({ type: 'send', id: 'a', thread: 't', data: { text: 'go' } });
  const run = await agent.nextRun();
  run.start().text('one');
  await reader.nextWhere('the first word', (f) => f.type === 'event' && f.data.text === 'one');

  const { client: stale } = await gw.seat('ada');
  const held = store.hold('log.append');
  run.text(' two');
  await held.reached;
  stale.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: { epoch, offset: 99 } });
  run.text(' three');
  stale.sendFrame({ type: 'check', n: 1 });
  await stale.next('check-ok');
  held.release();
  run.text(' four').complete();

  const gap = await reader.nextWhere('the gap', (f) => f.type === 'gap');
  expect(gap).toMatchObject({ from: 1, to: 0, reason: 'epoch' });
  const texts: string[] = [];
  let last = 0;
  for (;;) {
    const frame = await reader.next('event');
    expect(frame.from ?? frame.offset).toBe(last + 1);
    last = frame.offset;
    if (frame.data.type === 'text_delta') texts.push(frame.data.text);
    if (frame.data.type === 'agent_completed' || frame.data.type === 'agent_error') {
      expect(frame.data).toMatchObject({ type: 'agent_completed', final_response: 'one two three four' });
      break;
    }
  }
  expect(texts.join('')).toBe('one two three four');
  expect(reader.isOpen).toBe(true);
  const snapshot = await (await gw.request('GET', '/v1/threads/t/messages', { user: 'ada' })).json();
  expect(snapshot).toMatchObject({ activeRun: null, position: { epoch: gap.epoch, offset: last } });
  // The conversation goes on.
  reader.sendFrame({ type: 'send', id: 'b', thread: 't', data: { text: 'again' } });
  (await agent.nextRun()).start().complete();
  await reader.nextWhere('the second end', (f) => f.type === 'event' && f.offset === last + 3);
});

test('an acknowledgement that was under way when the epoch changed is no offence', async () => {
  await using gw = await startGateway();
  const { client: reader } = await gw.seat('ada');
  reader.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
  const { epoch } = await reader.next('subscribed');
  // Longer than one window, so that after the epoch has changed the beginning alone is sent again.
  for (const id of ['a', 'b', 'c', 'd']) {
    reader.sendFrame({ type: 'send', id, thread: 't', data: { text: `${id.repeat(9_000)}` } });
    for (let isOver = false; !isOver; ) {
      const event = await reader.next('event');
      reader.sendFrame({ type: 'ack', sub: 1, offset: event.offset });
      isOver = event.data.type === 'agent_completed';
    }
  }
  const last = reader.frames.findLast((f) => f.type === 'event')?.offset;
  const { client: stale } = await gw.seat('ada');
  stale.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: { epoch, offset: 99 } });
  await reader.next('gap');
  reader.sendFrame({ type: 'ack', sub: 1, offset: last });
  reader.sendFrame({ type: 'check', n: 1 });
  await reader.next('check-ok');
  expect(reader.isOpen).toBe(true);
});

test('a reader that stops reading costs the gateway a bounded amount, and another one of the same thread nothing', { timeout: 60_000 }, async () => {
  const agent = new ScriptedAgent();
  await using gw = await startGateway({ agent });
  const { client: slow, ready } = await gw.seat('ada');
  const { client: quick } = await gw.seat('ada');
  quick.behave();
  for (const client of [slow, quick]) {
    client.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
    await client.next('replayed');
  }
  quick.sendFrame({ type: 'send', id: 'a', thread: 't', data: { text: 'go' } });
  const run = await agent.nextRun();
  run.start();
  await slow.nextWhere('the start', (f) => f.type === 'event' && f.offset === 2);
  slow.stopReading();
  const word = 'x'.repeat(4_000);
  let mostUnsent = 0;
  let mostUnacked = 0;
  for (let i = 0; i < 1_000; i++) {
    run.text(word);
    if (i % 50 !== 49) continue;
    await quick.nextWhere('the words so far', (f) => f.type === 'event' && f.offset >= i + 2);
    const attachment = gw.gateway.factory.find(ready.manager)?.attachment;
    mostUnsent = Math.max(mostUnsent, attachment?.transport.unsentBytes ?? 0);
    mostUnacked = Math.max(mostUnacked, attachment?.delivery.unackedBytes ?? 0);
  }
  run.complete();
  await quick.nextWhere('the end', (f) => f.type === 'event' && f.data.type === 'agent_completed');
  expect(mostUnacked).toBeGreaterThan(0);
  expect(mostUnacked).toBeLessThanOrEqual(256 * 1024 + 64 * 1024);
  expect(mostUnsent).toBeLessThanOrEqual(512 * 1024);
  // It reads again: everything is there, in order.
  slow.behave();
  slow.readAgain();
  await slow.nextWhere('the end', (f) => f.type === 'event' && f.data.type === 'agent_completed');
  let last = 0;
  for (const f of ofSub(slow, 1)) {
    expect(f.from ?? f.offset).toBe(last + 1);
    last = f.offset;
  }
  expect(last).toBe(1_003);
});
