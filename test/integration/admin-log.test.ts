import { describe, expect, test } from 'vitest';
import type { LogEntry, Store } from '../../src/ports/store.ts';
import type { AgentYield } from '../../src/protocol/agent-events.ts';
import type { RunId, ThreadId, UserId } from '../../src/protocol/ids.ts';
import { ThreadLog } from '../../src/schemas/admin-operation.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { expectShape, startWithAdmin } from '../support/admin.ts';
import type { TestGateway } from '../support/gateway.ts';
import { expectProblem } from './http-support.ts';

const SECRET = 'a secret of ada';

/** Asks in a conversation and waits for the end of the answer. */
async function ask(gw: TestGateway, user: string, thread: string, times = 1): Promise<void> {
  const { client } = await gw.seat(user);
  client.behave().sendFrame({ type: 'subscribe', sub: 1, thread, from: 'start' });
  for (let i = 0; i < times; i++) {
    client.sendFrame({ type: 'send', id: `c-${i}`, thread, data: { text: SECRET } });
    await client.nextWhere('the end of the answer', (frame) => frame.type === 'event' && frame.data.type === 'agent_completed');
  }
}

describe('the log of a conversation', () => {
  test('is told by offsets, sizes and kinds, page by page, without what it says', async () => {
    await using admin = await startWithAdmin();
    await ask(admin.gw, 'ada', 'plans', 2);
    const whole = await admin.get('threads/ada/plans/log?limit=1000');
    expectShape(ThreadLog, whole);
    expect(whole).toMatchObject({ user: 'ada', thread: 'plans', first: 1, activeRun: null, nextFrom: null, verified: null });
    expect(whole.entries.map(({ offset }: { offset: number }) => offset)).toEqual(Array.from({ length: whole.head }, (_, i) => i + 1));
    expect(whole.entries[0]).toMatchObject({ kind: 'message', bytes: expect.any(Number) });
    expect(whole.entries.map(({ type }: { type: string }) => type)).toContain('agent_completed');
    expect(JSON.stringify(whole)).not.toContain(SECRET);

    const pages: unknown[] = [];
    for (let from: number | null = 1; from !== null; ) {
      const page: { entries: unknown[]; nextFrom: number | null } = await admin.get(`threads/ada/plans/log?limit=3&from=${from}`);
      pages.push(...page.entries);
      from = page.nextFrom;
    }
    expect(pages).toEqual(whole.entries);
  });

  test('is whole while an answer is being written', async () => {
    const agent = async function* (): AsyncGenerator<AgentYield> {
      yield { type: 'agent_started', agent_name: 'endless' };
      yield { type: 'text_delta', text: SECRET };
      await new Promise(() => {});
    };
    await using admin = await startWithAdmin({ agent, shutdown: { timeoutMs: 0 } });
    const { client } = await admin.gw.seat('ada');
    client.behave().sendFrame({ type: 'subscribe', sub: 1, thread: 'plans', from: 'start' });
    client.sendFrame({ type: 'send', id: 'c-1', thread: 'plans', data: { text: SECRET } });
    await client.nextWhere('its first words', (frame) => frame.type === 'event' && frame.data.type === 'text_delta');
    expect(await admin.get('threads/ada/plans/log?verify')).toMatchObject({ activeRun: expect.stringMatching(/^run_/), verified: { runs: 1, findings: [] } });
  });

  test('is whole after answers', async () => {
    await using admin = await startWithAdmin();
    await ask(admin.gw, 'ada', '..', 3);
    const told = await admin.get('threads/ada/~../log?verify');
    expectShape(ThreadLog, told);
    expect(told.verified).toEqual({ checked: told.head, runs: 3, findings: [], more: false });
  });

  test('says what differs where a store lost or doubled something', async () => {
    const real = memoryStore();
    let spoil = (entries: readonly LogEntry[]): readonly LogEntry[] => entries;
    const store: Store = {
      kind: real.kind,
      cluster: real.cluster,
      seats: real.seats,
      threads: real.threads,
      credentials: real.credentials,
      health: () => real.health(),
      [Symbol.asyncDispose]: () => real[Symbol.asyncDispose](),
      log: {
        state: (key) => real.log.state(key),
        claim: (key, o) => real.log.claim(key, o),
        watch: (key, changed) => real.log.watch(key, changed),
        append: (requests) => real.log.append(requests),
        renewEpoch: (key, o) => real.log.renewEpoch(key, o),
        trim: (o) => real.log.trim(o),
        read: async (key, from, maxBytes) => spoil(await real.log.read(key, from, maxBytes)),
      },
    };
    await using admin = await startWithAdmin({ store });
    await ask(admin.gw, 'ada', 'plans');
    const kinds = async (): Promise<string[]> =>
      (await admin.get('threads/ada/plans/log?verify')).verified.findings.map(({ kind, offset }: { kind: string; offset: number }) => `${kind} ${offset}`);
    const { head } = await admin.get('threads/ada/plans/log');
    expect(await kinds()).toEqual([]);
    spoil = (entries) => entries.filter(({ offset }) => offset !== 3);
    expect(await kinds()).toEqual(['hole 3']);
    spoil = (entries) => entries.filter(({ offset }) => offset !== head);
    expect(await kinds()).toEqual([`hole ${head}`, `end-missing ${head - 1}`]);
    spoil = (entries) => entries.flatMap((entry) => (entry.offset === head ? [entry, entry] : [entry]));
    expect(await kinds()).toEqual([`repeated ${head}`, `ended-twice ${head}`]);
    spoil = (entries) => entries.map((entry) => (entry.offset === 2 ? { ...entry, run: 'run_other' as RunId } : entry));
    expect(await kinds()).toEqual(['start-missing 3', 'end-missing 2']);
  });

  test('that retention has cut needs no start', async () => {
    const store = memoryStore();
    await using admin = await startWithAdmin({ store });
    await ask(admin.gw, 'ada', 'plans', 3);
    await store.log.trim({ keepMs: 3_600_000, streamBytes: 400, streams: 10 });
    const told = await admin.get('threads/ada/plans/log?verify');
    expect(told.first).toBeGreaterThan(1);
    expect(told.entries[0].offset).toBe(told.first);
    expect(told.verified).toMatchObject({ checked: told.head - told.first + 1, findings: [] });
  });

  test('of nobody is not there', async () => {
    await using admin = await startWithAdmin();
    await ask(admin.gw, 'ada', 'plans');
    for (const path of ['threads/ada/other/log', 'threads/ben/plans/log?verify'])
      expect((await expectProblem(await admin.ask('GET', path), 404, 'not-found')).detail).toContain('no conversation');
    const key = { user: 'ada' as UserId, thread: 'plans' as ThreadId };
    expect((await admin.get('threads/ada/plans/log')).head).toBe((await admin.gw.gateway.factory.store.log.state(key)).head);
  });
});
