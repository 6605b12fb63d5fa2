import { join } from 'node:path';
import type { FaultGateway } from '../faults/fault-gateway.ts';
import { RecordingProcess } from '../support/lossless/recording-client.ts';
import type { Says } from '../support/lossless/recording-process.ts';
import { until } from '../support/peers/kernel.ts';
import { type PingAnsweringProxy, pingAnsweringProxy } from '../support/peers/ping-answering-proxy.ts';
import { type TcpRelay, tcpRelay } from '../support/peers/tcp-relay.ts';

/** Clients of one process, which is stopped and killed as a whole. */
const TOGETHER = 8;
/** Most users are at their limit, so that whoever comes back as somebody new takes a seat from the dead. */
const AT_LIMIT = 20;
/** Followers of each conversation. */
const SHARED_BY = 2;
/** Of ten clients four dial straight, five over a relay and one through a proxy that ends WebSockets. */
const ROADS = ['straight', 'relay', 'straight', 'relay', 'relay', 'straight', 'relay', 'proxy', 'straight', 'relay'] as const;

/** One real client, over all its lives. */
export class ChaosClient {
  readonly name: string;
  readonly user: string;
  readonly thread: string;
  readonly file: string;
  readonly road: (typeof ROADS)[number];
  relay: TcpRelay | null = null;
  proxy: PingAnsweringProxy | null = null;
  /** Of its process; nothing else may happen to it until that is over. */
  state = 'new';
  manager: string | null = null;
  /** How its transports ended: code and reason, with how often. */
  readonly ends = new Map<string, number>();
  readonly #drawer: string | null;
  #process: RecordingProcess | null = null;

  constructor(index: number, user: string, thread: string, folder: string) {
    this.name = `client-${index}`;
    this.user = user;
    this.thread = thread;
    this.file = join(folder, `${this.name}.jsonl`);
    this.road = ROADS[index % ROADS.length] as ChaosClient['road'];
    // Half of them are tabs that are reloaded, half begin anew.
    this.#drawer = Math.floor(index / ROADS.length) % 2 === 0 ? join(folder, `${this.name}.drawer.json`) : null;
  }

  live(process: RecordingProcess, url: string, token: string): void {
    this.#process = process;
    this.state = 'new';
    process.hear(this.name, (says) => this.#heard(says));
    const drawer = this.#drawer === null ? {} : { drawer: this.#drawer };
    process.tell({ client: this.name, do: 'open', with: { url, tokens: [token], thread: this.thread, file: this.file, label: this.name, ...drawer } });
  }

  #heard(says: Says): void {
    if (!('progress' in says)) return;
    const { progress } = says;
    if (progress.is === 'close') {
      const what = `${progress.code} ${progress.reason}`;
      this.ends.set(what, (this.ends.get(what) ?? 0) + 1);
    }
    if (progress.is !== 'state') return;
    this.state = progress.name;
    this.manager = progress.manager ?? this.manager;
  }

  send(text: string): void {
    this.#process?.tell({ client: this.name, do: 'send', text });
  }
  /** Its person asks. */
  resume(): void {
    this.#process?.tell({ client: this.name, do: 'resume' });
  }
  stick(): void {
    this.#process?.tell({ client: this.name, do: 'stick' });
  }
  goOn(): void {
    this.#process?.tell({ client: this.name, do: 'go-on' });
  }
  freeze(ms: number): void {
    this.#process?.tell({ client: this.name, do: 'freeze', ms });
  }
}

/** A process with its clients. */
export class ChaosHome {
  readonly clients: readonly ChaosClient[];
  /** Something happens to it already. */
  isHit = false;
  process: RecordingProcess;
  readonly #gateway: FaultGateway;

  constructor(gateway: FaultGateway, clients: readonly ChaosClient[]) {
    this.#gateway = gateway;
    this.clients = clients;
    this.process = new RecordingProcess();
  }

  async open(): Promise<void> {
    for (const client of this.clients) {
      const port = client.relay?.port ?? client.proxy?.port;
      const url = port === undefined ? this.#gateway.wsUrl : `ws://127.0.0.1:${port}/v1/ws`;
      client.live(this.process, url, await this.#gateway.token(client.user));
    }
  }

  /** Its clients have no time for a word; the next process goes on from what they have written. */
  async killed(): Promise<void> {
    await this.process.kill();
    for (const client of this.clients) client.state = 'dead';
  }

  async bornAgain(): Promise<void> {
    this.process = new RecordingProcess();
    await this.open();
  }
}

/** Two hundred real clients in processes of their own, over roads of their own. */
export class Fleet implements AsyncDisposable {
  readonly clients: readonly ChaosClient[];
  readonly homes: readonly ChaosHome[];
  /** Conversations, each with its user. */
  readonly threads: readonly { readonly user: string; readonly thread: string }[];
  readonly #gateway: FaultGateway;

  constructor(gateway: FaultGateway, count: number) {
    this.#gateway = gateway;
    this.clients = Array.from({ length: count }, (_, i) => {
      const user = `user-${Math.floor(i / AT_LIMIT)}`;
      return new ChaosClient(i, user, `thread-${Math.floor(i / SHARED_BY)}`, gateway.folder);
    });
    this.threads = this.clients.filter((_, i) => i % SHARED_BY === 0).map(({ user, thread }) => ({ user, thread }));
    // Neighbours of a conversation live in different processes.
    const homes = Math.ceil(count / TOGETHER);
    this.homes = Array.from(
      { length: homes },
      (_, h) =>
        new ChaosHome(
          gateway,
          this.clients.filter((_client, i) => i % homes === h),
        ),
    );
  }

  async open(withinMs: number): Promise<void> {
    for (const client of this.clients) {
      if (client.road === 'relay') client.relay = await tcpRelay(this.#gateway.port);
      if (client.road === 'proxy') client.proxy = await pingAnsweringProxy(this.#gateway.wsUrl);
    }
    for (const home of this.homes) await home.open();
    await this.live(withinMs);
  }

  /** Resolves when all are live at once; whoever was sent away comes back as its person asks. */
  async live(withinMs: number): Promise<void> {
    let askedAt = 0;
    const areLive = (): boolean => {
      const away = this.clients.filter(({ state }) => state !== 'live');
      if (away.length === 0) return true;
      if (performance.now() - askedAt > ASK_EVERY_MS) {
        askedAt = performance.now();
        for (const client of away) if (client.state === 'superseded') client.resume();
      }
      return false;
    };
    await until('all clients to be live', areLive, withinMs, 100).catch((error: unknown) => {
      const away = this.clients.filter(({ state }) => state !== 'live').map(({ name, state, road }) => `${name} (${road}): ${state}`);
      throw new Error(`${away.length} clients did not come back: ${away.slice(0, 10).join(', ')}`, { cause: error });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.homes.map(({ process }) => process.kill()));
    await Promise.all(this.clients.flatMap(({ relay, proxy }) => [relay?.[Symbol.asyncDispose](), proxy?.[Symbol.asyncDispose]()]));
  }
}

const ASK_EVERY_MS = 2_000;
