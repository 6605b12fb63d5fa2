import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { kernelSockets } from '../test/support/peers/kernel.ts';
import type { Checked } from './generator/checker.ts';
import { NOTHING_CHECKED } from './generator/checker.ts';
import type { ConnectInput, ConnectReport, TrafficReport } from './generator/generator.ts';
import type { SpillwayWireOptions } from './generator/spillway-wire.ts';
import { Helper } from './helper.ts';
import type { Sample } from './peers/host.ts';
import type { Load, LoadReport } from './peers/load.ts';
import type { PeerName, PeerOptions } from './peers/peer.ts';
import type { Row } from './row.ts';
import { TemporaryFolder } from './temporary.ts';

/** Who takes part in a run. */
export interface Contestant {
  /** Its name in rows and tables. */
  readonly name: string;
  readonly kind: PeerName;
  /** Folder of a built package, for Spillway; null: the one of this repository. */
  readonly root: string | null;
}

/** What a variant measured; see `Row`. */
export type CellResult = Pick<
  Row,
  'server' | 'client' | 'unit' | 'units' | 'wallMs' | 'bytes' | 'frames' | 'framesPerRead' | 'latency' | 'delivery' | 'figures'
> & { readonly n?: number };

export interface ConnectOptions {
  /** Default: `n`. */
  readonly count?: number;
  /** Number of the first one; default: behind those that were connected before. */
  readonly first?: number;
  /** Connects under way at once; default 50. */
  readonly inFlight?: number;
  /** How, from now on. */
  readonly spillway?: Partial<SpillwayWireOptions>;
}

/** Beyond this share of a core the generator may have been what was measured. */
const CLIENT_BUSY_MAX = 0.9;
/** Below this share it waited more than it worked, however little the server did. */
const CLIENT_IDLE_SHARE = 0.5;
const QUIET_MS = 10_000;
const SOCKETS_EVERY_MS = 500;
let cells = 0;

/** One server and one generator, fresh, for one measurement. */
export class Cell implements AsyncDisposable {
  readonly contestant: Contestant;
  readonly n: number;
  readonly #server: Helper;
  readonly #generator: Helper;
  readonly #isProfiled: boolean;
  readonly #secret = randomBytes(24).toString('hex');
  #logFolder: TemporaryFolder | null = null;
  #port = 0;
  #connected = 0;
  #spillway: Omit<SpillwayWireOptions, 'secret'> = { stage: 'following', answers: true, credential: 'token', users: null, asks: true };
  versions: Readonly<Record<string, string>> = {};

  /** How long a timed load lasts, where a run says so; null: as long as its variant says. */
  readonly seconds: number | null;

