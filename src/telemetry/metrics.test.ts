import { expect, it } from 'vitest';
import { handClock, toldSource } from '../../test/support/told-source.ts';
import type { AdmissionRecord, CleanupReport, SpillwayEvents } from '../ports/events.ts';
import type { ManagerId, UserId } from '../protocol/ids.ts';
import { METRICS, PREFIX } from './metrics.ts';
import { createObservatory } from './observatory.ts';

const MANAGER = 'mgr_0123456789abcdefghij' as ManagerId;
const USER = 'ada@example.org' as UserId;
const OF_MANAGER = { managerId: MANAGER, user: USER, tier: 'free' };

function observed(tiers = ['enterprise', 'free']) {
  const source = toldSource();
  const clock = handClock();
  const observatory = createObservatory(source, {
    clock,
    tiers,
    waitMs: 10_000,
    sickScore: 4,
    version: '1.2.3',
    onError: (error) => expect.unreachable(String(error)),
  });
  const read = async (accept: string | null = null) => (await observatory.metrics.read(accept)).text;
  return {
    source,
    clock,
    observatory,
    read,
    /** The value of one series, by its whole name. */
    async value(series: string): Promise<number | null> {
      const line = (await read()).split('\n').find((text) => text.startsWith(`${PREFIX}${series} `));
      return line === undefined ? null : Number(line.slice(line.lastIndexOf(' ')));
    },
  };
}

const admission = (outcome: AdmissionRecord['outcome'], durationMs = 3, tier = 'free'): AdmissionRecord => ({
  managerId: MANAGER,
  user: USER,
  tier,
  intent: 'user',
  outcome,
  reason: null,
  levels: [],
  probed: 0,
  durationMs,
});

const CLEANUP: CleanupReport = {
  run: 'cln_0123456789abcdefghij',
  user: USER,
  trigger: 'admission',
  admissions: [MANAGER],
  levels: [
    { level: 'conservative', examined: 20, freed: 0, result: 'short', durationMs: 4 },
    { level: 'moderate', examined: 20, freed: 1, result: 'enough', durationMs: 27 },
  ],
  before: 20,
  after: 19,
  victims: [{ managerId: MANAGER, level: 'moderate', verdict: 'zombie', reason: 'ack-timeout', evidence: [], text: '' }],
  kept: [],
  result: 'enough',
  durationMs: 31,
};

