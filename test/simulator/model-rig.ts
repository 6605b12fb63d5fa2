import type { PartialOptions } from '../../src/core/options.ts';
import type { Admission, Retry, Seated } from '../../src/managers/admission/admission.ts';
import { WebSocketManagerFactory } from '../../src/managers/factory.ts';
import type { Store } from '../../src/ports/store.ts';
import type { Telemetry } from '../../src/ports/telemetry.ts';
import type { Intent, ServerFrame } from '../../src/protocol/frames.ts';
import type { ManagerId, UserId } from '../../src/protocol/ids.ts';
import { serve } from './door.ts';
import type { ClientEnd } from './network.ts';
import { ProcessLife } from './process-life.ts';
import { SeatLedger } from './seat-ledger.ts';
import { SeededRandom } from './seeded-random.ts';
import { type Tap, TappedStore } from './tapped-store.ts';
import { VirtualClock } from './virtual-clock.ts';
import { VirtualConnection } from './virtual-transport.ts';

/** How one attempt for a seat went. */
export interface AttemptRecord {
  readonly page: ModelPage;
  readonly intent: Intent;
  readonly promise: string | null;
  readonly askedAt: number;
  state: 'deciding' | 'queued' | 'seated' | 'retry' | 'rejected' | 'left';
  queuedAt: number | null;
  endedAt: number | null;
  seated: Seated | null;
  retry: Retry | null;
  error: unknown;
}

const ONE_WAY_MS = 1;

/** A page that does what a test tells it, and nothing by itself. */
export class ModelPage {
  readonly user: UserId;
  readonly name: string;
  /** Its application answers probes and acknowledges events. */
  isAlive = true;
  /** False: only when it is asked. */
  acknowledgesEvents = true;
  /** Told of every frame. */
  heard: ((frame: ServerFrame) => void) | null = null;
  readonly #unacked = new Map<number, number>();
  answersPings = true;
  answersCloses = true;
  reads = true;
  connection: VirtualConnection | null = null;
  manager: ManagerId | null = null;
  serial = 0;
  closedWith: number | null = null;
  probes = 0;
  attempt: AttemptRecord | null = null;

  constructor(user: UserId, name: string) {
    this.user = user;
    this.name = name;
  }

  /** A page that is gone for good, with a socket that shows it in no way. */
  corpse(): void {
    this.isAlive = false;
    this.answersPings = true;
    this.answersCloses = false;
  }

  frames(texts: readonly string[]): void {
    for (const text of texts) this.#take(JSON.parse(text) as ServerFrame);
  }

  #take(frame: ServerFrame): void {
    if (frame.type === 'ready') {
      this.manager = frame.manager;
      this.serial = Number(frame.resumeToken);
      this.say({ type: 'subscribe', sub: 1, thread: 'talk', from: 'now' });
    }
    this.heard?.(frame);
    if (frame.type === 'probe') this.probes++;
    if (frame.type === 'event') this.#unacked.set(frame.sub, frame.offset);
    if (!this.isAlive) return;
    if (frame.type === 'probe' || (frame.type === 'event' && this.acknowledgesEvents)) {
      for (const [sub, offset] of this.#unacked) this.say({ type: 'ack', sub, offset });
      this.#unacked.clear();
    }
    if (frame.type === 'probe') this.say({ type: 'probe-ok', n: frame.n });
  }

  say(frame: object): void {
    this.connection?.clientSend(JSON.stringify(frame));
  }

  closed(code: number): void {
    this.closedWith = code;
    this.connection = null;
  }
}

/** The page's end of one connection; of an earlier one it hears nothing any more. */
function endOf(page: ModelPage, own: () => VirtualConnection): ClientEnd {
  const isCurrent = (): boolean => page.connection === own();
  return {
    frames: (texts) => {
      if (isCurrent()) page.frames(texts);
    },
    closed: (code) => {
      if (isCurrent()) page.closed(code);
    },
    get answersPings() {
      return isCurrent() && page.answersPings;
    },
    get answersCloses() {
      return !isCurrent() || page.answersCloses;
    },
    get reads() {
      return !isCurrent() || page.reads;
    },
  };
}

