/** Mistakes of the past as adversarial fixtures: each would succeed against a factory that repeats it. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import v8 from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { ManagerId, ThreadId, UserId } from '../../src/protocol/ids.ts';
import type { AttemptRecord, ModelPage, ModelRig } from './model-rig.ts';
import { ADA, fill, inMemory } from './model-support.ts';

const TALK = 'talk' as ThreadId;
const sourceFolder = new URL('../../src', import.meta.url).pathname;
const sources = readdirSync(sourceFolder, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.tsx?$/.test(name) && !/\.test\.tsx?$/.test(name))
  .map((name) => ({ name, text: readFileSync(join(sourceFolder, name), 'utf8') }));
const containing = (pattern: RegExp): string[] => sources.filter(({ text }) => pattern.test(text)).map(({ name }) => name);

/** Lets as much virtual time pass as a call needs. */
async function now<T>(rig: ModelRig, call: Promise<T>): Promise<T> {
  rig.clock.touch();
  await rig.clock.pass(1);
  return await call;
}

const managerOf = (rig: ModelRig, page: ModelPage | undefined) => {
  const manager = page?.manager == null ? undefined : rig.factory.find(page.manager);
  if (manager === undefined) throw new Error('Expected a seated page.');
  return manager;
};

describe('evidence', () => {
  it('D04: asking, looking, planning and pinging refresh nothing', async () => {
    const rig = await inMemory({ cleanup: { proactive: false } });
    const [page] = await fill(rig, 1);
    const manager = managerOf(rig, page);
    await rig.clock.pass(100);
    page?.corpse();
    const { ackAt, answerAt, inboundAt } = manager.evidence;
    for (let i = 0; i < 50; i++) {
      void manager.verdict;
      void rig.factory.planCleanup(ADA);
      manager.attachment?.probe();
      manager.attachment?.ping();
      await rig.clock.pass(100);
    }
    expect(manager.evidence).toMatchObject({ ackAt, answerAt, inboundAt });
    // Its socket has answered every ping.
    expect(manager.evidence.pongAt).toBeGreaterThan(ackAt);
    await rig.clock.pass(5_000);
    expect(manager.verdict.is).toBe('zombie');
    await rig.close();
  });

  it('D18: what was sent is not delivered until the page says so', async () => {
    const rig = await inMemory({ cleanup: { proactive: false } });
    const [page] = await fill(rig, 1);
    const manager = managerOf(rig, page);
    page?.corpse();
    for (let i = 0; i < 5; i++) await now(rig, rig.factory.publish(ADA, TALK, { type: 'text_delta', text: 'x' }));
    await rig.clock.pass(9_000);
    expect(manager.acknowledged(TALK)).toBeNull();
    expect(manager.evidence.owed?.events).toBe(5);
    expect(manager.verdict).toMatchObject({ is: 'zombie', reason: 'ack-timeout' });
    await rig.close();
  });

  it('D09: twenty silent managers are asked together, and whoever needs a seat waits for one round at most', async () => {
    const rig = await inMemory({ limits: { perUser: 20, burst: { perUser: 20 } }, cleanup: { proactive: false } });
    const pages = await fill(rig, 20);
    const askedAt: number[] = [];
    for (const page of pages) {
      page.corpse();
      page.heard = ({ type }) => type === 'probe' && askedAt.push(rig.clock.now);
    }
    await rig.clock.pass(1_200);
    expect(askedAt.length).toBe(20);
    expect(Math.max(...askedAt) - Math.min(...askedAt)).toBeLessThanOrEqual(200);
    const attempt = rig.ask(ADA);
    await rig.clock.pass(500);
    expect(attempt.state).toBe('seated');
    expect((attempt.endedAt as number) - attempt.askedAt).toBeLessThanOrEqual(rig.factory.options.cleanup.probeRoundMs + 5);
    await rig.close();
  });
});

