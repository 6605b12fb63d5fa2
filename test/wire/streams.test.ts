import { describe, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import { ScriptedAgent } from '../support/scripted-agent.ts';
import type { WireClient, WireFrame } from '../support/wire-client.ts';

/** The last event of a run. */
const isEnd = (f: WireFrame): boolean => f.type === 'event' && f.data.type === 'agent_completed';

describe('the seam between replay and live', () => {
  test('whoever subscribes while events flow reads each of them once and in order, wherever the seam falls', async () => {
    const agent = new ScriptedAgent();
    await using gw = await startGateway({ agent });
    const { client: asker } = await gw.seat('ada');
    asker.sendFrame({ type: 'send', id: 'a', thread: 't', data: { text: 'go' } });
    const run = await agent.nextRun();
    const clients = await Promise.all(Array.from({ length: 6 }, () => gw.seat('ada')));
    run.start();
    const words = Array.from({ length: 600 }, (_, i) => ` ${i}`);
    for (let i = 0; i < words.length; i++) {
      run.text(words[i] as string);
      // A subscription more every 20 words, at the start, at the run, at every place of the log.
      if (i % 20 === 0) {
        const client = clients[(i / 20) % clients.length]?.client as WireClient;
        const sub = i / 20 + 1;
        client.sendFrame({ type: 'subscribe', sub, thread: 't', from: i % 40 === 0 ? 'start' : 'run' });
      }
      if (i % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    run.complete();
    for (let sub = 1; sub <= 30; sub++) {
      const { text, last } = await readAll(clients[(sub - 1) % clients.length]?.client as WireClient, sub);
      expect(text).toBe(words.join(''));
      expect(last).toBe(603);
    }
  });

  test('replayed comes exactly once, also where there was nothing, and before anything newer', async () => {
    const agent = new ScriptedAgent();
    await using gw = await startGateway({ agent });
    const { client } = await gw.seat('ada');
    client.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
    client.sendFrame({ type: 'subscribe', sub: 2, thread: 't' });
    client.sendFrame({ type: 'send', id: 'a', thread: 't', data: { text: 'go' } });
    (await agent.nextRun()).start().text('x').complete();
    await client.nextWhere('the end', (f) => f.sub === 2 && isEnd(f));
    for (const sub of [1, 2]) {
      const types = client.frames.filter((f) => f.sub === sub).map((f) => f.type);
      expect(types.slice(0, 2)).toEqual(['subscribed', 'replayed']);
      expect(types.filter((type) => type === 'replayed')).toHaveLength(1);
    }
    expect(client.frames.findIndex((f) => f.type === 'run-accepted')).toBeLessThan(
      client.frames.findIndex((f) => f.type === 'event' && f.data.type === 'agent_started'),
    );
  });
});

/** Waits until a run's end arrived on `sub`, acknowledging what comes, then reads everything of `sub` so far. */
async function readAll(client: WireClient, sub: number): Promise<{ readonly subscribed: WireFrame; readonly text: string; readonly last: number }> {
  let acknowledged = 0;
  for (;;) {
    const frames = client.frames.filter((f) => f.sub === sub);
    if (frames.some(isEnd)) return judge(frames);
    // A client that reads acknowledges, or its window would close.
    for (const f of client.frames.slice(acknowledged)) if (f.type === 'event') client.sendFrame({ type: 'ack', sub: f.sub, offset: f.offset });
    acknowledged = client.frames.length;
    await client.next();
  }
}

function judge(frames: readonly WireFrame[]): { readonly subscribed: WireFrame; readonly text: string; readonly last: number } {
  const [subscribed, ...rest] = frames as [WireFrame, ...WireFrame[]];
  expect(subscribed.type).toBe('subscribed');
  let last = subscribed.offset as number;
  let text = '';
  let isLive = false;
  for (const frame of rest) {
    if (frame.type === 'replayed') {
      expect(isLive, 'replayed twice').toBe(false);
      expect(frame.offset).toBe(last);
      expect(last, 'replayed before everything was').toBe(subscribed.head);
      isLive = true;
      continue;
    }
    expect(frame.type).toBe('event');
    expect(frame.from ?? frame.offset, 'a hole or a repetition').toBe(last + 1);
    if (!isLive) expect(frame.offset, 'live before replayed').toBeLessThanOrEqual(subscribed.head);
    last = frame.offset;
    if (frame.data.type === 'text_delta') text += frame.data.text;
  }
  expect(isLive).toBe(true);
  return { subscribed, text, last };
}

describe('where a subscription begins', () => {
  test('start, run, now and a position', async () => {
    const agent = new ScriptedAgent();
    await using gw = await startGateway({ agent });
    const { client } = await gw.seat('ada');
    client.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
    const { epoch } = await client.next('subscribed');
    client.sendFrame({ type: 'send', id: 'a', thread: 't', data: { text: 'first' } });
    (await agent.nextRun()).start().complete();
    client.sendFrame({ type: 'send', id: 'b', thread: 't', data: { text: 'second' } });
    const run = await agent.nextRun();
    run.start().text('x');
    // 1 message, 2 started, 3 completed, 4 message, 5 started, 6 delta
    await client.nextWhere('the delta', (f) => f.type === 'event' && f.offset === 6);
    const begins = async (sub: number, from?: unknown): Promise<readonly unknown[]> => {
      client.sendFrame({ type: 'subscribe', sub, thread: 't', ...(from === undefined ? {} : { from }) });
      const subscribed = await client.nextWhere('subscribed', (f) => f.type === 'subscribed' && f.sub === sub);
      expect(subscribed).toMatchObject({ head: 6, activeRun: expect.stringMatching(/^run_/) });
      await client.nextWhere('replayed', (f) => f.type === 'replayed' && f.sub === sub);
      const first = client.frames.find((f) => f.sub === sub && f.type === 'event');
      return [subscribed.offset, first === undefined ? null : (first.from ?? first.offset)];
    };
    expect(await begins(2, 'start')).toEqual([0, 1]);
    expect(await begins(3, 'run')).toEqual([4, 5]);
    expect(await begins(4, 'now')).toEqual([6, null]);
    expect(await begins(5)).toEqual([6, null]);
    expect(await begins(6, { epoch, offset: 2 })).toEqual([2, 3]);
    expect(await begins(7, { epoch, offset: 6 })).toEqual([6, null]);
    run.complete();
    await client.nextWhere('the end', (f) => f.sub === 7 && isEnd(f));
  });

  test('run without a run is now', async () => {
    await using gw = await startGateway();
    const { client } = await gw.seat('ada');
    client.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'run' });
    expect(await client.next()).toMatchObject({ type: 'subscribed', offset: 0, head: 0, activeRun: null });
    expect(await client.next()).toEqual({ type: 'replayed', sub: 1, offset: 0 });
  });
});

describe('unsubscribing', () => {
  test('nothing follows it, and the number is free again', async () => {
    const agent = new ScriptedAgent();
    await using gw = await startGateway({ agent });
    const { client } = await gw.seat('ada');
    client.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
    client.sendFrame({ type: 'send', id: 'a', thread: 't', data: { text: 'go' } });
    const run = await agent.nextRun();
    run.start().text('x');
    await client.nextWhere('the delta', (f) => f.type === 'event' && f.offset === 3);
    client.sendFrame({ type: 'unsubscribe', sub: 1 });
    expect(await client.next('unsubscribed')).toEqual({ type: 'unsubscribed', sub: 1 });
    const before = client.frames.length;
    run.text('unheard');
    client.sendFrame({ type: 'subscribe', sub: 1, thread: 'other', from: 'start' });
    expect(await client.next()).toMatchObject({ type: 'subscribed', sub: 1, thread: 'other' });
    expect(await client.next()).toEqual({ type: 'replayed', sub: 1, offset: 0 });
    run.complete();
    client.sendFrame({ type: 'check', n: 1 });
    await client.next('check-ok');
    expect(client.frames.slice(before).filter((f) => f.type === 'event')).toEqual([]);
  });
});

describe('a reader that does not acknowledge', () => {
  test('gets no more than its window, slows nobody, and reads on where it acknowledged', async () => {
    const agent = new ScriptedAgent();
    await using gw = await startGateway({ agent });
    const { client: slow } = await gw.seat('ada');
    const { client: quick } = await gw.seat('ada');
    for (const client of [slow, quick]) {
      client.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
      await client.next('replayed');
    }
    quick.sendFrame({ type: 'send', id: 'a', thread: 't', data: { text: 'go' } });
    const run = await agent.nextRun();
    run.start();
    const chunk = 'x'.repeat(4_000);
    for (let i = 0; i < 200; i++) run.text(chunk);
    run.complete();
    let length = 0;
    for (let done = false; !done; ) {
      const frame = await quick.next();
      if (frame.type !== 'event') continue;
      quick.sendFrame({ type: 'ack', sub: 1, offset: frame.offset });
      if (frame.data.type === 'text_delta') length += frame.data.text.length;
      done = isEnd(frame);
    }
    expect(length).toBe(800_000);
    slow.sendFrame({ type: 'check', n: 1 });
    await slow.next('check-ok');
    const bytes = slow.texts.reduce((sum, text) => sum + text.length, 0);
    expect(bytes).toBeLessThan(262_144 + 65_536);
    let last = slow.frames.filter((f) => f.type === 'event').at(-1)?.offset as number;
    let read = slow.frames.filter((f) => f.data?.type === 'text_delta').reduce((sum, f) => sum + f.data.text.length, 0);
    slow.sendFrame({ type: 'ack', sub: 1, offset: last });
    for (;;) {
      const frame = await slow.next();
      if (frame.type !== 'event') continue;
      expect(frame.from ?? frame.offset).toBe(last + 1);
      last = frame.offset;
      slow.sendFrame({ type: 'ack', sub: 1, offset: last });
      if (frame.data.type === 'text_delta') read += frame.data.text.length;
      if (isEnd(frame)) break;
    }
    expect(read).toBe(800_000);
  });
});

test('two users may name a thread alike and never meet', async () => {
  await using gw = await startGateway();
  const { client: ada } = await gw.seat('ada');
  const { client: bob } = await gw.seat('bob');
  for (const client of [ada, bob]) client.sendFrame({ type: 'subscribe', sub: 1, thread: 'same', from: 'start' });
  ada.sendFrame({ type: 'send', id: 'x', thread: 'same', data: { text: 'canary-ada' } });
  bob.sendFrame({ type: 'send', id: 'x', thread: 'same', data: { text: 'canary-bob' } });
  await Promise.all([readAll(ada, 1), readAll(bob, 1)]);
  expect(ada.texts.join('')).not.toContain('canary-bob');
  expect(bob.texts.join('')).not.toContain('canary-ada');
});