export interface RigOptions {
  readonly options: PartialOptions;
  readonly store: (clock: VirtualClock, random: SeededRandom) => Store | Promise<Store>;
  readonly telemetry?: Telemetry;
  /** How many nodes share the store, which has to know of nodes then. Default: one process alone. */
  readonly nodes?: number;
  /** The way of each of several nodes to the store. */
  readonly road?: (store: Store, clock: VirtualClock, node: number) => Store;
}

/** One of the processes: what it sees of time and of its store ends with it. */
export interface ModelNode {
  readonly factory: WebSocketManagerFactory;
  /** Null for the one process of a store that is its own: it dies with its clock. */
  readonly life: ProcessLife | null;
}

/** A real factory on a real store with virtual time and a network of one millisecond, in the hands of a test. */
export class ModelRig {
  readonly clock: VirtualClock;
  readonly store: TappedStore;
  readonly ledger = new SeatLedger();
  readonly attempts: AttemptRecord[] = [];
  readonly pages: ModelPage[] = [];
  readonly problems: string[] = [];
  readonly random: SeededRandom;
  factory: WebSocketManagerFactory;
  /** All that live, the first of them `factory`; a dead one is null. */
  readonly nodes: (ModelNode | null)[] = [];
  readonly #at = new WeakMap<ModelPage, number>();
  readonly #sockets = new Set<VirtualConnection>();
  readonly #o: RigOptions;
  #opened = 0;
  #life = 0;

  private constructor(o: RigOptions, clock: VirtualClock, random: SeededRandom, store: TappedStore) {
    this.#o = o;
    this.clock = clock;
    this.random = random;
    this.store = store;
    this.tap();
    this.ledger.isShared = (o.nodes ?? 1) > 1;
    for (let i = 0; i < (o.nodes ?? 1); i++) this.nodes.push(this.#makeNode(i));
    this.factory = (this.nodes[0] as ModelNode).factory;
  }

  static async make(o: RigOptions): Promise<ModelRig> {
    const random = new SeededRandom(1);
    let tapped: TappedStore | null = null;
    const clock = new VirtualClock({ outside: () => tapped?.outside ?? 0 });
    tapped = new TappedStore(await o.store(clock, random.fork()));
    return new ModelRig(o, clock, random, tapped);
  }

  /** Keeps the books; `more` sees each call on seats besides. */
  tap(more: Tap = {}): void {
    this.store.tap = {
      before: (part, call, args) => more.before?.(part, call, args),
      after: (part, call, args, answer) => {
        if (part === 'seats') this.ledger.saw(call, args, answer);
        return more.after?.(part, call, args, answer);
      },
    };
  }

  /** The process dies; another one takes its place, on the same store. What the old one had under way never goes on. */
  crash(): void {
    this.clock.forget();
    this.ledger.mayLapse = true;
    for (const page of this.pages) {
      const { connection } = page;
      page.connection = null;
      connection?.die();
      if (page.attempt?.endedAt === null) page.attempt.state = 'left';
    }
    this.#sockets.clear();
    this.attempts.length = 0;
    this.clock.touch();
    this.nodes[0] = this.#makeNode(0);
    this.factory = (this.nodes[0] as ModelNode).factory;
  }

  #makeNode(n: number, name = `gw-${++this.#life}`): ModelNode {
    const { options, telemetry, nodes = 1, road } = this.#o;
    const life = nodes > 1 ? new ProcessLife(this.clock, road?.(this.store, this.clock, n) ?? this.store) : null;
    const factory = new WebSocketManagerFactory({
      ...options,
      store: life?.store ?? this.store,
      clock: life?.clock ?? this.clock,
      random: this.random.fork(),
      node: name,
      ...(telemetry === undefined ? {} : { telemetry }),
    });
    return { factory, life };
  }