  /** `profiles`: a folder that gets a CPU profile of the server; null: none. */
  constructor(contestant: Contestant, n: number, { profiles, seconds }: { readonly profiles: string | null; readonly seconds: number | null }) {
    this.contestant = contestant;
    this.n = n;
    this.seconds = seconds;
    this.#isProfiled = profiles !== null;
    const profile =
      profiles === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`, `--cpu-prof-name=${contestant.name}-${process.pid}-${++cells}.cpuprofile`];
    this.#server = new Helper('./peers/host.ts', [contestant.kind], { nodeArgs: ['--expose-gc', ...profile] });
    this.#generator = new Helper('./generator/main.ts');
  }

  /** Starts the server. `connections`: how many get load. */
  async start(o: { readonly duty?: PeerOptions['duty']; readonly store?: 'memory' | 'sqlite'; readonly connections?: number } = {}): Promise<void> {
    // Ours to remove: the server is killed, and cleans up nothing.
    if (o.store === 'sqlite') this.#logFolder = new TemporaryFolder();
    const answer = await this.#server.ask<{ readonly port: number; readonly versions: Readonly<Record<string, string>> }>('start', {
      duty: o.duty ?? 'stream',
      logFile: this.#logFolder === null ? null : join(this.#logFolder.path, 'bench.sqlite'),
      secret: this.#secret,
      root: this.contestant.root,
      connections: o.connections ?? this.n,
    });
    this.#port = answer.port;
    this.versions = answer.versions;
  }

  /** Gets the credentials for a `connect` with the same input. */
  prepare(o: ConnectOptions): Promise<void> {
    return this.#generator.ask('prepare', this.#inputOf(o));
  }

  /** Connects, and resolves when all are ready. */
  async connect(o: ConnectOptions = {}): Promise<ConnectReport> {
    const input = this.#inputOf(o);
    const report = await this.#generator.ask<ConnectReport>('connect', input);
    this.#connected = Math.max(this.#connected, input.first + input.count);
    return report;
  }

  #inputOf(o: ConnectOptions): ConnectInput {
    this.#spillway = { ...this.#spillway, ...o.spillway };
    return {
      wire: this.contestant.kind === 'csr' ? 'socketio' : this.contestant.kind,
      port: this.#port,
      first: o.first ?? this.#connected,
      count: o.count ?? this.n,
      inFlight: o.inFlight ?? 50,
      spillway: { ...this.#spillway, secret: this.#secret },
    };
  }

  /** How many connections did not break. */
  alive(): Promise<number> {
    return this.#generator.ask('alive');
  }

  begin(): Promise<void> {
    return this.#generator.ask('begin');
  }

  traffic(): Promise<TrafficReport> {
    return this.#generator.ask('traffic');
  }

  load(load: Load): Promise<LoadReport> {
    return this.#server.ask('load', load);
  }

  /** Looks at the kernel's buffers until `end`, which tells the most that one connection held: unsent on one side and unread on the other. */
  watchSockets(): { end(): number } {
    const port = this.#port;
    let most = 0;
    const look = (): void => {
      let [unsent, unread] = [0, 0];
      for (const socket of kernelSockets()) {
        if (socket.localPort === port) unsent = Math.max(unsent, socket.unsentBytes);
        if (socket.remotePort === port) unread = Math.max(unread, socket.unreadBytes);
      }
      most = Math.max(most, unsent + unread);
    };
    const timer = setInterval(look, SOCKETS_EVERY_MS);
    return {
      end() {
        clearInterval(timer);
        return most;
      },
    };
  }

  /** Waits until everything that was sent has come, and tells what did not. */
  settle(sent: readonly number[], quietMs = QUIET_MS): Promise<Checked> {
    return this.#generator.ask('settle', { sent, quietMs });
  }

  echo(o: { readonly perSecond: number; readonly seconds: number }): Promise<readonly number[]> {
    return this.#generator.ask('echo', o);
  }

  leave(abruptly: boolean): Promise<void> {
    return this.#generator.ask('leave', { abruptly });
  }

  /** Something the generator does with all its connections; see there. */
  clients(what: 'stopReading' | 'readAgain'): Promise<void>;
  clients(what: 'answers', isAnswering: boolean): Promise<void>;
  clients(what: 'beginFrame', bytes: number): Promise<void>;
  clients(what: string, input?: unknown): Promise<void> {
    return this.#generator.ask(what, input);
  }

  sample(collect = false): Promise<Sample> {
    return this.#server.ask('sample', { collect });
  }

  act<T = void>(name: string): Promise<T> {
    return this.#server.ask('act', { name });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isProfiled) await this.#server.end();
    await Promise.all([this.#server[Symbol.asyncDispose](), this.#generator[Symbol.asyncDispose]()]);
    this.#logFolder?.[Symbol.dispose]();
  }
}

/** CPU between two samples, memory of the second. */
export const used = (before: Sample, after: Sample): Row['server'] => ({
  ...after,
  cpuUserMs: after.cpuUserMs - before.cpuUserMs,
  cpuSysMs: after.cpuSysMs - before.cpuSysMs,
});

export const NOTHING_USED: Row['server'] = { cpuUserMs: 0, cpuSysMs: 0, rssBytes: 0, heapBytes: 0, externalBytes: 0 };

/** CPU of both, memory of the later. */
export const plus = (earlier: Row['server'], later: Row['server']): Row['server'] => ({
  ...later,
  cpuUserMs: earlier.cpuUserMs + later.cpuUserMs,
  cpuSysMs: earlier.cpuSysMs + later.cpuSysMs,
});

/** A result out of what the generator saw. The generator was the bottleneck where it was busier than the server, or nearly all the time. */
export function resultOf(
  o: { readonly unit: string; readonly units: number; readonly wallMs: number; readonly server: Row['server']; readonly traffic: TrafficReport } & {
    readonly delivery?: Checked;
    readonly figures?: Readonly<Record<string, number>>;
    readonly latency?: Row['latency'];
    readonly n?: number;
  },
): CellResult {
  const { traffic, server } = o;
  return {
    unit: o.unit,
    units: o.units,
    wallMs: o.wallMs,
    server,
    client: {
      cpuMs: traffic.cpuMs,
      busyShare: traffic.busyShare,
      bound: traffic.busyShare > CLIENT_BUSY_MAX || (traffic.busyShare > CLIENT_IDLE_SHARE && traffic.cpuMs > server.cpuUserMs + server.cpuSysMs),
    },
    bytes: traffic.bytes,
    frames: traffic.frames,
    framesPerRead: traffic.reads === 0 ? 0 : traffic.frames / traffic.reads,
    latency: o.latency ?? traffic.latency,
    delivery: o.delivery ?? NOTHING_CHECKED,
    figures: o.figures ?? {},
    ...(o.n === undefined ? {} : { n: o.n }),
  };
}