describe('who goes', () => {
  it('D11: death has no tier', async () => {
    const rig = await inMemory({ limits: { perUser: 4, burst: { perUser: 4 } } });
    const pages = await fill(rig, 4, ADA, 'enterprise');
    for (const page of pages) page.corpse();
    await rig.clock.pass(4_000);
    const attempt = rig.ask(ADA, { tier: 'enterprise', intent: 'auto' });
    await rig.clock.pass(20);
    expect(attempt.state).toBe('seated');
    expect(rig.factory.list(ADA).length).toBe(1);
    await rig.close();
  });

  it('D12: a newcomer that has said nothing yet is not the first to go', async () => {
    const rig = await inMemory({ limits: { perUser: 4, burst: { perUser: 4 }, overflowPolicy: 'force-first' } });
    await fill(rig, 3);
    await rig.clock.pass(2_000);
    const [newcomer] = await fill(rig, 1);
    const attempt = rig.ask(ADA);
    await rig.clock.pass(20);
    expect(attempt.state).toBe('seated');
    expect(rig.factory.find(newcomer?.manager as ManagerId)).toBeDefined();
    await rig.close();
  });

  it('D16: fifty at once at a limit of ten are ten', async () => {
    const rig = await inMemory({ limits: { perUser: 10, burst: { perUser: 10 } } });
    let most = 0;
    rig.tap({
      after: (_part, _call, _args, answer) => {
        const { facts } = answer as { facts?: { seats: readonly unknown[] } };
        most = Math.max(most, facts?.seats.length ?? 0);
        return undefined;
      },
    });
    const attempts: AttemptRecord[] = Array.from({ length: 50 }, () => rig.ask(ADA));
    await rig.clock.pass(50);
    expect(most).toBe(10);
    expect(attempts.filter((a) => a.state === 'seated').length).toBe(10);
    expect(rig.ledger.problems).toEqual([]);
    await rig.close();
  });
});

describe('books', () => {
  it('D07: what is counted as freed is what was freed, also where some could not be', async () => {
    const rig = await inMemory({ limits: { perUser: 6 } });
    const pages = await fill(rig, 4);
    for (const page of pages) page.connection?.clientReset();
    await rig.clock.pass(600);
    const ended: string[] = [];
    rig.factory.on('manager-ended', ({ managerId }) => ended.push(managerId));
    let failures = 1;
    rig.tap({
      before: (_, call) => {
        if (call === 'evict' && failures-- > 0) throw new Error('This one could not be taken.');
        return undefined;
      },
    });
    const report = await now(rig, rig.factory.cleanup(ADA, { upTo: 'conservative', need: 4 }));
    const status = rig.factory.getFactoryStatus();
    expect([report?.victims.length, report?.result, ended.length, status.evicted, rig.factory.list(ADA).length]).toEqual([3, 'failed', 3, 3, 1]);
    expect(Object.values(status.freed).reduce((sum, freed) => sum + freed, 0)).toBe(3);
    expect([report?.before, report?.after]).toEqual([4, 1]);
    await rig.close();
  });

  it('D17: a socket is counted until its close is seen, whatever became of its seat; and listeners may ask the factory anything', async () => {
    const rig = await inMemory({ limits: { perUser: 4 } });
    const [page, other] = await fill(rig, 2);
    // The socket ignores that it is destroyed, and the page answers nothing.
    page?.corpse();
    const { connection } = page as ModelPage;
    const terminate = connection?.terminate.bind(connection);
    if (connection) connection.terminate = () => {};
    const inside: Promise<unknown>[] = [];
    rig.factory.on('manager-ended', ({ user }) => {
      // With a lock that is not re-entrant this would never come back.
      inside.push(rig.factory.cleanup(user), rig.factory.evict(other?.manager as ManagerId, { reason: 'user-freed', by: null }));
    });
    expect(await now(rig, rig.factory.evict(page?.manager as ManagerId, { reason: 'user-freed', by: null }))).toBe(true);
    await rig.clock.pass(1_000);
    await Promise.all(inside);
    expect(rig.factory.getFactoryStatus()).toMatchObject({ seats: 0, sockets: 1, quarantined: 1 });
    if (connection && terminate) connection.terminate = terminate;
    await rig.clock.pass(1_500);
    expect(rig.factory.getFactoryStatus()).toMatchObject({ sockets: 0, quarantined: 0 });
    await rig.close();
  });

  it('D19: every event has an id of its own', async () => {
    const rig = await inMemory({});
    const seen = new Set<string>();
    for (let i = 0; i < 200; i++) await now(rig, rig.factory.publish(ADA, TALK, { type: 'text_delta', text: 'same words' }));
    const entries = await now(rig, rig.store.log.read({ user: ADA, thread: TALK }, 1, 1e9));
    for (const { data } of entries) seen.add((JSON.parse(data) as { event_id: string }).event_id);
    expect(seen.size).toBe(200);
    await rig.close();
  });

  it('D23: a user whose id begins like another’s is another user', async () => {
    const rig = await inMemory({ limits: { perUser: 3, burst: { perUser: 3 }, overflowPolicy: 'force-first' } });
    await fill(rig, 3, 'ada' as UserId);
    await fill(rig, 3, 'ada2' as UserId);
    await fill(rig, 2, 'ad' as UserId);
    const attempt = rig.ask('ada' as UserId);
    await rig.clock.pass(300);
    expect(attempt.state).toBe('seated');
    expect(['ada', 'ada2', 'ad'].map((user) => rig.factory.list(user as UserId).length)).toEqual([3, 3, 2]);
    await rig.close();
  });

  it('D25: the background pass runs without being asked', async () => {
    const beats: number[] = [];
    const rig = await inMemory({}, { record: ({ event }) => void (event === 'cleanup-heartbeat' && beats.push(1)) });
    await rig.clock.pass(5_100);
    expect(beats.length).toBeGreaterThanOrEqual(10);
    await rig.close();
  });

  it('D30: all sessions of a user are known, and the node keeps the seats of all of them', async () => {
    const rig = await inMemory({ limits: { perUser: 5 }, lease: { ttlMs: 1_000, renewMs: 300 } });
    await fill(rig, 5);
    await rig.clock.pass(5_000);
    expect(rig.factory.list(ADA).length).toBe(5);
    await rig.compareAtRest(ADA);
    expect([...rig.problems, ...rig.ledger.problems]).toEqual([]);
    await rig.close();
  });

  it('D34: a thousand sessions that came and went leave no memory behind, in bytes', async () => {
    v8.setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const rig = await inMemory({ lease: { tombstoneMs: 1_000 }, resume: { windowMs: 500 } });
    const cycle = async (times: number): Promise<number> => {
      for (let i = 0; i < times; i++) {
        const { page } = rig.ask(`user ${i % 50}` as UserId);
        await rig.clock.pass(8);
        if (i % 3 === 0) page.connection?.clientReset();
        else page.say({ type: 'bye', reason: 'left' });
        await rig.clock.pass(4);
      }
      await rig.clock.pass(6_000);
      rig.pages.length = 0;
      rig.attempts.length = 0;
      collect();
      return process.memoryUsage().heapUsed;
    };
    await cycle(500);
    const before = await cycle(500);
    const after = await cycle(1_000);
    expect(rig.factory.getFactoryStatus()).toMatchObject({ seats: 0, sockets: 0, users: 0 });
    expect(after - before).toBeLessThan(1_500_000);
    await rig.close();
  }, 30_000);
});

