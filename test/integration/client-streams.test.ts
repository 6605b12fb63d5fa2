import { expect, test } from 'vitest';
import { createSpillway, type StreamEvent } from '../../src/client/index.ts';
import { accepted, completed, delta, Peer, until } from './client-peer.ts';

const texts = (events: readonly StreamEvent<unknown>[]): string => events.map((e) => (e.data as { text?: string }).text ?? '').join('');

test('an answer is read over a cut in the middle, each event once', async () => {
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url, retry: { minDelayMs: 1 } });
  const seen: StreamEvent<unknown>[] = [];
  client.thread('t1').on((event) => void seen.push(event), { from: 'start' });
  const first = await peer.socket();
  expect(await first.seat()).toMatchObject({ type: 'hello', v: 1, intent: 'user', visibility: 'visible' });
  const subscribe = await first.frame('subscribe');
  expect(subscribe).toEqual({ type: 'subscribe', sub: 1, thread: 't1', from: 'start', codec: 'agent-events' });
  first.send(
    { type: 'subscribed', sub: 1, thread: 't1', epoch: 'k3', offset: 0, head: 0, codec: 'agent-events', activeRun: null },
    { type: 'replayed', sub: 1, offset: 0 },
    { type: 'event', sub: 1, offset: 1, data: delta(1, 'a') },
    { type: 'event', sub: 1, offset: 2, data: delta(2, 'b') },
  );
  await first.settled();
  first.terminate();

  const second = await peer.socket();
  expect(second.url).toContain('intent=auto');
  const hello = await second.seat({ resume: 'attached', resumeToken: 'rt2' });
  expect(hello).toMatchObject({
    intent: 'auto',
    resume: {
      manager: 'mgr_00000000000000000001',
      token: 'rt1',
      subs: [{ sub: expect.any(Number), thread: 't1', epoch: 'k3', offset: 2, codec: 'agent-events' }],
    },
  });
  const { sub } = (hello.resume as { subs: { sub: number }[] }).subs[0] as { sub: number };
  second.send(
    { type: 'subscribed', sub, thread: 't1', epoch: 'k3', offset: 2, head: 5, codec: 'agent-events', activeRun: 'run_1' },
    { type: 'event', sub, offset: 2, data: delta(2, 'b') },
    { type: 'event', sub, from: 3, offset: 5, data: delta(5, 'cde') },
    { type: 'replayed', sub, offset: 5 },
    { type: 'event', sub, offset: 6, ack: true, data: completed() },
  );
  expect(await second.frame('ack')).toMatchObject({ sub, offset: 5 });
  expect(await second.frame('ack')).toEqual({ type: 'ack', sub, offset: 6 });
  expect(texts(seen)).toBe('abcde');
  expect(seen.map((e) => [e.position.offset, e.replay])).toEqual([
    [1, false],
    [2, false],
    [5, true],
    [6, false],
  ]);
});
