import { afterEach, expect, test } from 'vitest';
import type { AdmissionRecord, CleanupReport } from '../../src/managers/events.ts';
import type { ThreadId } from '../../src/protocol/ids.ts';
import { HELLO, startGateway, type TestGateway } from '../support/gateway.ts';
import { between, seeded } from '../support/lab/seeded.ts';
import { until } from '../support/peers/kernel.ts';
import { expectWithin, gated } from '../support/peers/load-gate.ts';
import { portOf } from '../support/peers/peer.ts';
import type { ProvableClient } from '../support/peers/provable-client.ts';
import { connect, numbersBecome, SEATED_WITHIN_MS, USER } from '../support/peers/scene.ts';
import { Browser, type Tab } from '../support/peers/tabs.ts';
import { Truth } from '../support/peers/truth.ts';

/** All shortened: a lease of 60 s, a wait of 10 s, quiet after 60 s, a resume window of 120 s, three minutes of cuts. */
const LEASE_MS = 3_000;
const WAIT_MS = 2_000;
const QUIET_MS = 2_500;
const WINDOW_MS = 4_000;
/** Twice around; in between a connection lasts long enough for the next loss to begin with the shortest wait. */
const ROUNDS = 2;
const BETWEEN_CUTS_MS = 270;
const CUT_MS = [50, 300] as const;
const EVENT_EVERY_MS = 400;
const TABS = 30;
const LIMIT = 20;
const OPENED_EVERY_MS = 50;
const CALM_MS = 1_500;
const SEED = 7;
const ATTEMPTS = 10;

let cleanUp = new AsyncDisposableStack();
afterEach(async () => {
  await cleanUp.disposeAsync();
  cleanUp = new AsyncDisposableStack();
});

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

interface Watched {
  readonly gw: TestGateway;
  readonly admissions: AdmissionRecord[];
  readonly cleanups: CleanupReport[];
}

async function watched(overflowPolicy: 'burst-first' | 'force-first' = 'burst-first'): Promise<Watched> {
  const gw = cleanUp.use(
    await startGateway({
      timing: 'fast',
      limits: { overflowPolicy, burst: { forMs: LEASE_MS, coolDownMs: 60_000 } },
      queue: { waitMs: WAIT_MS },
      cleanup: { idleFullMs: QUIET_MS },
      resume: { windowMs: WINDOW_MS },
    }),
  );
  const admissions: AdmissionRecord[] = [];
  const cleanups: CleanupReport[] = [];
  gw.gateway.on('admission-ended', (record) => admissions.push(record));
  gw.gateway.on('cleanup-finished', (report) => cleanups.push(report));
  return { gw, admissions, cleanups };
}

/** An event in the thread of each of these tabs, again and again: 1, 2, 3 … */
function speakTo(gw: TestGateway, tabs: readonly Tab[]): void {
  let n = 0;
  const timer = setInterval(() => {
    n += 1;
    for (const { thread } of tabs) void gw.gateway.publish(USER, thread as ThreadId, { type: 'text_delta', text: `${n} ` });
  }, EVENT_EVERY_MS);
  cleanUp.defer(() => clearInterval(timer));
}

const evictions = ({ cleanups }: Watched) => cleanups.flatMap((report) => report.victims.map((victim) => ({ ...victim, trigger: report.trigger })));
const ofTheLiving = (w: Watched) => evictions(w).filter(({ verdict }) => verdict !== 'inactive' && verdict !== 'zombie');
/** Admissions that nobody asked for, and that cost somebody a seat or ended above the limit. */
const costly = ({ admissions }: Watched) =>
  admissions.filter(
    (a) => a.intent === 'auto' && (a.outcome === 'burst' || a.outcome === 'force' || a.levels.some((l) => l.level === 'aggressive' || l.level === 'force')),
  );

