import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { listenAnywhere } from '../support/ports.ts';
import { ScriptedAgent } from '../support/scripted-agent.ts';
import { EventReader, expectProblem } from './http-support.ts';

const follow = async (gw: TestGateway, path: string, headers: Record<string, string> = {}): Promise<EventReader> =>
  new EventReader(await gw.request('GET', path, { user: 'ada', headers }));
const send = (gw: TestGateway, id: string, text: string, thread = 't') =>
  gw.request('POST', `/v1/threads/${thread}/messages`, { user: 'ada', body: { id, data: { text } } });

describe('a message over HTTP', () => {
  test('is durable when it is accepted, and the same one is accepted once', async () => {
    await using gw = await startGateway();
    const first = await send(gw, 'c-1', 'hello there');
    expect(first.status).toBe(202);
    const accepted = (await first.json()) as Record<string, unknown>;
    expect(accepted).toMatchObject({ id: 'c-1', thread: 't', offset: 1, state: 'running', duplicate: false });
    await using reader = await follow(gw, '/v1/threads/t/events?from=start');
    await reader.until('replayed');
    expect(await (await send(gw, 'c-1', 'hello there')).json()).toMatchObject({ run: accepted.run, message: accepted.message, duplicate: true });
    await expectProblem(await send(gw, 'c-1', 'something else'), 409, 'idempotency-conflict');
    expect(await (await gw.request('GET', '/v1/threads', { user: 'ada' })).json()).toMatchObject({
      threads: [{ id: 't', title: 'hello there' }],
      nextCursor: null,
    });
  });

  test('beyond those that may wait is told to come back', async () => {
    const agent = new ScriptedAgent();
    await using gw = await startGateway({ agent, run: { waiting: 1 } });
    expect((await send(gw, '1', 'a')).status).toBe(202);
    expect(await (await send(gw, '2', 'b')).json()).toMatchObject({ state: 'queued' });
    expect((await expectProblem(await send(gw, '3', 'c'), 409, 'thread-busy')).retryable).toBe(true);
  });

  test('starts a run that can be cancelled', async () => {
    const agent = new ScriptedAgent();
    await using gw = await startGateway({ agent });
    const { run } = (await (await send(gw, '1', 'a')).json()) as { run: string };
    const running = await agent.nextRun();
    running.start().text('half an ans');
    await using reader = await follow(gw, '/v1/threads/t/events?from=start');
    while ((await reader.next())?.data.data?.type !== 'text_delta');
    const snapshot = await (await gw.request('GET', '/v1/threads/t/messages', { user: 'ada' })).json();
    expect(snapshot).toMatchObject({
      thread: 't',
      activeRun: run,
      hasMore: false,
      messages: [{ role: 'user' }, { role: 'assistant', status: 'streaming', parts: [{ type: 'text', text: 'half an ans' }] }],
    });
    const cancel = await gw.request('POST', `/v1/runs/${run}/cancel`, { user: 'ada' });
    expect(cancel.status).toBe(202);
    expect(await cancel.json()).toEqual({ run, state: 'cancelling' });
    await running.aborted;
    let last = await reader.next();
    while (last !== null && last.data.data?.type !== 'agent_completed') last = await reader.next();
    expect(last?.data.data).toMatchObject({ status: 'cancelled' });
    expect(await (await gw.request('POST', `/v1/runs/${run}/cancel`, { user: 'ada' })).json()).toEqual({ run, state: 'ended' });
  });

  test('and pages of them are listed newest first', async () => {
    await using gw = await startGateway();
    for (const id of ['a', 'b', 'c']) await send(gw, id, id, `thread-${id}`);
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page = (await (
        await gw.request('GET', `/v1/threads?limit=1${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`, { user: 'ada' })
      ).json()) as { threads: { id: string }[]; nextCursor: string | null };
      seen.push(...page.threads.map((thread) => thread.id));
      cursor = page.nextCursor;
    }
    expect(seen.sort()).toEqual(['thread-a', 'thread-b', 'thread-c']);
  });
});

