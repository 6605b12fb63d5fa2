import { setTimeout as delay } from 'node:timers/promises';
import type { FaultGateway } from '../faults/fault-gateway.ts';
import { between, pick, type Seeded, seeded, weighted } from '../support/lab/seeded.ts';
import { asking } from '../support/lossless/numbered-agent.ts';
import type { Road } from '../support/peers/tcp-relay.ts';
import type { ChaosClient, ChaosHome, Fleet } from './fleet.ts';
import { rawPeer } from './raw-peers.ts';

/** How often each happens, against the others. */
const WEIGHTS = {
  'process stopped': 3,
  'process killed': 3,
  'process frozen': 2,
  'road cut': 6,
  'road silent': 4,
  'window closed': 3,
  'slow reader': 3,
  'bad link': 2,
  'handler stuck': 3,
  'evicted by an operator': 4,
  'raw peer': 6,
  'message sent': 8,
  'gateway busy': 1,
  'gateway stopped': 1,
} as const;
export type Fault = keyof typeof WEIGHTS;

/** Milliseconds that each lasts, from and to. */
const LASTS: Readonly<Partial<Record<Fault, readonly [number, number]>>> = {
  'process stopped': [2_000, 40_000],
  'process killed': [0, 5_000],
  'process frozen': [1_000, 20_000],
  'road cut': [100, 10_000],
  'road silent': [5_000, 40_000],
  'window closed': [5_000, 30_000],
  'slow reader': [10_000, 30_000],
  'bad link': [10_000, 30_000],
  'handler stuck': [5_000, 30_000],
  'gateway busy': [200, 2_000],
  'gateway stopped': [500, 3_000],
};
const APART_MS = [100, 700] as const;
const BACK_AFTER_MS = [1_000, 10_000] as const;

/** Faults of the catalogue by seed, one after the other and many at a time, until it is stopped and all is healed. */
export class Faults {
  readonly happened = new Map<string, number>();
  readonly #gateway: FaultGateway;
  readonly #fleet: Fleet;
  readonly #random: Seeded;
  readonly #scale: number;
  readonly #stop = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
  readonly #hitRoads = new Set<ChaosClient>();
  #loop: Promise<void> = Promise.resolve();
  #visits: Promise<void> = Promise.resolve();
  #isGatewayHit = false;

  constructor(gateway: FaultGateway, fleet: Fleet, random: Seeded, scale: number) {
    this.#gateway = gateway;
    this.#fleet = fleet;
    this.#random = random;
    this.#scale = scale;
  }

  begin(): void {
    this.#loop = this.#keepHitting();
    this.#visits = this.#keepAsking();
  }

