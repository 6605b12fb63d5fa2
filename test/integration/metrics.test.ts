import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import type { LogRecord } from '../../src/ports/telemetry.ts';
import { METRICS } from '../../src/telemetry/metrics.ts';
import { ADMIN_KEY, startWithAdmin } from '../support/admin.ts';
import { HELLO } from '../support/gateway.ts';
import { scrape, scrapeWhen } from '../support/scrape.ts';
import { need, skipWithout } from '../support/tools.ts';
import type { WireClient, WireFrame } from '../support/wire-client.ts';
import { expectProblem } from './http-support.ts';

const ofType = (clients: readonly WireClient[], type: string): readonly WireFrame[] =>
  clients.flatMap(({ frames }) => frames).filter((frame) => frame.type === type);
const eventsIn = (frames: readonly WireFrame[]): number => frames.reduce((sum, { from, offset }) => sum + Number(offset) - Number(from ?? offset) + 1, 0);

test('what is counted is what clients saw: no difference', async () => {
  const options = { limits: { perUser: 2, burst: { perUser: 3 } }, queue: { places: 1, waitMs: 60_000 } };
  const records: LogRecord[] = [];
  await using admin = await startWithAdmin({ ...options, telemetry: { record: (record) => void records.push(record) } });
  const { gw } = admin;
  const clients: WireClient[] = [];
  const knock = async (user: string, hello = {}): Promise<WireClient> => {
    const client = (await gw.open()).behave();
    clients.push(client);
    client.sendFrame({ ...HELLO, token: await gw.token(user), ...hello });
    return client;
  };
  const seat = async (user: string, hello = {}) => {
    const client = await knock(user, hello);
    return { client, ready: await client.next('ready') };
  };

  // Ada fills her room, borrows, waits, is sent away, gives one seat back.
  const [first] = [await seat('ada'), await seat('ada'), await seat('ada')] as const;
  const waiting = await knock('ada');
  await waiting.next('queued');
  const refused = await knock('ada');
  const toldFull = (await refused.close()).code;
  first.client.sendFrame({ type: 'bye', reason: 'left' });
  await waiting.next('ready');
  // Ben asks twice under one id, loses his line, and comes back behind the first event.
  const ben = await seat('ben');
  const send = { type: 'send', id: 'send-1', thread: 'th', data: { text: 'one two three' } };
  ben.client.sendFrame({ type: 'subscribe', sub: 1, thread: 'th', from: 'start' });
  ben.client.sendFrame(send);
  await ben.client.nextWhere('the end', ({ type, data }) => type === 'event' && JSON.stringify(data).includes('agent_completed'));
  ben.client.sendFrame(send);
  const accepted = await ben.client.nextWhere('the duplicate', ({ type, duplicate }) => type === 'run-accepted' && duplicate === true);
  ben.client.cut();
  const back = await seat('ben', {
    resume: { manager: ben.ready.manager, token: ben.ready.resumeToken, subs: [{ sub: 1, thread: 'th', epoch: accepted.epoch, offset: 1 }] },
  });
  await back.client.next('replayed');
  // Cleo breaks the protocol; an operator takes Dora's seat.
  const cleo = await seat('cleo');
  cleo.client.sendFrame('no json');
  const dora = await seat('dora');
  await admin.post(`managers/${dora.ready.manager}/evict`, { reason: 'moved' });
  const closes = [await cleo.client.close(), await dora.client.close(), await first.client.close()];

  const open = clients.filter(({ isOpen }) => isOpen).length;
  const received = eventsIn(ofType(clients, 'event'));
  const metrics = await scrapeWhen(admin.url, ADMIN_KEY, (m) => m.sum('transports') === open && m.sum('events_acked_total') === received);
  const ready = ofType(clients, 'ready');
  const counted = (metric: string, labels = {}) => metrics.sum(metric, labels);

  expect(toldFull).toBe(4100);
  expect(closes.map(({ code }) => code)).toEqual([4500, 4204, 1000]);
  const byOutcome = Object.fromEntries(
    ['seated', 'after_cleanup', 'burst', 'after_queue', 'force', 'retry_later', 'abandoned'].map((outcome) => [
      outcome,
      counted('admissions_total', { outcome }),
    ]),
  );
  expect(byOutcome).toEqual({ seated: 5, after_cleanup: 0, burst: 1, after_queue: 1, force: 0, retry_later: 1, abandoned: 0 });
  expect(ready.filter(({ resume }) => resume !== 'attached')).toHaveLength(5 + 1 + 1);
  expect(counted('resumes_total', { result: 'attached' })).toBe(ready.filter(({ resume }) => resume === 'attached').length);
  expect(counted('intents_total', { kind: 'connect', result: 'ok' })).toBe(7);
  expect(counted('intents_total', { kind: 'connect', result: 'late' })).toBe(1);
  expect(counted('intents_total', { kind: 'message', result: 'ok' })).toBe(1);
  expect(counted('lockouts_total')).toBe(0);
  expect(counted('queue_entries_total')).toBe(1);
  expect(counted('queue_wait_seconds_count')).toBe(1);
  expect(counted('burst_grants_total')).toBe(1);
  expect(counted('notices_total')).toBe(ofType(clients, 'notice').filter(({ cleared }) => cleared !== true).length);
  expect(counted('disconnects_total')).toBe(clients.length - open);
  for (const [code, reason] of [
    ['4500', 'protocol-error'],
    ['4204', 'admin-evicted'],
    ['4100', 'queue-full'],
    ['1006', 'abnormal'],
  ] as const)
    expect(counted('disconnects_total', { code, reason }), `${code} ${reason}`).toBe(1);
  expect(counted('evictions_total')).toBe(1);
  expect(counted('evictions_total', { level: 'force', reason: 'admin-evicted' })).toBe(1);
  const replayed = eventsIn(
    back.client.frames
      .slice(
        0,
        back.client.frames.findIndex(({ type }) => type === 'replayed'),
      )
      .filter(({ type }) => type === 'event'),
  );
  expect(replayed).toBeGreaterThan(0);
  expect(counted('events_replayed_total')).toBe(replayed);
  expect(counted('events_sent_total') + replayed).toBe(received);
  expect(counted('events_acked_total')).toBe(received);
  expect(counted('duplicates_suppressed_total')).toBe(ofType(clients, 'run-accepted').filter(({ duplicate }) => duplicate === true).length);
  expect(counted('gaps_total')).toBe(ofType(clients, 'gap').length);
  expect(counted('probes_total', { result: 'answered' })).toBe(ofType(clients, 'probe').length);
  // Cleo's seat is kept for her return.
  expect([counted('users'), counted('managers'), counted('seats')]).toEqual([3, open + 1, open + 1]);
  // The log tells the same: one record for each pass that was counted.
  const passes = records.filter(({ event }) => event === 'cleanup-finished');
  expect(passes).toHaveLength(counted('cleanup_seconds_count'));
  expect(records.filter(({ event }) => event === 'queue-entered')).toHaveLength(1);
});