describe('events over HTTP', () => {
  test('come with their positions, first the past, then the present', async () => {
    const agent = new ScriptedAgent();
    await using gw = await startGateway({ agent });
    await send(gw, '1', 'question');
    const run = await agent.nextRun();
    await using reader = await follow(gw, '/v1/threads/t/events?from=start');
    expect(reader.response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    const past = await reader.until('replayed');
    expect(past[0]).toMatchObject({ id: expect.stringMatching(/^[0-9a-z]+:1$/), data: { type: 'event', offset: 1, kind: 'message', data: { role: 'user' } } });
    expect(past.every((event) => !('sub' in event.data))).toBe(true);
    run.start().text('one').complete();
    const live: string[] = [];
    for (let event = await reader.next(); event !== null; event = await reader.next()) {
      live.push(...[event.data.data].flat().map((entry: { type: string }) => entry.type));
      if (live.at(-1) === 'agent_completed') break;
    }
    expect(live).toEqual(['agent_started', 'text_delta', 'agent_completed']);
  });

  test('go on behind Last-Event-ID, which wins over from; offsets are gapless', async () => {
    await using gw = await startGateway();
    await send(gw, '1', 'a b c d e f');
    const ids: string[] = [];
    {
      await using reader = await follow(gw, '/v1/threads/t/events?from=start');
      const first = await reader.next();
      ids.push(first?.id as string);
    }
    await using reader = await follow(gw, '/v1/threads/t/events?from=start', { 'last-event-id': ids[0] as string });
    let applied = 1;
    for (;;) {
      const event = await reader.next();
      if (event === null) throw new Error('Expected more events.');
      if (event.data.type !== 'event') continue;
      expect(event.data.from ?? event.data.offset).toBe(applied + 1);
      applied = event.data.offset;
      if ([event.data.data].flat().at(-1).type === 'agent_completed') break;
    }
    expect(applied).toBeGreaterThan(2);
  });

  test('tell of a gap where the position is of another life of the stream', async () => {
    await using gw = await startGateway();
    await send(gw, '1', 'a');
    await using reader = await follow(gw, '/v1/threads/t/events', { 'last-event-id': 'zzzz:7' });
    expect(await reader.next()).toMatchObject({ data: { type: 'gap', reason: 'epoch', snapshot: '/v1/threads/t/messages' } });
  });

  test('take no seat; the eleventh stream of a user ends the oldest, which is told so', async () => {
    await using gw = await startGateway();
    const readers: EventReader[] = [];
    await using _cleanUp = new AsyncDisposableStack();
    for (let i = 0; i < 11; i++) {
      const reader = _cleanUp.use(await follow(gw, '/v1/threads/t/events'));
      await reader.until('replayed');
      readers.push(reader);
    }
    expect(await readers[0]?.next()).toMatchObject({ event: 'bye', data: { type: 'bye', code: 4205 } });
    expect(await readers[0]?.next()).toBeNull();
    await send(gw, '1', 'x');
    for (const reader of readers.slice(1)) expect(await reader.next()).toMatchObject({ data: { type: 'event', offset: 1 } });
    expect(await (await gw.request('GET', '/v1/auth/me', { user: 'ada' })).json()).toMatchObject({ limits: { used: 0, sockets: 0 } });
  });

  test('end with the credential that asked for them', async () => {
    await using gw = await startGateway();
    await using reader = new EventReader(await gw.request('GET', '/v1/threads/t/events', { token: await gw.token('ada', { livesMs: 1_500 }) }));
    await reader.until('replayed');
    expect(await reader.next()).toMatchObject({ event: 'bye', data: { code: 4010 } });
  });

  test('are kept alive while nothing happens', async () => {
    await using gw = await startGateway({ health: { heartbeatMs: 100 } });
    await using reader = await follow(gw, '/v1/threads/t/events');
    await reader.until('replayed');
    for (let i = 0; i < 4; i++) expect(await reader.comment()).toBe('keep-alive');
    await send(gw, '1', 'x');
    expect(await reader.next()).toMatchObject({ data: { type: 'event', offset: 1 } });
  });

  test('wait in the log for a reader that does not read, who loses none and holds nobody up', async () => {
    const agent = new ScriptedAgent();
    await using gw = await startGateway({ agent });
    await send(gw, '1', 'tell me a lot');
    const run = await agent.nextRun();
    const sockets: Socket[] = [];
    const server = createServer(gw.gateway.handler).on('connection', (socket) => sockets.push(socket));
    const slow = httpRequest(`http://127.0.0.1:${await listenAnywhere(server)}/v1/threads/t/events?from=start`, {
      headers: { authorization: `Bearer ${await gw.token('ada')}` },
    }).end();
    const [response] = await once(slow, 'response');
    response.pause();
    await using quick = await follow(gw, '/v1/threads/t/events?from=start');
    run.start();
    const piece = 'x'.repeat(100_000);
    for (let i = 0; i < 120; i++) run.text(piece);
    run.complete();
    const lengthOf = (entry: { type: string; text?: string }): number => (entry.type === 'text_delta' ? (entry.text?.length ?? 0) : 0);
    let quickLength = 0;
    for (let event = await quick.next(); event !== null; event = await quick.next()) {
      const entries = [event.data.data].flat();
      for (const entry of entries) if (entry !== undefined) quickLength += lengthOf(entry);
      if (entries.at(-1)?.type === 'agent_completed') break;
    }
    expect(quickLength).toBe(12_000_000);
    // The slow one is owed 12 MB. The kernel took some; of the rest the gateway holds a window, and the log all.
    expect(sockets[0]?.writableLength).toBeLessThan(500_000);
    let text = '';
    response.setEncoding('utf8');
    for await (const chunk of response) {
      text += chunk;
      if (text.includes('"agent_completed"') && text.endsWith('\n\n')) break;
    }
    const frames = text
      .split('\n')
      .filter((line) => line.startsWith('data: '))
      .map(
        (line) =>
          JSON.parse(line.slice(6)) as {
            type: string;
            offset: number;
            from?: number;
            data: { type: string; text?: string } | { type: string; text?: string }[];
          },
      )
      .filter((frame) => frame.type === 'event');
    let applied = 0;
    for (const frame of frames) {
      expect(frame.from ?? frame.offset).toBe(applied + 1);
      applied = frame.offset;
    }
    expect(frames.flatMap((frame) => [frame.data].flat()).reduce((sum, entry) => sum + lengthOf(entry), 0)).toBe(12_000_000);
    slow.destroy();
    server.close();
  });
});
