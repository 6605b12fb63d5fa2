import { expect, test } from 'vitest';
import { CLOSE, returnOf } from '../../src/protocol/close-codes.ts';
import { HELLO, startGateway } from '../support/gateway.ts';
import type { WireClient, WireFrame } from '../support/wire-client.ts';

const SESSIONS = 26;

/** Follows one session to its seat: `ready`, perhaps after a place in the queue. Anything else would be a refusal. */
async function seated(client: WireClient): Promise<'ready' | 'ready after the queue'> {
  let queued = false;
  for (;;) {
    const frame = await client.nextWhere('ready or queued', (f) => f.type === 'ready' || f.type === 'queued' || f.type === 'bye');
    if (frame.type === 'bye') throw new Error(`Expected a seat, got ${frame.code} ${frame.name}.`);
    if (frame.type === 'ready') return queued ? 'ready after the queue' : 'ready';
    queued = true;
    expect(frame.position).toBeGreaterThan(0);
    expect(frame.deadlineMs).toBeLessThanOrEqual(2_000);
  }
}

test('twenty-six sessions of one user: every one is seated, the last one after its place in the queue, and nothing is lost', { timeout: 60_000 }, async () => {
  await using gw = await startGateway({ queue: { waitMs: 2_000 } });
  const token = await gw.token('ada');
  const clients: WireClient[] = [];
  const how: string[] = [];
  for (let i = 0; i < SESSIONS; i++) {
    const client = await gw.open();
    clients.push(client);
    client.sendFrame({ ...HELLO, token, client: { name: 'test', version: '1.0', label: `tab ${i + 1}` } });
    how.push(await seated(client));
  }
  expect(how.filter((h) => h === 'ready')).toHaveLength(25);
  expect(how.at(-1)).toBe('ready after the queue');

  // At most one for one: exactly one session gave way, was told so, and may return when its person asks.
  // It is told a moment after its seat is given away.
  await Promise.race(clients.map((c) => c.closed));
  const gone = clients.filter((c) => c.frames.some((f) => f.type === 'bye'));
  expect(gone).toHaveLength(1);
  const victim = gone[0] as WireClient;
  const bye = await victim.next('bye');
  expect(bye.code).toBe(CLOSE.evictedForNewer.code);
  expect(returnOf(bye.code)).toBe('user');
  expect(bye.text).toContain('tab 26');
  expect(gw.gateway.factory.getFactoryStatus().seats).toBe(25);
});

test('a session that gave way in the middle of an answer reads the rest when its person returns', { timeout: 60_000 }, async () => {
  await using gw = await startGateway({
    limits: { perUser: 1, burst: { perUser: 1 }, overflowPolicy: 'force-first' },
    agent: async function* () {
      yield { type: 'agent_started', agent_name: 'counter' };
      for (let i = 1; i <= 100; i++) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        yield { type: 'text_delta', text: `${i} ` };
      }
      yield { type: 'agent_completed', status: 'completed' };
    },
  });
  const first = await gw.seat('ada');
  first.client.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
  first.client.sendFrame({ type: 'send', id: 'q', thread: 't', data: { text: 'count' } });
  const texts: string[] = [];
  let position = { epoch: '', offset: 0 };
  const apply = (client: WireClient, frame: WireFrame): void => {
    expect(frame.from ?? frame.offset).toBe(position.offset + 1);
    position = { ...position, offset: frame.offset };
    if (frame.data.type === 'text_delta') texts.push(frame.data.text);
    client.sendFrame({ type: 'ack', sub: 1, offset: frame.offset });
  };
  position = { epoch: (await first.client.next('subscribed')).epoch, offset: 0 };
  while (texts.length < 10) apply(first.client, await first.client.next('event'));

  // Another device takes the only seat; the run goes on without anybody.
  const second = await gw.seat('ada', { client: { name: 'test', version: '1.0', label: 'Phone' } });
  expect(second.ready.resume).toBe('fresh');
  for (;;) {
    const frame = await first.client.next();
    if (frame.type === 'bye') break;
    if (frame.type === 'event') apply(first.client, frame);
  }

  // The person comes back: the seat changes hands again, the story goes on where it was.
  const back = await gw.seat('ada', {
    resume: { manager: first.ready.manager, token: first.ready.resumeToken, subs: [{ sub: 1, thread: 't', ...position }] },
  });
  expect(back.ready).toMatchObject({ resume: 'readmitted', manager: first.ready.manager });
  for (;;) {
    const frame = await back.client.next('event');
    apply(back.client, frame);
    if (frame.data.type === 'agent_completed') break;
  }
  expect(texts.join('')).toBe(Array.from({ length: 100 }, (_, i) => `${i + 1} `).join(''));
});