  /** One node of several dies. The kernel resets its clients' connections. */
  kill(n: number): void {
    const node = this.nodes[n];
    if (node === null || node === undefined) return;
    this.nodes[n] = null;
    node.life?.end();
    for (const page of this.pages) {
      if (this.#at.get(page) !== n) continue;
      const { connection } = page;
      page.connection = null;
      connection?.die();
      if (page.attempt?.endedAt === null) page.attempt.state = 'left';
    }
    if (this.factory === node.factory) this.factory = this.nodes.find((other) => other !== null)?.factory ?? this.factory;
  }

  /** Another process in the place of a dead one, under a name of its own unless one is given. */
  start(n: number, name?: string): void {
    this.clock.touch();
    this.nodes[n] ??= this.#makeNode(n, name);
  }

  /** Which node a page was connected to last. */
  nodeOf(page: ModelPage): number {
    return this.#at.get(page) ?? 0;
  }

  /** The nodes that live. */
  get living(): readonly WebSocketManagerFactory[] {
    return this.nodes.flatMap((node) => (node === null ? [] : [node.factory]));
  }

  /** Somebody opens a page, or an existing one comes back. */
  ask(
    user: UserId,
    o: { readonly intent?: Intent; readonly page?: ModelPage; readonly promise?: string | null; readonly tier?: string; readonly node?: number } = {},
  ): AttemptRecord {
    const page = o.page ?? new ModelPage(user, `${user}#${++this.#opened}`);
    if (o.page === undefined) this.pages.push(page);
    page.connection?.clientReset();
    const wanted = o.node ?? 0;
    const at = this.nodes[wanted] == null ? this.nodes.findIndex((node) => node !== null) : wanted;
    this.#at.set(page, at);
    const connection: VirtualConnection = new VirtualConnection(
      this.clock,
      { delayMs: () => ONE_WAY_MS, kernelBytes: 65_536, stubborn: 0 },
      endOf(page, () => connection),
    );
    this.#sockets.add(connection);
    connection.onGone = () => this.#sockets.delete(connection);
    page.connection = connection;
    page.closedWith = null;
    const record: AttemptRecord = {
      page,
      intent: o.intent ?? 'user',
      promise: o.promise ?? null,
      askedAt: this.clock.now,
      state: 'deciding',
      queuedAt: null,
      endedAt: null,
      seated: null,
      retry: null,
      error: null,
    };
    page.attempt = record;
    this.attempts.push(record);
    const end = (state: AttemptRecord['state']): void => {
      record.state = state;
      record.endedAt = this.clock.now;
    };
    const settle = (admission: Exclude<Admission, { kind: 'queued' }>): void => {
      end(admission.kind);
      if (admission.kind === 'seated') record.seated = admission;
      else record.retry = admission;
    };
    this.clock.touch();
    serve(
      (this.nodes[at] as ModelNode).factory,
      connection,
      {
        client: { name: page.name, traits: { user } },
        hello: {
          intent: record.intent,
          visibility: 'visible',
          resume: page.manager === null ? null : { manager: page.manager, serial: page.serial },
          promise: record.promise,
        },
        decided: (admission) => {
          // Its node died, and what that had begun goes on for a moment.
          if (record.state === 'left') return;
          if (admission.kind === 'queued') {
            record.state = 'queued';
            record.queuedAt = this.clock.now;
          } else settle(admission);
        },
        ended: settle,
        rejected: (error) => {
          record.error = error;
          end('rejected');
        },
        left: () => end('left'),
      },
      { tier: o.tier ?? 'free', attended: true },
    ).catch((error: unknown) => this.problems.push(`serving failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`));
    return record;
  }

  /** Sockets that are open at the one process there is: also those whose closing handshake is under way, though their pages know already. */
  get sockets(): number {
    return this.#sockets.size;
  }

  /** Everything that needs no time has happened. */
  async settle(): Promise<void> {
    await this.clock.pass(0);
  }

  seated(user?: UserId): ModelPage[] {
    return this.pages.filter(
      (p) => (user === undefined || p.user === user) && p.manager !== null && this.living.some((f) => f.find(p.manager as ManagerId) !== undefined),
    );
  }

  /** Nobody wants anything any more: registry, index and seats must tell the same. */
  async compareAtRest(user: UserId): Promise<void> {
    const managers = this.living
      .flatMap((factory) => factory.list(user))
      .map((m) => `${m.id} ${m.seat?.token}`)
      .sort();
    const seats = [...this.ledger.held(user)].map(([id, token]) => `${id} ${token}`).sort();
    if (managers.join() !== seats.join()) this.problems.push(`I12: managers ${managers.join(', ') || 'none'}; seats ${seats.join(', ') || 'none'}`);
  }

  async close(): Promise<void> {
    const closing = Promise.all(this.living.map((factory) => factory[Symbol.asyncDispose]()));
    await this.clock.pass(2_500);
    await closing;
    this.clock.forget();
  }
}
