import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { HELLO } from '../support/gateway.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { WireClient, type WireFrame } from '../support/wire-client.ts';

/** A store file that goes with the test. */
function storeFile(): Disposable & { readonly file: string } {
  const folder = mkdtempSync(join(tmpdir(), 'spillway-restart-'));
  return { file: join(folder, 'store.sqlite'), [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}

interface Story {
  position: { epoch: string; offset: number };
  text: string;
  last: WireFrame | null;
}

/** Applies events by the client rule until `until` says stop. */
async function read(client: WireClient, story: Story, until: (frame: WireFrame) => boolean): Promise<void> {
  for (;;) {
    const frame = await client.next();
    if (frame.type === 'subscribed') story.position = { epoch: frame.epoch, offset: frame.offset };
    expect(frame.type).not.toBe('gap');
    if (frame.type !== 'event') continue;
    expect(frame.from ?? frame.offset).toBe(story.position.offset + 1);
    story.position = { ...story.position, offset: frame.offset };
    if (frame.data.type === 'text_delta') story.text += frame.data.text;
    story.last = frame;
    client.sendFrame({ type: 'ack', sub: 1, offset: frame.offset });
    if (until(frame)) return;
  }
}

const isEnd = (frame: WireFrame): boolean => frame.data.type === 'agent_completed' || frame.data.type === 'agent_error';

test('the server is killed in the middle of an answer: everything that was read is still there, and the run gets its one end', {
  timeout: 60_000,
}, async () => {
  using store = storeFile();
  const story: Story = { position: { epoch: '', offset: 0 }, text: '', last: null };
  let ready: WireFrame;
  {
    await using gateway = await startGatewayProcess(store.file);
    await using client = await WireClient.open(gateway.wsUrl);
    client.sendFrame({ ...HELLO, token: 'ada' });
    ready = await client.next('ready');
    client.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
    client.sendFrame({ type: 'send', id: 'q', thread: 't', data: { text: 'count to 1000' } });
    await read(client, story, () => story.text.length > 200);
    await gateway.end('SIGKILL');
  }
  const before = story.text;

  await using gateway = await startGatewayProcess(store.file);
  await using client = await WireClient.open(gateway.wsUrl);
  const startedAt = performance.now();
  client.sendFrame({
    ...HELLO,
    token: 'ada',
    intent: 'auto',
    resume: { manager: ready.manager, token: ready.resumeToken, subs: [{ sub: 1, thread: 't', ...story.position }] },
  });
  const again = await client.next('ready');
  expect(again).toMatchObject({ manager: ready.manager, resume: 'readmitted' });
  await read(client, story, isEnd);
  expect(story.last?.data).toMatchObject({ type: 'agent_error', code: 'producer_lost', recoverable: true });
  expect(performance.now() - startedAt).toBeLessThan(15_000);
  // What was read before the kill is the beginning of what is there now, numbers without a hole.
  expect(story.text.startsWith(before)).toBe(true);
  const numbers = story.text.trim().split(' ').map(Number);
  expect(numbers).toEqual(numbers.map((_, i) => i + 1));

  const response = await fetch(`${gateway.url}/v1/threads/t/messages`, { headers: { authorization: 'Bearer ada' } });
  const snapshot = (await response.json()) as {
    position: { offset: number };
    activeRun: string | null;
    messages: { role: string; status: string; parts: { text?: string }[] }[];
  };
  expect(snapshot.position.offset).toBe(story.position.offset);
  expect(snapshot.activeRun).toBe(null);
  expect(snapshot.messages.map((m) => [m.role, m.status])).toEqual([
    ['user', 'complete'],
    ['assistant', 'failed'],
  ]);
  expect(snapshot.messages[1]?.parts[0]?.text).toBe(story.text);

  // The conversation goes on.
  client.sendFrame({ type: 'send', id: 'q2', thread: 't', data: { text: 'count to 3' } });
  await read(client, story, (frame) => frame.data.type === 'agent_completed');
  expect(story.last?.data.final_response).toBe('1 2 3 ');
});

test('the server is asked to stop: the answer goes on to its end, and the next server has all of it', { timeout: 60_000 }, async () => {
  using store = storeFile();
  const story: Story = { position: { epoch: '', offset: 0 }, text: '', last: null };
  let ready: WireFrame;
  {
    await using gateway = await startGatewayProcess(store.file);
    await using client = await WireClient.open(gateway.wsUrl);
    client.sendFrame({ ...HELLO, token: 'ada' });
    ready = await client.next('ready');
    client.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
    client.sendFrame({ type: 'send', id: 'q', thread: 't', data: { text: 'count to 300' } });
    await read(client, story, () => story.text.length > 20);
    const ended = gateway.end('SIGTERM');
    for (;;) {
      const frame = await client.next();
      if (frame.type === 'bye') {
        expect(frame).toMatchObject({ code: 4001, return: 'now', reason: 'drain' });
        break;
      }
      if (frame.type !== 'event') continue;
      expect(frame.from ?? frame.offset).toBe(story.position.offset + 1);
      story.position = { ...story.position, offset: frame.offset };
      if (frame.data.type === 'text_delta') story.text += frame.data.text;
    }
    expect(await ended).toBe(0);
  }
  await using gateway = await startGatewayProcess(store.file);
  await using client = await WireClient.open(gateway.wsUrl);
  client.sendFrame({
    ...HELLO,
    token: 'ada',
    intent: 'auto',
    resume: { manager: ready.manager, token: ready.resumeToken, subs: [{ sub: 1, thread: 't', ...story.position }] },
  });
  await client.next('ready');
  await read(client, story, isEnd);
  expect(story.last?.data).toMatchObject({ type: 'agent_completed', status: 'completed' });
  expect(story.text).toBe(Array.from({ length: 300 }, (_, i) => `${i + 1} `).join(''));
});