describe('the source', () => {
  it('D05: holds no mocks, hooks or modes for tests', () => {
    expect(containing(/\b(mock|fake|stub)(ed|s|Mode)?\b/i)).toEqual([]);
    expect(containing(/NODE_ENV|VITEST|isTest\b|testMode|forTests?Only/)).toEqual([]);
  });

  it('D06: draws no figures at random, and shows none that nobody counted', () => {
    // What runs in pages has jitter and ids of its own; on the server chance comes through its port.
    expect(containing(/Math\.random\(/).filter((name) => !/^(client|integrations|admin)\//.test(name))).toEqual([]);
    expect(containing(/\bsimulat(ed|ion)\b/i).filter((name) => name !== 'ports/clock.ts')).toEqual([]);
  });

  it('D22: a thread is not a user, as the compiler knows', () => {
    const thread = 'ada' as ThreadId;
    // @ts-expect-error ids are not interchangeable
    const user: UserId = thread;
    expect(user).toBe('ada');
  });

  it('D35: has one factory, and one place that decides how many', () => {
    // The package's own one only chooses defaults for it.
    const factories = sources.flatMap(({ text }) => [...text.matchAll(/^export (?:abstract )?class (\w*Factory)\b/gm)].map((m) => m[1]));
    expect(new Set(factories)).toEqual(new Set(['WebSocketManagerFactory']));
    expect(sources.flatMap(({ text }) => [...text.matchAll(/'limits\.perUser':/g)])).toHaveLength(1);
    expect(containing(/function stepBurst|const stepBurst =/)).toEqual(['core/burst.ts']);
  });
});
