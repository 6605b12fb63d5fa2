/** Several gateway processes on one store, behind a real load balancer or not. Each can be killed, stopped, drained, cut off from the store,
 *  and started again under its name and port. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { SignJWT } from 'jose';
import type { PartialOptions } from '../../src/core/options.ts';
import type { NodeConfig, NodeSaid } from '../cluster/node-messages.ts';
import { killedAtExit } from '../faults/killed-at-exit.ts';
import { type TcpRelay, tcpRelay } from './peers/tcp-relay.ts';
import { listenAnywhere } from './ports.ts';
import { type Proxy as Balancer, startHaproxy, startNginx } from './proxies.ts';

export interface ClusterOptions {
  /** `redis://127.0.0.1:PORT`; for one node also `memory` or `sqlite:FILE`. */
  readonly store: string;
  /** Default 3. */
  readonly nodes?: number;
  readonly options?: PartialOptions;
  readonly timing?: NodeConfig['timing'];
  /** In front of all nodes. Default: none; `url` is the first node's then. */
  readonly balancer?: 'nginx' | 'haproxy';
  /** Each node reaches the store over a relay of its own, `storeRoad`. */
  readonly roads?: boolean;
  /** Folder of the built package. Default: the repository. */
  readonly build?: string;
  /** How many of the nodes, from the first one on, run as the next version might. Default 0. */
  readonly next?: number;
  /** How long clients and runs have after SIGTERM. Default 10 s. */
  readonly drainMs?: number;
  readonly env?: NodeJS.ProcessEnv;
}

// biome-ignore lint/suspicious/noExplicitAny: whoever asks says itself what it expects.
type Json = any;

const root = fileURLToPath(new URL('../../', import.meta.url));
const APP = new URL('../cluster/node-app.ts', import.meta.url).pathname;
const START_WITHIN_MS = 60_000;
const ANSWER_WITHIN_MS = 10_000;
const ADMIN_KEY = 'a-key-of-the-cluster-tests';
const SECRET = 'a secret of the cluster tests, 32 b.';
const SIGNING_KEY = 'a signing key of cluster tests 32';
const TOKEN_LIVES_MS = 48 * 3_600_000;

/** A token of this user, good on every node. */
export function clusterToken(user: string): Promise<string> {
  return new SignJWT({})
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(user)
    .setExpirationTime(new Date(Date.now() + TOKEN_LIVES_MS))
    .sign(new TextEncoder().encode(SECRET));
}

/** One node, over all its lives. */
export class ClusterNode implements AsyncDisposable {
  readonly name: string;
  /** Its way to the store, if it has one of its own. */
  readonly storeRoad: TcpRelay | null;
  /** Whether it runs as the next version might, from its next start on. */
  isNext: boolean;
  readonly #config: NodeConfig;
  readonly #env: NodeJS.ProcessEnv;
  #child: ChildProcess | null = null;
  #ended: Promise<number | null> = Promise.resolve(null);

  constructor(config: NodeConfig, storeRoad: TcpRelay | null, env: NodeJS.ProcessEnv) {
    this.name = config.name;
    this.isNext = config.isNext;
    this.storeRoad = storeRoad;
    this.#config = config;
    this.#env = env;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.#child !== null;
  }

  /** `http://127.0.0.1:…`, without a slash at the end. */
  get url(): string {
    return `http://127.0.0.1:${this.#config.port}`;
  }

  get wsUrl(): string {
    return `ws://127.0.0.1:${this.#config.port}/v1/ws`;
  }

  get adminUrl(): string {
    return `http://127.0.0.1:${this.#config.adminPort}`;
  }