test(
  'AS-03c thirty tabs of the SDK on a bad network: each is evicted once at most, and none because another came back by itself',
  { timeout: 90_000 },
  gated(async () => {
    const w = await watched();
    const { gw } = w;
    const truth = cleanUp.use(new Truth(gw));
    const token = await gw.token(USER);
    const browsers = [cleanUp.use(new Browser()), cleanUp.use(new Browser())] as const;
    const tabs: Tab[] = [];
    for (let i = 0; i < TABS; i++) {
      tabs.push(await browsers[i % 2 === 0 ? 0 : 1].open(portOf(gw), token, `tab-${i}`));
      await pause(OPENED_EVERY_MS);
    }
    // Ten of them are never spoken to.
    speakTo(gw, tabs.slice(10));

    // Twenty have room, five a lease, five wait and then take the place of one each; when the lease is over five more give way.
    const live = (): readonly Tab[] => tabs.filter((tab) => tab.state === 'live');
    const sentAway = (): readonly Tab[] => tabs.filter((tab) => tab.state === 'superseded');
    await until('twenty tabs to be live and ten to rest', () => live().length === LIMIT && sentAway().length === TABS - LIMIT, 20_000);
    for (const tab of live()) truth.works(tab.manager, USER, 'tab');
    expect(
      evictions(w)
        .map((victim) => victim.managerId)
        .sort(),
    ).toEqual(
      sentAway()
        .map((tab) => tab.manager)
        .sort(),
    );
    for (const tab of sentAway()) {
      expect(['lowest-value', 'burst-repaid']).toContain(tab.sentAway?.reason);
      expect(tab.dials).toEqual(['user']);
    }
    await numbersBecome(gw, { seats: LIMIT, effective: LIMIT, sockets: LIMIT });

    // The network breaks for one tab after another; each comes back by itself, to the seat that it still has.
    const staying = live();
    const resting = sentAway();
    const before = evictions(w).length;
    const random = seeded(SEED);
    for (let i = 0; i < ROUNDS * LIMIT; i++) {
      const tab = staying[i % LIMIT] as Tab;
      expect(tab.state, tab.thread).toBe('live');
      truth.away(tab.manager);
      tab.road.become({ is: 'cut' });
      setTimeout(() => tab.road.become({ is: 'clear' }), between(random, ...CUT_MS));
      await pause(BETWEEN_CUTS_MS);
    }
    await until('everybody to be back', () => staying.every((tab) => tab.state === 'live'), 10_000);
    for (const tab of staying) truth.works(tab.manager, USER, 'tab');
    expect(evictions(w)).toHaveLength(before);
    for (const tab of staying) expect(tab.seated.slice(1), tab.thread).toEqual(Array(ROUNDS).fill('attached'));
    await numbersBecome(gw, { seats: LIMIT, effective: LIMIT, sockets: LIMIT });

    // One is away for so long that its seat is given back, and the person opens a resting tab on it.
    const [away, leaver] = staying as [Tab, Tab];
    const [asked] = resting as [Tab];
    truth.away(away.manager);
    away.road.become({ is: 'cut' });
    await until('its seat to be given back', () => gw.gateway.factory.list(USER).length === LIMIT - 1, 2 * WINDOW_MS + 2_000);
    asked.tell({ resume: true });
    await until('the tab that the person asked for to be live', () => asked.state === 'live');
    truth.works(asked.manager, USER, 'tab');
    expect(ofTheLiving(w)).toHaveLength(before);
    // It comes back by itself, finds all seats taken, and takes nobody's.
    away.road.become({ is: 'clear' });
    await until('it to wait for a seat', () => away.state === 'queued', 20_000);
    await pause(CALM_MS);
    expect(away.state).not.toBe('live');
    expect(ofTheLiving(w)).toHaveLength(before);
    // The person closes another one: now there is room.
    const closedAt = performance.now();
    leaver.tell({ close: true });
    await until('it to be live again', () => away.state === 'live', 15_000);
    if (away.seated.at(-1) === 'readmitted' && away.states.filter((s) => s === 'queued').length === 1)
      expectWithin('a seat for whoever waits', performance.now() - closedAt, SEATED_WITHIN_MS);
    truth.works(away.manager, USER, 'tab');

    // Whoever was sent away has waited for its person, and everybody has read everything once.
    for (const tab of resting) expect(tab.dials, tab.thread).toEqual(tab === asked ? ['user', 'user'] : ['user']);
    const times = new Map<string, number>();
    for (const { managerId } of evictions(w)) times.set(managerId, (times.get(managerId) ?? 0) + 1);
    expect(Math.max(...times.values())).toBe(1);
    expect(ofTheLiving(w)).toHaveLength(TABS - LIMIT);
    expect(costly(w)).toEqual([]);
    expect(w.admissions.some((a) => a.intent === 'auto' && a.outcome === 'after-queue')).toBe(true);
    expect(tabs.flatMap((tab) => tab.holes)).toEqual([]);
    await numbersBecome(gw, { seats: LIMIT, effective: LIMIT, sockets: LIMIT });
    await truth.conclude();
  }),
);

test(
  'AS-03c a client that was evicted and comes back all the same takes nobody’s seat, however often it tries',
  { timeout: 60_000 },
  gated(async () => {
    const w = await watched('force-first');
    const { gw } = w;
    const seated = await connect(cleanUp, { gw }, LIMIT, 0);
    const [newcomer] = await connect(cleanUp, { gw }, 1, 0);
    await until('one to give way', () => seated.some((client) => client.bye !== null), 1_000);
    const evicted = seated.find((client) => client.bye !== null) as ProvableClient;
    expect(evicted.bye).toMatchObject({ reason: 'lowest-value', return: 'user' });

    const token = await gw.token(USER);
    const answers: string[] = [];
    for (let i = 0; i < ATTEMPTS; i++) {
      const again = await gw.open();
      const resume = { manager: evicted.manager, token: evicted.bye?.resumeToken ?? evicted.ready.resumeToken, subs: [] };
      again.sendFrame({ ...HELLO, token, intent: 'auto', resume });
      const answer = await again.nextWhere('an answer', (f) => f.type === 'queued' || f.type === 'ready' || f.type === 'bye');
      answers.push(answer.type);
      again.cut();
    }
    expect(new Set(answers)).toEqual(new Set(['queued']));
    expect(ofTheLiving(w)).toHaveLength(1);
    expect(costly(w)).toEqual([]);
    expect(newcomer?.wire.isOpen).toBe(true);
    expect(seated.filter((client) => client.bye !== null || !client.wire.isOpen)).toEqual([evicted]);
    await numbersBecome(gw, { seats: LIMIT, effective: LIMIT, sockets: LIMIT });
  }),
);