it('every series starts at 0, so that a first event is a rise', async () => {
  const { read, source } = observed();
  const before = (await read()).split('\n').filter((line) => line.startsWith(PREFIX));
  const zeroes = before.filter((line) => !/ 0$/.test(line)).map((line) => line.replace(/[{ ].*/, ''));
  expect(zeroes.sort()).toEqual([
    'spillway_build_info',
    'spillway_cleanup_heartbeat_timestamp_seconds',
    'spillway_node_lease_remaining_seconds',
    'spillway_nodes',
  ]);
  source.tell('admission-ended', admission('after-cleanup'));
  source.tell('cleanup-finished', CLEANUP);
  source.tell('lockout', { ...OF_MANAGER, why: 'refused' });
  source.tell('transport-closed', { managerId: MANAGER, user: USER, code: 4002, reason: 'ack-timeout' });
  source.tell('transport-closed', { managerId: MANAGER, user: USER, code: 4711, reason: 'whatever a peer said' });
  source.tell('store-asked', { op: 'seats.admit', durationMs: 1, failed: true });
  source.tell('zombie-found', { ...OF_MANAGER, reason: 'half-open', delayMs: 25_000 });
  const names = (lines: string[]) => lines.map((line) => line.replace(/ [^ ]*$/, ''));
  const after = (await read()).split('\n').filter((line) => line.startsWith(PREFIX));
  expect(names(after)).toEqual(names(before));
});

it('every metric of the table is there, with its kind and its sentence', async () => {
  const text = await observed().read();
  for (const [name, { kind, help }] of Object.entries(METRICS)) {
    expect(text).toContain(`# HELP ${PREFIX}${name} ${help}\n# TYPE ${PREFIX}${name} ${kind}\n`);
  }
  expect(text).toMatch(/^process_resident_memory_bytes \d+/m);
  expect(text).toMatch(/^nodejs_heap_size_used_bytes \d+/m);
});

it('an admission is counted by its answer, its tier and who asked; a tier that is not configured is `other`; a reattachment is none', async () => {
  const { source, value } = observed();
  source.tell('admission-ended', admission('direct'));
  source.tell('admission-ended', admission('after-queue', 3, 'galactic'));
  source.tell('admission-ended', admission('reattach'));
  expect(await value('admissions_total{outcome="seated",tier="free",intent="user"}')).toBe(1);
  expect(await value('admissions_total{outcome="after_queue",tier="other",intent="user"}')).toBe(1);
  expect(await value('admission_seconds_count{outcome="seated"}')).toBe(1);
});

it('a person’s connect is in time within the longest wait and a decision, and late when sent away', async () => {
  const { source, value } = observed();
  source.tell('admission-ended', admission('after-queue', 10_500));
  source.tell('admission-ended', admission('force', 10_501));
  source.tell('admission-ended', admission('retry-later'));
  source.tell('admission-ended', admission('abandoned'));
  source.tell('admission-ended', { ...admission('direct'), intent: 'auto' });
  expect(await value('intents_total{kind="connect",result="ok"}')).toBe(1);
  expect(await value('intents_total{kind="connect",result="late"}')).toBe(2);
});

it('a message is in time with its first event within 5 s; the endpoint of a model is no fault of ours', async () => {
  const { source, value, observatory } = observed();
  const run = (o: Partial<SpillwayEvents['run-ended']>): SpillwayEvents['run-ended'] =>
    ({
      user: USER,
      thread: 't',
      run: 'run_1',
      status: 'completed',
      provider: false,
      firstEventMs: 100,
      durationMs: 9_000,
      ...o,
    }) as SpillwayEvents['run-ended'];
  for (const o of [
    {},
    { firstEventMs: 5_001 },
    { status: 'failed' },
    { status: 'failed', provider: true },
    { status: 'cancelled' },
    { status: 'cancelled', firstEventMs: null, durationMs: 400 },
    { status: 'lost' },
  ] as const)
    source.tell('run-ended', run(o));
  const counted = await Promise.all(['ok', 'late', 'failed', 'provider_error'].map((result) => value(`intents_total{kind="message",result="${result}"}`)));
  expect(counted).toEqual([2, 1, 2, 1]);
  expect(observatory.summary().availability).toBe(2 / 5);
});

it('a cleanup pass counts each level that it ran and each eviction, and its time under the furthest level', async () => {
  const { source, value } = observed();
  source.tell('cleanup-finished', CLEANUP);
  expect(await value('cleanup_runs_total{level="conservative",result="short"}')).toBe(1);
  expect(await value('cleanup_runs_total{level="moderate",result="enough"}')).toBe(1);
  expect(await value('cleanup_targets_total{level="moderate"}')).toBe(20);
  expect(await value('cleanup_freed_total{level="moderate"}')).toBe(1);
  expect(await value('evictions_total{level="moderate",verdict="zombie",reason="ack-timeout"}')).toBe(1);
  expect(await value('cleanup_seconds_bucket{le="0.05",level="moderate"}')).toBe(1);
  expect(await value('cleanup_seconds_count{level="conservative"}')).toBe(0);
});

it('gauges and hot counters are those of the instant of reading, also where a figure is gone', async () => {
  const { source, value } = observed();
  source.figures = {
    ...source.figures,
    seats: 3,
    managers: [
      { verdict: 'zombie', tier: 'free', count: 2 },
      { verdict: 'healthy', tier: 'unheard-of', count: 1 },
    ],
    queueLength: [{ tier: 'free', count: 4 }],
    cleanupHeartbeatAt: 1_700_000_123_000,
  };
  source.delivery.sent = 12;
  expect(await value('seats')).toBe(3);
  expect(await value('managers{verdict="zombie",tier="free"}')).toBe(2);
  expect(await value('managers{verdict="healthy",tier="other"}')).toBe(1);
  expect(await value('queue_length{tier="free"}')).toBe(4);
  expect(await value('cleanup_heartbeat_timestamp_seconds')).toBe(1_700_000_123);
  expect(await value('events_sent_total')).toBe(12);
  source.figures = { ...source.figures, managers: [], queueLength: [] };
  source.delivery.sent = 15;
  expect(await value('managers{verdict="zombie",tier="free"}')).toBe(0);
  expect(await value('queue_length{tier="free"}')).toBe(0);
  expect(await value('events_sent_total')).toBe(15);
});

it('OpenMetrics has the same figures, with exemplars that lead to the cleanup record; asking for it changes nothing for others', async () => {
  const { source, read, observatory } = observed();
  source.tell('cleanup-finished', CLEANUP);
  const [open, plain] = await Promise.all([observatory.metrics.read('application/openmetrics-text;version=1.0.0,text/plain;q=0.5'), read()]);
  expect(open.contentType).toMatch(/^application\/openmetrics-text/);
  expect(open.text).toMatch(/# EOF\n$/);
  expect(open.text).toContain('# TYPE spillway_lockouts counter\nspillway_lockouts_total 0');
  expect(open.text).toMatch(/cleanup_seconds_bucket\{le="0\.05",level="moderate"\} 1 # \{cleanup_run="cln_0123456789abcdefghij"\} 0\.031 /);
  for (const text of [plain, await read()]) {
    expect(text).toContain('# TYPE spillway_lockouts_total counter\nspillway_lockouts_total 0');
    expect(text).not.toContain('cln_');
  }
});

it('names nobody: no id of a user, manager or thread is in the text', async () => {
  const { source, read } = observed();
  source.tell('admission-ended', admission('force'));
  source.tell('cleanup-finished', CLEANUP);
  source.tell('mismatch-found', { kind: USER, user: USER, detail: USER });
  source.tell('transport-closed', { managerId: MANAGER, user: USER, code: 1000, reason: USER });
  source.tell('gap-told', { user: USER, thread: 'thread-9' as SpillwayEvents['gap-told']['thread'], managerId: MANAGER });
  for (const text of [await read(), await read('application/openmetrics-text')]) {
    expect(text).not.toContain(USER);
    expect(text).not.toContain(MANAGER);
    expect(text).not.toContain('thread-9');
  }
});

it('stops counting when it is told to', async () => {
  const { source, observatory, value } = observed();
  observatory.stop();
  source.tell('lockout', { ...OF_MANAGER, why: 'refused' });
  expect(await value('lockouts_total')).toBe(0);
});
