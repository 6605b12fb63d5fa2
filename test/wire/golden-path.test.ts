import { expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import { ScriptedAgent } from '../support/scripted-agent.ts';
import { expectFrame } from '../support/transcript.ts';

const MANAGER = /^mgr_[0-9a-z]{20}$/;
const RUN = /^run_[0-9a-z]{20}$/;
const MESSAGE = /^msg_[0-9a-z]{20}$/;
const EPOCH = /^[0-9a-z]{1,16}$/;
const TOKEN = /^.{1,512}$/;
const more = { '…': true };
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

const CLIENT = { name: 'transcript', version: '1.0.0' };

test('a question, its answer and a cut in the middle: frame by frame, nothing lost and nothing doubled', async () => {
  const agent = new ScriptedAgent();
  await using gw = await startGateway({ agent });
  const token = await gw.token('ada', { name: 'Ada' });

  const first = await gw.open();
  first.sendFrame({ type: 'hello', v: 1, token, client: CLIENT, intent: 'user', visibility: 'visible' });
  const welcome = await expectFrame(first, { type: 'welcome', v: 1, node: 'gw-1', heartbeatMs: 15_000, ...more });
  expect(welcome).toMatchObject({
    user: { id: 'ada', name: 'Ada', tier: 'free' },
    clientTimeoutMs: 25_000,
    ack: { frames: 16, bytes: 16_384, ms: 250 },
    max: { frameBytes: 262_144, subs: 64 },
  });
  expect(Math.abs(welcome.now - Date.now())).toBeLessThan(5_000);
  expect(welcome.authExpiresAt).toBeGreaterThan(Date.now() + 3_500_000);

  const ready = await expectFrame(first, { type: 'ready', manager: MANAGER, resumeToken: TOKEN, resume: 'fresh', seat: 'soft', ...more });
  expect(ready.resumeWindowMs).toBe(120_000);
  expect(ready.limits).toMatchObject({ soft: 20, burst: 25, used: 1, effective: 1, sockets: 1, queued: 0, burstUntil: null, tier: 'free' });

  first.sendFrame({ type: 'subscribe', sub: 1, thread: 't1', from: 'start' });
  const subscribed = await expectFrame(first, { type: 'subscribed', sub: 1, thread: 't1', epoch: EPOCH, offset: 0, head: 0, ...more });
  expect(subscribed).toMatchObject({ codec: 'agent-events', activeRun: null });
  const { epoch } = subscribed;
  await expectFrame(first, { type: 'replayed', sub: 1, offset: 0 });

  first.sendFrame({ type: 'send', id: 'c-1', thread: 't1', data: { text: 'Why is the sky blue?' } });
  const accepted = await expectFrame(first, { type: 'run-accepted', id: 'c-1', thread: 't1', run: RUN, epoch, offset: 1, state: 'running', ...more });
  expect(accepted).toMatchObject({ message: expect.stringMatching(MESSAGE), duplicate: false });
  const run = await agent.nextRun();
  await expectFrame(first, { type: 'event', sub: 1, offset: 1, kind: 'message', data: { id: accepted.message, role: 'user', ...more } });

  run.start();
  const started = await expectFrame(first, {
    type: 'event',
    sub: 1,
    offset: 2,
    data: { type: 'agent_started', run_id: accepted.run, message_id: MESSAGE, ...more },
  });
  expect(started.data).toMatchObject({ thread_id: 't1', agent_name: 'scripted', event_id: expect.any(String), timestamp: expect.any(String) });
  const answer = started.data.message_id;
  run.text('Because');
  const delta = await expectFrame(first, { type: 'event', sub: 1, offset: 3, data: { type: 'text_delta', message_id: answer, text: 'Because', ...more } });
  expect(delta.data).toMatchObject({ run_id: accepted.run, thread_id: 't1' });

  // 3 applied, no acknowledgement due yet, then the network is cut while the answer goes on.
  first.cut();
  expect((await first.closed).code).toBe(1006);
  const words = Array.from({ length: 58 }, (_, i) => (i === 0 ? ' air scatters' : ` w${i}`));
  run.text(...words);
  await untilPosition(gw, 't1', `${epoch}:61`);

  const second = await gw.open();
  second.sendFrame({
    type: 'hello',
    v: 1,
    token: await gw.token('ada', { name: 'Ada' }),
    client: CLIENT,
    intent: 'auto',
    resume: { manager: ready.manager, token: ready.resumeToken, subs: [{ sub: 1, thread: 't1', epoch, offset: 3 }] },
  });
  await expectFrame(second, { type: 'welcome', v: 1, node: 'gw-1', heartbeatMs: 15_000, ...more });
  const again = await expectFrame(second, {
    type: 'ready',
    manager: ready.manager,
    resumeToken: (value: unknown) => value !== ready.resumeToken && TOKEN.test(String(value)),
    resume: 'attached',
    ...more,
  });
  expect(again).toMatchObject({ seat: 'soft', limits: { used: 1, sockets: 1 } });
  await expectFrame(second, { type: 'subscribed', sub: 1, offset: 3, head: 61, ...more });
  await expectFrame(second, { type: 'event', sub: 1, from: 4, offset: 61, data: { type: 'text_delta', text: words.join(''), ...more } });
  await expectFrame(second, { type: 'replayed', sub: 1, offset: 61 });

  // Live from here.
  const rest = Array.from({ length: 28 }, (_, i) => ` r${i}`);
  run.text(...rest).complete();
  let last = 61;
  let text = '';
  for (;;) {
    const frame = await second.next();
    expect(frame).toMatchObject({ type: 'event', sub: 1 });
    expect(frame.from ?? frame.offset).toBe(last + 1);
    last = frame.offset;
    if (frame.data.type === 'agent_completed') {
      expect(Object.keys(frame)).toEqual(['type', 'sub', 'offset', 'ack', 'data']);
      expect(frame).toMatchObject({ offset: 90, ack: true, data: { type: 'agent_completed', status: 'completed' } });
      expect(Object.keys(frame.data).slice(0, 2)).toEqual(['type', 'status']);
      expect(frame.data.final_response).toBe(`Because${words.join('')}${rest.join('')}`);
      break;
    }
    expect(frame.ack).toBeUndefined();
    text += frame.data.text;
  }
  expect(text).toBe(rest.join(''));
  second.sendFrame({ type: 'ack', sub: 1, offset: 90 });

  // The acknowledgement was taken: a probe-free check is answered, and nothing more comes.
  second.sendFrame({ type: 'check', n: 7 });
  await expectFrame(second, { type: 'check-ok', n: 7 });
  expect([first, second].map((client) => client.frames.map((frame) => frame.type).filter((type) => type === 'error' || type === 'bye'))).toEqual([[], []]);
  expect([welcome.v, subscribed.head, last].every(isCount)).toBe(true);

  const snapshot = await (await gw.request('GET', '/v1/threads/t1/messages', { user: 'ada' })).json();
  expect(snapshot).toMatchObject({ thread: 't1', position: { epoch, offset: 90 }, activeRun: null, hasMore: false });
  expect(snapshot.messages).toMatchObject([
    { id: accepted.message, role: 'user', status: 'complete', parts: [{ type: 'text', text: 'Why is the sky blue?' }] },
    { id: answer, role: 'assistant', status: 'complete', run: accepted.run, parts: [{ type: 'text', text: `Because${words.join('')}${rest.join('')}` }] },
  ]);
});

/** Waits until the thread's log has reached `position`, asking over HTTP as anybody could. */
async function untilPosition(gw: Awaited<ReturnType<typeof startGateway>>, thread: string, position: string): Promise<void> {
  const deadline = AbortSignal.timeout(5_000);
  for (;;) {
    deadline.throwIfAborted();
    const { position: p } = await (await gw.request('GET', `/v1/threads/${thread}/messages`, { user: 'ada' })).json();
    if (`${p.epoch}:${p.offset}` === position) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