  async #keepHitting(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const fault = weighted(this.#random, WEIGHTS);
      const hit = this.#hit(fault, between(this.#random, ...(LASTS[fault] ?? [0, 0])) / this.#scale);
      this.#underWay.add(hit);
      void hit.finally(() => this.#underWay.delete(hit)).catch(() => {});
      await this.#pause(between(this.#random, ...APART_MS));
    }
  }

  /** The people of those that were sent away come back some time. */
  async #keepAsking(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#pause(between(this.#random, ...BACK_AFTER_MS) / this.#scale);
      for (const client of this.#fleet.clients) if (client.state === 'superseded') client.resume();
    }
  }

  #pause(ms: number): Promise<void> {
    return delay(ms, undefined, { signal: this.#stop.signal }).catch(() => {});
  }

  #count(what: string): void {
    this.happened.set(what, (this.happened.get(what) ?? 0) + 1);
  }

  async #hit(fault: Fault, ms: number): Promise<void> {
    switch (fault) {
      case 'process stopped':
        return await this.#hitHome(fault, async ({ process }) => {
          process.signal('SIGSTOP');
          await this.#pause(ms);
          process.signal('SIGCONT');
        });
      case 'process killed':
        return await this.#hitHome(fault, async (home) => {
          await home.killed();
          await this.#pause(ms);
          await home.bornAgain();
        });
      case 'process frozen':
        return await this.#hitHome(fault, async (home) => {
          home.clients[0]?.freeze(ms);
          await delay(ms);
        });
      case 'road cut':
        return await this.#hitRoad(fault, ms, { is: 'cut' });
      case 'road silent':
        return await this.#hitRoad(fault, ms, { is: 'swallow' });
      case 'window closed':
        return await this.#hitRoad(fault, ms, { is: 'unread' });
      case 'slow reader':
        return await this.#hitRoad(fault, ms, { is: 'slow', bytesPerS: between(this.#random, 100, 2_000) });
      case 'bad link':
        return await this.#hitRoad(fault, ms, { is: 'shaky', delayMs: [100, 600], heldMs: [500, 4_000], random: seeded(between(this.#random, 1, 1e6)) });
      case 'handler stuck': {
        const client = pick(this.#random, this.#fleet.clients);
        this.#count(fault);
        client.stick();
        await this.#pause(ms);
        client.goOn();
        return;
      }
      case 'evicted by an operator':
        return await this.#evict(fault);
      case 'message sent':
        this.#count(fault);
        pick(this.#random, this.#fleet.clients).send(asking({ count: 2 }));
        return;
      case 'raw peer':
        this.#count(await rawPeer(this.#gateway, [...new Set(this.#fleet.clients.map(({ user }) => user))], this.#random, this.#stop.signal));
        return;
      case 'gateway busy':
        return await this.#hitGateway(fault, () => this.#gateway.busy(ms));
      case 'gateway stopped':
        return await this.#hitGateway(fault, async () => {
          await this.#gateway.kill('SIGSTOP');
          await delay(ms);
          await this.#gateway.kill('SIGCONT');
        });
    }
  }

  async #hitHome(fault: Fault, act: (home: ChaosHome) => Promise<void>): Promise<void> {
    const home = pick(this.#random, this.#fleet.homes);
    if (home.isHit) return;
    home.isHit = true;
    this.#count(fault);
    await act(home);
    home.isHit = false;
  }

  async #hitRoad(fault: Fault, ms: number, road: Road): Promise<void> {
    const client = pick(
      this.#random,
      this.#fleet.clients.filter(({ relay }) => relay !== null),
    );
    if (client.relay === null || this.#hitRoads.has(client)) return;
    this.#hitRoads.add(client);
    this.#count(fault);
    client.relay.become(road);
    await this.#pause(ms);
    // What a relay has swallowed no TCP would bring again: such a connection may not go on.
    if (road.is === 'swallow') client.relay.become({ is: 'cut' });
    client.relay.become({ is: 'clear' });
    this.#hitRoads.delete(client);
  }

  async #evict(fault: Fault): Promise<void> {
    try {
      const { managers } = (await this.#gateway.admin('managers?limit=500')) as { readonly managers: readonly { readonly managerId: string }[] };
      if (managers.length === 0) return;
      const { managerId } = pick(this.#random, managers);
      const answer = await this.#gateway.admin(`managers/${managerId}/evict`, { method: 'POST', body: { reason: 'chaos', overrideProtection: true } });
      if (answer !== null) this.#count(fault);
    } catch (error) {
      // It is dead just now, or that manager has gone.
      if (!(error instanceof Error)) throw error;
    }
  }

  async #hitGateway(what: string, act: () => Promise<void>): Promise<void> {
    if (this.#isGatewayHit || !this.#gateway.isRunning) return;
    this.#isGatewayHit = true;
    this.#count(what);
    try {
      await act();
    } finally {
      this.#isGatewayHit = false;
    }
  }

  /** kill -9, and a new process on the same store file. */
  async restartGateway(): Promise<void> {
    while (this.#isGatewayHit) await delay(50);
    await this.#hitGateway('gateway killed', () => this.#gateway.restart('SIGKILL'));
  }

  /** No new faults; resolves when what was under way is healed. */
  async heal(): Promise<void> {
    this.#stop.abort();
    await Promise.all([this.#loop, this.#visits]);
    await Promise.all([...this.#underWay]);
    for (const client of this.#fleet.clients) client.goOn();
  }
}
