import { WebSocketManagerFactory } from '../../src/managers/factory.ts';
import type { ManagerId, UserId } from '../../src/protocol/ids.ts';
import type { SimulatedClient } from './client.ts';
import type { ClientWorld, Hello } from './client-world.ts';
import { type Attempt, serve } from './door.ts';
import { Person } from './person.ts';
import type { Plan } from './plan.ts';
import { Producer } from './producer.ts';
import { SeededRandom } from './seeded-random.ts';
import { VirtualClock } from './virtual-clock.ts';
import { VirtualStore, WELL } from './virtual-store.ts';
import type { VirtualConnection } from './virtual-transport.ts';
import { Watcher } from './watcher.ts';

/** A socket that the process has, as the world counts it. */
export interface OpenSocket {
  readonly client: SimulatedClient;
  readonly connection: VirtualConnection;
  readonly user: UserId;
  /** The factory counts it: it was asked for a seat and has not been handed back. */
  isCounted: boolean;
}

/** One process under test, its store, its network, its people and their pages, all in virtual time. */
export class World implements ClientWorld {
  readonly plan: Plan;
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly store: VirtualStore;
  readonly people: Person[] = [];
  readonly producers: Producer[] = [];
  readonly sockets = new Set<OpenSocket>();
  readonly watcher: Watcher;
  /** Written only where somebody reads it. */
  readonly lines: string[] | null;
  options: ClientWorld['options'] = { ack: { frames: 16, bytes: 16_384, ms: 250 }, clientTimeoutMs: 2_500 };
  factory: WebSocketManagerFactory;
  /** Over: no new trouble, nobody acts. */
  isQuiet = false;
  /** Nothing counts any more. */
  isOver = false;
  #life = 0;

  constructor(plan: Plan, o: { readonly trace: boolean }) {
    this.plan = plan;
    this.lines = o.trace ? [] : null;
    this.clock = new VirtualClock();
    this.random = new SeededRandom(plan.seed ^ 0x5117);
    this.store = new VirtualStore(this.clock, this.random.fork());
    this.store.health = { seats: { ...WELL, delayMs: plan.storeDelayMs }, log: { ...WELL, delayMs: plan.storeDelayMs } };
    this.watcher = new Watcher(this);
    this.factory = this.#makeFactory();
    const { ack, health } = this.factory.options;
    this.options = { ack, clientTimeoutMs: health.clientTimeoutMs };
    for (const user of plan.users) {
      this.people.push(new Person(this, user, this.random.fork()));
      this.producers.push(new Producer(this, user, this.random.fork()));
    }
    this.#schedule();
  }

  #makeFactory(): WebSocketManagerFactory {
    const factory = new WebSocketManagerFactory({
      ...this.plan.options,
      store: this.store.connect(),
      clock: this.clock,
      random: this.random.fork(),
      node: `gw-${++this.#life}`,
      telemetry: {
        record: (record) => {
          this.trace(() => `log ${record.severity} ${record.event}: ${record.message}`);
          if (record.severity === 'CRITICAL') this.violated('telemetry', `${record.event}: ${record.message}`);
        },
      },
    });
    this.watcher.follow(factory);
    return factory;
  }

  #schedule(): void {
    const { clock, plan, store } = this;
    for (const { at, forMs } of plan.stalls) clock.world(at, () => this.watcher.stalling(forMs));
    for (const { at, byMs } of plan.wallSteps) clock.world(at, () => this.watcher.settingWall(byMs));
    for (const at of plan.crashes) clock.world(at, () => this.#crash());
    for (const at of plan.losses) clock.world(at, () => this.#lose());
    for (const at of plan.trims) {
      clock.world(at, () => {
        clock.touch();
        this.watcher.trimmed();
        this.factory.streams.trim({ keepMs: 0, streamBytes: 200 }).catch(() => {});
      });
    }
    for (const { at, forMs, part, health } of plan.storeTroubles) {
      clock.world(at, () => {
        this.trace(() => `store ${part} is ill for ${forMs} ms: ${JSON.stringify(health)}`);
        store.health[part] = health;
        clock.world(forMs, () => {
          store.health[part] = { ...WELL, delayMs: plan.storeDelayMs };
        });
      });
    }
  }

  get users(): Plan['users'] {
    return this.plan.users;
  }
  *clients(): Iterable<SimulatedClient> {
    for (const person of this.people) yield* person.pages;
  }

  // ---- what clients ask for

  dialed(client: SimulatedClient, connection: VirtualConnection, hello: Hello): void {
    if (connection.isGone || this.isOver) return;
    const { factory } = this;
    const person = this.people.find((p) => p.plan.id === client.traits.user) as Person;
    const socket: OpenSocket = { client, connection, user: client.traits.user, isCounted: true };
    this.sockets.add(socket);
    connection.onGone = () => this.sockets.delete(socket);
    this.trace(
      () => `${client.name} asks for a seat, ${hello.intent}${hello.resume ? ` as ${hello.resume.manager}` : ''}${hello.promise ? ' with a promise' : ''}`,
    );
    const attempt: Attempt = this.watcher.attempt(client, hello, socket);
    serve(factory, connection, attempt, { tier: person.plan.tier, attended: this.plan.attended }).catch((error: unknown) => {
      this.violated('door', `serving ${client.name} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    });
  }

  applied(client: SimulatedClient, from: number, to: number, data: unknown): void {
    this.watcher.applied(client, from, to, data);
  }

  violated(invariant: string, detail: string): void {
    this.watcher.violated(invariant, detail);
  }

  trace(what: () => string): void {
    this.lines?.push(`${this.clock.now.toFixed(1).padStart(9)}  ${what()}`);
  }

  /** The manager that a client believes to have, if this process knows it and has it on that very connection. */
  managerOf(client: SimulatedClient) {
    const manager = client.manager === null ? undefined : this.factory.find(client.manager as ManagerId);
    return manager?.attachment && manager.attachment.transport === client.connection ? manager : null;
  }

  // ---- what happens to the process

  /** It dies at this instant and another one takes its place, with what the store has kept. */
  #crash(): void {
    this.trace(() => 'the process dies; another one starts');
    this.watcher.crashed();
    this.clock.forget();
    this.store.cut();
    this.store.forgetSeats();
    for (const { connection } of this.sockets) connection.die();
    this.sockets.clear();
    for (const producer of this.producers) producer.crashed();
    this.clock.touch();
    this.factory = this.#makeFactory();
  }

  #lose(): void {
    this.trace(() => 'the store forgets who holds seats');
    this.store.forgetSeats();
  }

  // ---- the end

  /** Everything that is ill is well again, and nobody does anything new. */
  calm(): void {
    this.trace(() => 'calm');
    this.isQuiet = true;
    this.store.health = { seats: WELL, log: WELL };
    for (const producer of this.producers) producer.finish();
    for (const person of this.people) person.heal();
  }
}