  /** Starts a life. Resolves when it takes clients. */
  async start(): Promise<void> {
    if (this.#child !== null) throw new Error(`Expected ${this.name} to have ended, it runs.`);
    const child = fork(APP, [JSON.stringify({ ...this.#config, isNext: this.isNext })], {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      env: { ...process.env, ...this.#env },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child = child;
    killedAtExit(child);
    this.#ended = once(child, 'exit').then(([code]) => {
      if (this.#child === child) this.#child = null;
      return code as number | null;
    });
    const listening = once(child, 'message', { signal: AbortSignal.timeout(START_WITHIN_MS) }) as Promise<[NodeSaid]>;
    await Promise.race([listening, this.#ended.then((code) => Promise.reject(new Error(`Expected ${this.name} to listen, its process ended with ${code}.`)))]);
  }

  /** Sends a signal. One that ends the process is waited for: its exit code, null where the signal ended it. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
    if (this.#child === null) return null;
    const ended = this.#ended;
    this.#child.kill(signal);
    return signal === 'SIGKILL' || signal === 'SIGTERM' ? await ended : null;
  }

  /** The JSON of a path below `/admin/api/v1`; null for 404. */
  async admin(path: string, o: { readonly method?: string; readonly body?: unknown; readonly withinMs?: number } = {}): Promise<Json> {
    const response = await fetch(`${this.adminUrl}/admin/api/v1/${path}`, {
      method: o.method ?? 'GET',
      headers: { authorization: `Bearer ${ADMIN_KEY}`, ...(o.body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(o.body === undefined ? {} : { body: JSON.stringify(o.body) }),
      signal: AbortSignal.timeout(o.withinMs ?? ANSWER_WITHIN_MS),
    });
    const text = await response.text();
    if (response.status === 404) return null;
    if (!response.ok) throw new Error(`Expected ${path} of ${this.name} to be answered, got ${response.status}: ${text}`);
    return JSON.parse(text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child?.kill('SIGCONT');
    await this.kill('SIGKILL');
    await this.storeRoad?.[Symbol.asyncDispose]();
  }
}

/** Nodes that share a store, and what stands in front of them. */
export class Cluster implements AsyncDisposable {
  readonly nodes: readonly ClusterNode[];
  readonly balancer: Balancer | null;

  private constructor(nodes: readonly ClusterNode[], balancer: Balancer | null) {
    this.nodes = nodes;
    this.balancer = balancer;
  }

  /** Resolves when all nodes take clients. */
  static async start(o: ClusterOptions): Promise<Cluster> {
    await using opened = new AsyncDisposableStack();
    const nodes: ClusterNode[] = [];
    const taken = new Set<number>();
    for (let i = 0; i < (o.nodes ?? 3); i++) {
      const road = o.roads === true ? await tcpRelay(Number(new URL(o.store).port)) : null;
      const config: NodeConfig = {
        build: o.build ?? root,
        name: `gw-${i + 1}`,
        isNext: i < (o.next ?? 0),
        timing: o.timing ?? 'default',
        options: { ...o.options, rate: { upgradesPer10s: 100_000, ...o.options?.rate } },
        store: road === null ? o.store : `redis://127.0.0.1:${road.port}`,
        port: await portBeside(taken),
        adminPort: await portBeside(taken),
        adminKey: ADMIN_KEY,
        secret: SECRET,
        signingKey: SIGNING_KEY.slice(0, 32),
        drainMs: o.drainMs ?? 10_000,
      };
      nodes.push(opened.use(new ClusterNode(config, road, o.env ?? {})));
    }
    await Promise.all(nodes.map((node) => node.start()));
    const upstream = nodes.map(({ url }) => url);
    const balancer = o.balancer === undefined ? null : opened.use(await (o.balancer === 'nginx' ? startNginx : startHaproxy)({ upstream }));
    const cluster = new Cluster(nodes, balancer);
    cluster.#opened = opened.move();
    return cluster;
  }

  #opened: AsyncDisposableStack | null = null;

  /** Where people come in. */
  get url(): string {
    return this.balancer?.url ?? this.node(0).url;
  }

  get wsUrl(): string {
    return `${this.url.replace('http', 'ws')}/v1/ws`;
  }

  node(index: number): ClusterNode {
    const node = this.nodes[index];
    if (node === undefined) throw new Error(`Expected one of ${this.nodes.length} nodes, got ${index}.`);
    return node;
  }

  /** Nodes whose process is there, but for `other`. */
  others(other: ClusterNode): readonly ClusterNode[] {
    return this.nodes.filter((node) => node !== other && node.isRunning);
  }

  /** An HTTP request of a user. */
  async request(user: string, method: string, path: string, body?: unknown): Promise<Response> {
    return await fetch(`${this.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${await clusterToken(user)}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened?.[Symbol.asyncDispose]();
  }
}

/** A port that is free now and was not given to another node. */
async function portBeside(taken: Set<number>): Promise<number> {
  for (;;) {
    const server = createServer();
    const port = await listenAnywhere(server);
    await new Promise((resolve) => server.close(resolve));
    if (taken.has(port)) continue;
    taken.add(port);
    return port;
  }
}