describe('`/metrics`', () => {
  test('needs the key of the admin API, and is nowhere on the public port; the version is for anybody', async () => {
    await using admin = await startWithAdmin();
    await expectProblem(await fetch(`${admin.url}/metrics`), 401, 'unauthorized');
    await expectProblem(await fetch(`${admin.gw.url}/metrics`, { headers: { authorization: `Bearer ${ADMIN_KEY}` } }), 404, 'not-found');
    expect(await (await fetch(`${admin.url}/version`)).json()).toEqual({ version: expect.any(String), node: 'gw-1', nodeVersion: process.versions.node });
  });

  test('speaks OpenMetrics to whoever asks for it, with the traces of admissions', async () => {
    await using admin = await startWithAdmin();
    await admin.gw.seat('ada', { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' });
    const [open, plain] = await Promise.all([scrape(admin.url, ADMIN_KEY, 'application/openmetrics-text; version=1.0.0'), scrape(admin.url, ADMIN_KEY)]);
    expect(open.text).toMatch(/admission_seconds_bucket\{.*outcome="seated"\} 1 # \{trace_id="4bf92f3577b34da6a3ce929d0e0e4736",span_id="00f067aa0ba902b7"\}/);
    expect(open.text).toMatch(/# EOF\n$/);
    expect(plain.text).not.toContain('4bf92f35');
  });

  describe('as promtool reads it', () => {
    const promtool = need('promtool');
    skipWithout(promtool);

    test('is well-formed, and the linter finds fault with none of our names', async () => {
      await using admin = await startWithAdmin();
      await admin.gw.seat('ada');
      const { text } = await scrape(admin.url, ADMIN_KEY);
      const { status, stderr } = spawnSync(promtool.path ?? '', ['check', 'metrics'], { input: text, encoding: 'utf8' });
      expect(stderr.split('\n').filter((line) => line.startsWith('spillway_'))).toEqual([]);
      // 3: the names of the runtime's own metrics are not as the linter would have them.
      expect([0, 3]).toContain(status);
    });
  });
});

test('every metric of the table is there from the first moment', async () => {
  await using admin = await startWithAdmin();
  const { text } = await scrape(admin.url, ADMIN_KEY);
  for (const [name, { kind }] of Object.entries(METRICS)) expect(text).toMatch(new RegExp(`^spillway_${name}${kind === 'histogram' ? '_count' : ''}[ {]`, 'm'));
});
