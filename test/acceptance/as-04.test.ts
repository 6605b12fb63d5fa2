import { afterEach, expect, test } from 'vitest';
import type { AgentYield } from '../../src/protocol/agent-events.ts';
import { HELLO, startGateway, type TestGateway } from '../support/gateway.ts';
import { until } from '../support/peers/kernel.ts';
import { expectWithin, gated } from '../support/peers/load-gate.ts';
import { ProvableClient } from '../support/peers/provable-client.ts';
import { numbers, SEATED_WITHIN_MS, USER } from '../support/peers/scene.ts';
import { Truth } from '../support/peers/truth.ts';
import type { WireClient, WireFrame } from '../support/wire-client.ts';

const WAIT_MS = 3_000;
const TOLD_WITHIN_MS = 100;
const PROMOTED_WITHIN_MS = 200;
const APART_MS = 100;
const PLACES = 10;

let cleanUp = new AsyncDisposableStack();
afterEach(async () => {
  await cleanUp.disposeAsync();
  cleanUp = new AsyncDisposableStack();
});

/** A run that goes on for longer than the scenario. */
async function* longRun({ signal }: { readonly signal: AbortSignal }): AsyncGenerator<AgentYield> {
  yield { type: 'agent_started', agent_name: 'long' };
  while (!signal.aborted) {
    yield { type: 'text_delta', text: 'and then ' };
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** One attempt to get a seat: what it was told, and when, counted from its `hello`. */
class Attempt {
  readonly client: WireClient;
  readonly thread: string;
  readonly saidHelloAt = performance.now();
  readonly #at = new Map<WireFrame, number>();

  private constructor(client: WireClient, thread: string, hello: object) {
    this.client = client;
    this.thread = thread;
    client.sendFrame(hello);
    // Said at once; it is processed when it has a seat.
    client.sendFrame({ type: 'subscribe', sub: 1, thread, from: 'start' });
    client.sendFrame({ type: 'send', id: 'q', thread, data: { text: 'a long story, please' } });
  }

  static async dial(gw: TestGateway, thread: string, more: object = {}): Promise<Attempt> {
    const token = await gw.token(USER);
    const client = (await gw.open({ deadlineMs: 2 * WAIT_MS })).behave();
    const attempt = new Attempt(client, thread, { ...HELLO, token, client: { ...HELLO.client, label: thread }, ...more });
    void attempt.#watch();
    return attempt;
  }

  async #watch(): Promise<void> {
    let seen = 0;
    await until(
      'an end of this attempt',
      () => {
        for (; seen < this.client.frames.length; seen++) this.#at.set(this.client.frames[seen] as WireFrame, performance.now() - this.saidHelloAt);
        return this.ready !== null || !this.client.isOpen;
      },
      3 * WAIT_MS,
      5,
    ).catch(() => {
      // Whoever needs the answer says what is missing.
    });
  }

  get queued(): readonly WireFrame[] {
    return this.client.frames.filter((f) => f.type === 'queued');
  }
  get ready(): WireFrame | null {
    return this.client.frames.find((f) => f.type === 'ready') ?? null;
  }
  /** Milliseconds from its `hello` to this frame. */
  after(frame: WireFrame | null | undefined): number {
    return frame == null ? Number.NaN : (this.#at.get(frame) ?? Number.NaN);
  }
  get place(): number {
    return this.queued.at(-1)?.position ?? 0;
  }
}

const pause = async (ms: number): Promise<void> => {
  await new Promise((resolve) => setTimeout(resolve, ms));
};

test(
  'AS-04 a full burst: ten wait in order, the eleventh is told a time that works, each is seated in its time by exactly one for one',
  { timeout: 90_000 },
  gated(async () => {
    const gw = cleanUp.use(await startGateway({ timing: 'fast', agent: longRun, queue: { waitMs: WAIT_MS } }));
    const truth = cleanUp.use(new Truth(gw));
    const outcomes: string[] = [];
    const levels: { readonly level: string; readonly victims: number }[] = [];
    gw.gateway.on('admission-ended', (record) => outcomes.push(record.outcome));
    gw.gateway.on('cleanup-finished', (report) => levels.push({ level: report.levels.at(-1)?.level ?? '', victims: report.victims.length }));
    let mostSeats = 0;
    const sampler = setInterval(() => {
      mostSeats = Math.max(mostSeats, gw.gateway.factory.list(USER).length);
    }, 10);
    cleanUp.defer(() => clearInterval(sampler));

    const seated: ProvableClient[] = [];
    for (let i = 0; i < 25; i++) {
      const client = await ProvableClient.open(gw.wsUrl, { token: await gw.token(USER), thread: `seated-${i}` });
      cleanUp.use(client.wire);
      truth.works(client.manager, USER);
      client.wire.sendFrame({ type: 'send', id: 'q', thread: `seated-${i}`, data: { text: 'a long story, please' } });
      await client.wire.next('run-accepted');
      seated.push(client);
    }
    expect(await numbers(gw)).toMatchObject({ seats: 25, sockets: 25 });

    // Ten find a place and one does not.
    const waiting: Attempt[] = [];
    for (let i = 0; i < PLACES; i++) {
      const attempt = await Attempt.dial(gw, `waiting-${i}`);
      waiting.push(attempt);
      const told = await attempt.client.next('queued');
      await until('the time to be noted', () => !Number.isNaN(attempt.after(told)));
      expect(told).toMatchObject({ position: i + 1 });
      expect(told.etaMs).toBeGreaterThan(0);
      expectWithin('a place', attempt.after(told), TOLD_WITHIN_MS);
      await pause(APART_MS - 50);
    }
    const refused = await Attempt.dial(gw, 'refused');
    const bye = await refused.client.next('bye');
    expect(bye.code).toBeGreaterThanOrEqual(4100);
    expect(bye.code).toBeLessThan(4200);
    expect(bye).toMatchObject({ reason: 'queue-full', return: 'after' });
    expect(bye.retryAfterMs).toBeGreaterThan(0);
    expect(bye.retryAfterMs).toBeLessThanOrEqual(WAIT_MS);
    const refusedAt = performance.now();

    // The fifth leaves: those behind it move up, and the next one finds the last place.
    const [leaver] = waiting.splice(4, 1) as [Attempt];
    leaver.client.cut();
    const leftAt = performance.now();
    await until('those behind to move up', () => waiting.every((attempt, i) => attempt.place === i + 1));
    expectWithin('a better place', performance.now() - leftAt, TOLD_WITHIN_MS + 50);
    const late = await Attempt.dial(gw, 'late');
    expect(await late.client.next('queued')).toMatchObject({ position: PLACES });
    waiting.push(late);

    // A seated one leaves: the head of the queue has its seat.
    const [head] = waiting as [Attempt];
    const freedAt = performance.now();
    seated[24]?.wire.sendFrame({ type: 'bye', reason: 'left' });
    await until('the head of the queue to be seated', () => head.ready !== null);
    expectWithin('the freed seat', performance.now() - freedAt, PROMOTED_WITHIN_MS);

    // Whoever was told to come back does so at its time, and is heard at the first try.
    await pause(Math.max(0, bye.retryAfterMs - (performance.now() - refusedAt)));
    const back = await Attempt.dial(gw, 'refused', { resume: { manager: bye.manager, token: bye.resumeToken, subs: [] } });
    const answer = await back.client.nextWhere('a seat or a place', (f) => f.type === 'ready' || f.type === 'queued' || f.type === 'bye');
    expect(answer.type).not.toBe('bye');

    // Every other ticket is seated when its time is over, one for one.
    await until('every ticket to be seated', () => waiting.every((attempt) => attempt.ready !== null) && back.ready !== null, 3 * WAIT_MS);
    for (const attempt of waiting) {
      if (attempt === head) continue;
      await until('the time to be noted', () => !Number.isNaN(attempt.after(attempt.ready)));
      expect(attempt.after(attempt.ready), attempt.thread).toBeGreaterThanOrEqual(WAIT_MS - 50);
      expectWithin(`a seat for ${attempt.thread}`, attempt.after(attempt.ready), WAIT_MS + SEATED_WITHIN_MS);
    }
    for (const attempt of [...waiting, back]) {
      const places = attempt.queued.map((f) => f.position as number);
      expect(places).toEqual([...places].sort((a, b) => b - a));
    }
    const forces = outcomes.filter((outcome) => outcome === 'force').length;
    expect(forces).toBeGreaterThanOrEqual(waiting.length - 1);
    expect(levels.filter((l) => l.level === 'force')).toEqual(Array(forces).fill({ level: 'force', victims: 1 }));
    const everybody = [...seated.slice(0, 24).map((client) => client.wire), ...[...waiting, back].map((attempt) => attempt.client)];
    const farewells = (): number => everybody.filter((client) => client.frames.some((f) => f.type === 'bye')).length;
    await until('each of them to be told', () => farewells() >= forces, 1_000);
    expect(farewells()).toBe(forces);
    const gaveWay = seated.slice(0, 24).filter((client) => client.bye !== null);
    for (const client of gaveWay) expect(client.bye).toMatchObject({ reason: 'lowest-value', return: 'user' });
    expect(mostSeats).toBe(25);
    expect(await numbers(gw)).toMatchObject({ seats: 25, effective: 25 });

    // Each message said while waiting was processed exactly once, and no eviction ended a run.
    for (const attempt of [...waiting, back]) {
      await until(`${attempt.thread} to be answered`, () => attempt.client.frames.some((f) => f.type === 'run-accepted' && f.thread === attempt.thread));
      const response = await gw.request('GET', `/v1/threads/${attempt.thread}/messages`, { user: USER });
      const { messages } = (await response.json()) as { messages: { role: string }[] };
      expect(messages.filter((m) => m.role === 'user')).toHaveLength(1);
    }
    for (const client of gaveWay) {
      const stopped = client.wire.frames
        .flatMap((f) => (f.type === 'event' ? [f.data].flat() : []))
        .filter((e) => e.type === 'agent_completed' || e.type === 'agent_error');
      expect(stopped).toEqual([]);
    }
    for (const attempt of [...waiting, back]) truth.works(attempt.ready?.manager, USER);
    await truth.conclude();
  }),
);
