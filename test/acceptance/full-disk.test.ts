import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sqliteStore } from '../../src/stores/sqlite/store.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { ScriptedAgent } from '../support/scripted-agent.ts';

const folder = mkdtempSync(join(tmpdir(), 'spillway-full-disk-'));
const disk = join(folder, 'disk');
let mounted = false;

beforeAll(() => {
  mkdirSync(disk);
  mounted = process.getuid?.() === 0 && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', disk]).status === 0;
});
afterAll(() => {
  if (mounted) spawnSync('umount', ['-l', disk]);
  rmSync(folder, { recursive: true, force: true });
});

/** Takes every byte that is left. */
function fill(): void {
  const handle = openSync(join(disk, 'filler'), 'a');
  try {
    for (;;) writeSync(handle, Buffer.alloc(4_096));
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
  } finally {
    closeSync(handle);
  }
}

/** The readiness that an orchestrator sees, asked until it is `status`. */
async function untilReady(gw: TestGateway, status: 200 | 503): Promise<unknown> {
  for (const deadline = performance.now() + 10_000; ; ) {
    const answer = await fetch(`${gw.url}/readyz`);
    const body: unknown = await answer.json();
    if (answer.status === status) return body;
    if (performance.now() > deadline) throw new Error(`Expected /readyz to answer ${status}, got ${answer.status} ${JSON.stringify(body)}.`);
    if (status === 503) fill();
  }
}

test('the disk is full in the middle of an answer: it is late, not lost; a new message is refused in clear words; people still get in', {
  timeout: 60_000,
}, async (context) => {
  if (!mounted) context.skip('a small disk needs root and the right to mount a tmpfs');
  const agent = new ScriptedAgent();
  await using store = await sqliteStore({ file: join(disk, 'store.sqlite') });
  await using gw = await startGateway({ agent, store });
  const { client } = await gw.seat('ada');
  client.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
  client.sendFrame({ type: 'send', id: 'a', thread: 't', data: { text: 'go' } });
  const run = await agent.nextRun();
  run.start().text('before ');
  const before = await client.nextWhere('the text before', (f) => f.type === 'event' && f.data.type === 'text_delta');
  // What follows is larger than the ack window, and goes when nothing else is unacknowledged.
  client.sendFrame({ type: 'ack', sub: 1, offset: before.offset });

  fill();
  await untilReady(gw, 503);
  run.text(`during ${'x'.repeat(20_000)}`);
  // The log cannot take it: whoever sends now is told so, and nothing of it is kept.
  for (let i = 0; ; i++) {
    client.sendFrame({ type: 'send', id: `b${i}`, thread: 'other', data: { text: 'x'.repeat(5_000) } });
    const answer = await client.nextWhere('an answer to the message', (f) => f.type === 'error' || f.type === 'run-accepted');
    if (answer.type === 'error') {
      expect(answer).toMatchObject({ code: 'store-unavailable', retryable: true });
      break;
    }
    fill();
  }
  // Nobody is locked out meanwhile.
  const other = await gw.seat('ben');
  expect(other.ready.resume).toBe('fresh');

  rmSync(join(disk, 'filler'));
  const late = await client.nextWhere(
    'the text from the full time',
    (f) => f.type === 'event' && f.data.type === 'text_delta' && f.data.text.startsWith('during'),
  );
  expect(late.data.text).toHaveLength(20_007);
  client.sendFrame({ type: 'ack', sub: 1, offset: late.offset });
  run.text(' after').complete();
  // So is its end, which repeats all of it.
  const after = await client.nextWhere('the text after', (f) => f.type === 'event' && f.data.type === 'text_delta');
  client.sendFrame({ type: 'ack', sub: 1, offset: after.offset });
  const end = await client.nextWhere('the end', (f) => f.type === 'event' && f.data.type === 'agent_completed' && f.sub === 1);
  expect(end.data.final_response).toBe(`before during ${'x'.repeat(20_000)} after`);
  await untilReady(gw, 200);
});
