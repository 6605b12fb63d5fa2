/** Any history of a person's pages over three nodes whose ways to the store are cut, frozen, deaf, whose letters are lost, late or come
 *  twice, which die and start again, and whose store forgets everything or has its clock set: a live session ends only if somebody really
 *  took its seat (I21), tokens only rise (I20), who comes is decided upon in time, and in the end nodes and store tell the same. */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { PartialOptions } from '../../src/core/options.ts';
import type { SeatDigest, SeatStore } from '../../src/ports/store.ts';
import type { ManagerId } from '../../src/protocol/ids.ts';
import { type AttemptRecord, type ModelNode, type ModelPage, ModelRig } from './model-rig.ts';
import { ADA, seatLimits } from './model-support.ts';
import { DEADLINE_MS, ForgetfulStore, VirtualRoad } from './virtual-road.ts';

const NODES = 3;
const WAIT_MS = 1_000;
const SLA_MS = 500;
/** What giving the store up costs once. */
const GIVE_UP_MS = 2 * DEADLINE_MS + 20;
const TTL_MS = 8_000;
const OPTIONS: PartialOptions = {
  timing: 'fast',
  queue: { places: 3, waitMs: WAIT_MS, promiseMs: 500 },
  resume: { windowMs: 3_000 },
  lease: { ttlMs: TTL_MS, renewMs: 2_000, tombstoneMs: 600_000 },
};
/** Nobody has to give way. */
const ROOMY: PartialOptions = { ...OPTIONS, limits: { perUser: 60, burst: { perUser: 60 } } };
const TIGHT: PartialOptions = { ...OPTIONS, limits: { perUser: 6, burst: { perUser: 8, forMs: 2_000, coolDownMs: 5_000, debtMaxMs: 4_000 } } };
/** A busy machine plays fewer. */
const LIMIT_MS = Number(process.env.LIMIT_MS ?? 30_000);
const RUNS = Number(process.env.RUNS ?? 15);

const history = fc.array(
  fc.record({
    do: fc.constantFrom(
      'arrive',
      'arrive',
      'arrive',
      'leave',
      'reset',
      'back',
      'back',
      'cut',
      'freeze',
      'deafen',
      'open',
      'open',
      'lapse',
      'take',
      'vanish',
      'kill',
      'start',
      'letters',
      'pass',
      'pass',
      'pass',
    ),
    n: fc.nat(30),
    ms: fc.oneof(fc.nat(20), fc.nat(400), fc.nat(3_000), fc.nat(12_000)),
    gap: fc.constantFrom(0, 0, 1, 50),
  }),
  { minLength: 10, maxLength: 50, size: 'max' },
);
/** What befalls the store itself in a history. Both at once is more than a token's order can survive: what was given is forgotten, and time
 *  is given again. */
const lapse = fc.constantFrom('forget', 'clock');
type Step = typeof history extends fc.Arbitrary<readonly (infer T)[]> ? T : never;

class Play {
  readonly rig: ModelRig;
  readonly shared: ForgetfulStore;
  readonly roads: VirtualRoad[];
  /** Of processes that died: what is on its way there still arrives. */
  readonly former: readonly VirtualRoad[];
  readonly problems: string[] = [];
  /** Whose seats were taken in the store, by nobody here. */
  readonly taken = new Set<ManagerId>();
  readonly #left = new Set<ModelPage>();
  readonly #tokens = new Map<ManagerId, number>();
  readonly #tier: string;
  #days = 0;

  private constructor(rig: ModelRig, shared: ForgetfulStore, roads: VirtualRoad[], former: readonly VirtualRoad[], tier: string) {
    this.rig = rig;
    this.shared = shared;
    this.roads = roads;
    this.former = former;
    this.#tier = tier;
    for (const factory of rig.living) this.#follow(factory);
  }

  #follow(factory: ModelRig['factory']): void {
    factory.on('manager-seated', ({ managerId, resume }) => {
      const token = factory.find(managerId)?.seat?.token ?? 0;
      const before = this.#tokens.get(managerId) ?? 0;
      if (resume !== 'attached' && token <= before) this.problems.push(`I20: ${managerId} was seated by ${token} after ${before}`);
      this.#tokens.set(managerId, token);
    });
  }

  static async make(options: PartialOptions, tier: string): Promise<Play> {
    let shared: ForgetfulStore | null = null;
    const roads: VirtualRoad[] = [];
    const former: VirtualRoad[] = [];
    const problems: string[] = [];
    const rig = await ModelRig.make({
      options,
      nodes: NODES,
      store: (clock, random) => {
        shared = new ForgetfulStore(clock, random);
        return { ...shared.store, seats: rising(shared.store.seats, problems) };
      },
      road: (store, clock, node) => {
        const road = new VirtualRoad(store, clock);
        if (roads[node] !== undefined) former.push(roads[node]);
        roads[node] = road;
        return road.store;
      },
    });
    const play = new Play(rig, shared as unknown as ForgetfulStore, roads, former, tier);
    play.problems.push = (...said) => problems.push(...said);
    Object.defineProperty(play, 'problems', { value: problems });
    await rig.clock.pass(7_000);
    return play;
  }

  async act({ do: what, n, ms, gap }: Step, lapseIs: string): Promise<void> {
    const node = n % NODES;
    const road = this.roads[node] as VirtualRoad;
    const seated = this.rig.seated(ADA).filter((p) => p.connection !== null);
    const page = seated[n % Math.max(1, seated.length)];
    switch (what) {
      case 'arrive':
        if (this.rig.pages.filter((p) => p.connection !== null).length < 14) this.#ask(node);
        break;
      case 'leave':
        if (page !== undefined) {
          this.#left.add(page);
          page.say({ type: 'bye', reason: 'left' });
        }
        break;
      case 'reset':
        page?.connection?.clientReset();
        break;
      case 'back': {
        const away = this.rig.pages.filter((p) => p.connection === null && p.attempt?.endedAt !== null && !this.#left.has(p));
        const back = away[n % Math.max(1, away.length)];
        if (back === undefined) break;
        // No page is seated, cut off and at another node within one millisecond, which is as fine as two nodes that are alone can tell time.
        if (back.attempt?.endedAt === this.rig.clock.now) await this.rig.clock.pass(1);
        this.#ask(node, back);
        break;
      }
      case 'cut':
        road.turn('cut');
        break;
      case 'freeze':
        road.turn('frozen');
        break;
      case 'deafen':
        road.turn('deaf');
        break;
      case 'open':
        road.open();
        break;
      case 'lapse':
        if (lapseIs === 'forget') this.shared.forget();
        else if (this.roads.every((r) => r.isOpen)) {
          this.shared.setClock(++this.#days * 86_400_000);
          // Each node has learned what time it is there.
          await this.rig.clock.pass(2_000);
        }
        break;
      case 'take':
        if (page?.manager != null) await this.#take(page.manager);
        break;
      case 'vanish':
        // Nobody tells its node.
        if (page !== undefined) page.connection = null;
        break;
      case 'kill':
        if (this.rig.living.length > 1) this.rig.kill(node);
        break;
      case 'start':
        if (this.rig.nodes[node] !== null) break;
        // Under the name of the one before, or another.
        this.rig.start(node, n % 2 === 0 ? `gw-${node + 1}` : undefined);
        this.#follow((this.rig.nodes[node] as unknown as ModelNode).factory);
        break;
      case 'letters':
        road.letters = (['come', 'lost', 'doubled', 'late'] as const)[ms % 4] ?? 'come';
        break;
      case 'pass':
        break;
    }
    await this.rig.clock.pass(what === 'pass' ? ms : gap);
  }

  #ask(node: number, page?: ModelPage): AttemptRecord {
    const record = this.rig.ask(ADA, { node, tier: this.#tier, ...(page === undefined ? {} : { page }) });
    record.page.heard ??= (frame) => {
      if (frame.type === 'bye') this.heardBye(record.page, frame.reason);
    };
    return record;
  }

  /** What a page that has room is told. */
  heardBye: (page: ModelPage, reason: string) => void = () => {};

  async #take(manager: ManagerId): Promise<void> {
    const { seats } = await this.shared.store.seats.facts(ADA, seatLimits(this.rig));
    const seat = seats.find((s) => s.manager === manager);
    if (seat === undefined) return;
    this.taken.add(manager);
    await this.shared.store.seats.evict(ADA, manager, seat.token, 'user-freed', seatLimits(this.rig));
  }

  /** All ways are open again, and there was time. */
  async heal(): Promise<void> {
    for (const road of [...this.roads, ...this.former]) {
      road.open();
      road.letters = 'come';
    }
    await this.rig.clock.pass(WAIT_MS + 3 * TTL_MS);
  }

  inStore(): Promise<readonly SeatDigest[]> {
    return this.shared.store.seats.facts(ADA, seatLimits(this.rig)).then(({ seats }) => seats);
  }

  /** Nobody wants anything any more: nodes and store tell the same. */
  async converged(): Promise<void> {
    const held = this.rig.living.flatMap((f) => f.list(ADA)).map((m) => `${m.id} ${m.seat?.token}`);
    const known = (await this.inStore()).map((seat) => `${seat.manager} ${seat.token}`);
    expect(known.toSorted()).toEqual(held.toSorted());
    expect(this.rig.living.map((f) => f.telemetry.gauges().storeFailOpen)).toEqual(this.rig.living.map(() => false));
  }

  decidedInTime(): void {
    for (const a of this.rig.attempts) {
      expect(a.state, `${a.page.name}: ${String(a.error)}`).toMatch(/^(seated|retry|left)$/);
      if (a.state === 'left') continue;
      const until = a.queuedAt ?? a.endedAt ?? Number.POSITIVE_INFINITY;
      expect(until - a.askedAt, `${a.page.name} was decided late`).toBeLessThanOrEqual(SLA_MS + GIVE_UP_MS);
      if (a.queuedAt !== null) expect((a.endedAt ?? 0) - a.queuedAt, `${a.page.name} waited for long`).toBeLessThanOrEqual(WAIT_MS + SLA_MS + GIVE_UP_MS);
      if (a.queuedAt !== null) expect(a.state, `${a.page.name} waited and was sent away`).toBe('seated');
    }
  }
}

/** Tokens that the store gives are above all that it ever gave or was told. */
function rising(seats: SeatStore, problems: string[]): SeatStore {
  let highest = 0;
  const given = new Set<number>();
  const note = (token: number, attach: string): void => {
    if (token <= highest && !given.has(token)) problems.push(`I20: the store gave ${token} to ${attach}, and knew of ${highest}`);
    given.add(token);
    highest = Math.max(highest, token);
  };
  return {
    facts: (...a) => seats.facts(...a),
    evict: (...a) => seats.evict(...a),
    release: (...a) => seats.release(...a),
    renew: (...a) => seats.renew(...a),
    enqueue: (...a) => seats.enqueue(...a),
    cancel: (...a) => seats.cancel(...a),
    admit: async (r) => {
      const answer = await seats.admit(r);
      if (answer.is === 'ok') note(answer.token, r.attach);
      return answer;
    },
    replace: async (r) => {
      const answer = await seats.replace(r);
      if (answer.is === 'ok') note(answer.token, r.attach);
      return answer;
    },
    adopt: async (user, digest, ttlMs) => {
      const answer = await seats.adopt(user, digest, ttlMs);
      if (answer.is === 'OK') {
        given.add(digest.token);
        highest = Math.max(highest, digest.token);
      }
      return answer;
    },
  };
}

it(
  'I20, I21: whatever the store forgets, delays or loses, only who was really taken ends',
  async () => {
    await fc.assert(
      fc.asyncProperty(history, lapse, async (steps, lapseIs) => {
        const play = await Play.make(ROOMY, 'enterprise');
        play.heardBye = (page, reason) => {
          if (page.manager === null || !play.taken.has(page.manager)) play.problems.push(`I21: ${page.name} was told ${reason}`);
        };
        for (const step of steps) await play.act(step, lapseIs);
        await play.heal();
        expect(play.problems).toEqual([]);
        play.decidedInTime();
        for (const page of play.rig.pages) {
          if (page.connection === null || page.manager === null || play.taken.has(page.manager)) continue;
          expect(play.rig.seated(ADA), `${page.name} is connected`).toContain(page);
        }
        await play.converged();
        await play.rig.close();
      }),
      { numRuns: RUNS, interruptAfterTimeLimit: LIMIT_MS },
    );
  },
  2 * LIMIT_MS,
);

it(
  'with little room: everybody is decided upon in time, nobody is sent away who waited, and a node alone keeps to its share',
  async () => {
    await fc.assert(
      fc.asyncProperty(history, lapse, async (steps, lapseIs) => {
        const play = await Play.make(TIGHT, 'free');
        const held = (n: number): number => play.rig.nodes[n]?.factory.list(ADA).length ?? 0;
        const isAlone = (n: number): boolean => play.rig.nodes[n]?.factory.telemetry.gauges().storeFailOpen === true;
        const most: (number | null)[] = [null, null, null];
        for (const step of steps) {
          await play.act(step, lapseIs);
          for (const n of most.keys()) {
            // Half of 6 where two nodes live, 6 where it knows of none: its share is at most the limit.
            if (!isAlone(n)) most[n] = null;
            else most[n] = Math.max(most[n] ?? held(n), 6);
            if (most[n] !== null) expect(held(n), `node ${n} alone`).toBeLessThanOrEqual(most[n]);
          }
        }
        await play.heal();
        expect(play.problems).toEqual([]);
        play.decidedInTime();
        await play.converged();
        await play.rig.close();
      }),
      { numRuns: RUNS, interruptAfterTimeLimit: LIMIT_MS },
    );
  },
  2 * LIMIT_MS,
);
