/** Redis as its operators run it: processes of its own on loopback, which can be stopped, killed, cut off from their clock. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Certificates } from './certificates.ts';
import { freePort } from './cli.ts';
import { need, type Tool } from './tools.ts';

export { makeCertificates } from './certificates.ts';

const START_WITHIN_MS = 15_000;

/** The server's program, or why there is none. `SPILLWAY_TEST_REDIS_BIN` names another one: `valkey-server`, or another version. */
export function redisTool(): Tool {
  const chosen = process.env.SPILLWAY_TEST_REDIS_BIN;
  return chosen === undefined || chosen === '' ? need('redis-server') : { path: chosen, missing: null };
}

export interface RedisOptions {
  /** Any free one, if left out. */
  readonly port?: number;
  /** What is written is on disk before it is answered, so that a killed server comes back with it. */
  readonly appendonly?: boolean;
  /** Ports of the server that it follows. */
  readonly replicaOf?: RedisServer;
  /** Accepts connections over TLS only. */
  readonly tls?: Certificates;
  /** Lines of users as `ACL SETUSER` takes them, `ada on >secret ~sp:* +@all`. The default user stays as it is unless named. */
  readonly users?: readonly string[];
  /** For its environment: that of `wallClock()` of `lab/faketime.ts`, whose clock it then reads. */
  readonly env?: NodeJS.ProcessEnv;
  /** Further settings, as `['--maxmemory', '10mb']`. */
  readonly args?: readonly string[];
}

export interface RedisServer extends AsyncDisposable {
  readonly host: '127.0.0.1';
  readonly port: number;
  /** `redis://127.0.0.1:PORT`, or `rediss://…`. */
  readonly url: string;
  readonly pid: number;
  /** Freezes it: it accepts connections and answers nothing. */
  freeze(): void;
  thaw(): void;
  /** Ends it without a word. */
  kill(): Promise<void>;
  /** Ends it as its service manager would. */
  stop(): Promise<void>;
  /** Starts it again on the same port and data. */
  start(): Promise<void>;
  /** Asks it something over a connection of its own, as `redis-cli` does, and returns what was printed. */
  cli(...command: readonly string[]): string;
}

/** Starts a server that keeps nothing unless told so, and resolves when it takes commands. */
export async function startRedis(o: RedisOptions = {}): Promise<RedisServer> {
  const dir = mkdtempSync(join(tmpdir(), 'spillway-redis-'));
  const port = o.port ?? (await freePort());
  const listen = o.tls === undefined ? ['--port', String(port)] : ['--port', '0', '--tls-port', String(port), ...tlsArgs(o.tls)];
  const data = o.appendonly === true ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no'];
  const replica = o.replicaOf === undefined ? [] : ['--replicaof', '127.0.0.1', String(o.replicaOf.port), '--repl-diskless-sync-delay', '0'];
  const users = (o.users ?? []).flatMap((user) => ['--user', ...user.split(' ')]);
  const args = [...listen, '--bind', '127.0.0.1', '--save', '', '--dir', dir, ...data, ...replica, ...users, ...(o.args ?? [])];
  const server = new Server({ port, dir, args, env: o.env ?? {}, tls: o.tls ?? null, ready: /Ready to accept connections/ });
  await server.startOrDispose();
  return server;
}

/** Watches over `master` and its replicas; `quorum` 1, and 500 ms without an answer are a failure. */
export async function startSentinel(master: RedisServer, name = 'spillway'): Promise<RedisServer> {
  const dir = mkdtempSync(join(tmpdir(), 'spillway-sentinel-'));
  const port = await freePort();
  const file = join(dir, 'sentinel.conf');
  writeFileSync(
    file,
    `${[
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${dir}`,
      `sentinel monitor ${name} 127.0.0.1 ${master.port} 1`,
      `sentinel down-after-milliseconds ${name} 500`,
      `sentinel failover-timeout ${name} 3000`,
    ].join('\n')}\n`,
  );
  const server = new Server({ port, dir, args: [file, '--sentinel'], env: {}, tls: null, ready: /\+monitor master/ });
  await server.startOrDispose();
  return server;
}

export interface RedisCluster extends AsyncDisposable {
  readonly masters: readonly RedisServer[];
  /** `HOST:PORT` of each. */
  readonly nodes: readonly string[];
}

/** Three masters that share the slots, formed without `redis-cli`'s questions. */
export async function startRedisCluster(o: { readonly env?: NodeJS.ProcessEnv; readonly args?: readonly string[] } = {}): Promise<RedisCluster> {
  const masters: RedisServer[] = [];
  const end = async (): Promise<void> => {
    await Promise.all(masters.map((master) => master[Symbol.asyncDispose]()));
  };
  try {
    const buses: number[] = [];
    for (let i = 0; i < 3; i++) {
      buses.push(await freePort());
      masters.push(await startMaster(o, buses[i] as number));
    }
    await form(masters, buses);
    return { masters, nodes: masters.map((master) => `${master.host}:${master.port}`), [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    throw error;
  }
}

const SLOTS = 16_384;
const INTRODUCED_EVERY_MS = 1_000;

/** Gives each its share of the slots and introduces them all to each other, again while somebody does not know everybody: one greeting may
 *  get lost on a busy machine. */
async function form(masters: readonly RedisServer[], buses: readonly number[]): Promise<void> {
  const from = (index: number): number => Math.floor((index * SLOTS) / masters.length);
  for (const [i, master] of masters.entries()) {
    master.cli('cluster', 'addslotsrange', String(from(i)), String(from(i + 1) - 1));
    master.cli('cluster', 'set-config-epoch', String(i + 1));
  }
  const isWhole = (master: RedisServer): boolean => {
    const info = master.cli('cluster', 'info');
    return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${masters.length}`);
  };
  let introducedAt = Number.NEGATIVE_INFINITY;
  await until(() => {
    if (masters.every(isWhole)) return true;
    if (performance.now() - introducedAt < INTRODUCED_EVERY_MS) return false;
    introducedAt = performance.now();
    for (const master of masters) {
      for (const [i, other] of masters.entries()) if (other !== master) master.cli('cluster', 'meet', other.host, String(other.port), String(buses[i]));
    }
    return false;
  }, 'every master to see the cluster complete');
}

async function startMaster(o: { readonly env?: NodeJS.ProcessEnv; readonly args?: readonly string[] }, bus: number): Promise<RedisServer> {
  const args = ['--cluster-enabled', 'yes', '--cluster-port', String(bus), '--cluster-config-file', 'nodes.conf', ...(o.args ?? [])];
  return startRedis({ args, ...(o.env === undefined ? {} : { env: o.env }) });
}

const tlsArgs = (tls: Certificates): readonly string[] => [
  ...['--tls-cert-file', tls.certificate, '--tls-key-file', tls.key, '--tls-ca-cert-file', tls.authority],
  ...['--tls-auth-clients', 'no', '--tls-replication', 'yes'],
];

interface Program {
  readonly port: number;
  readonly dir: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly tls: Certificates | null;
  readonly ready: RegExp;
}

/** Ended with this process, however it ends itself. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

class Server implements RedisServer {
  readonly host = '127.0.0.1' as const;
  readonly #program: Program;
  #child: ChildProcess | null = null;

  constructor(program: Program) {
    this.#program = program;
  }

  get port(): number {
    return this.#program.port;
  }
  get url(): string {
    return `${this.#program.tls === null ? 'redis' : 'rediss'}://127.0.0.1:${this.port}`;
  }
  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error('Expected the Redis server to run, but it was ended.');
    return pid;
  }

  freeze(): void {
    process.kill(this.pid, 'SIGSTOP');
  }
  thaw(): void {
    process.kill(this.pid, 'SIGCONT');
  }
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }
  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  async start(): Promise<void> {
    if (this.#child !== null) throw new Error('Expected the Redis server to be ended before it is started again.');
    mkdirSync(this.#program.dir, { recursive: true });
    const { path, missing } = redisTool();
    if (path === null) throw new Error(missing);
    const child = spawn(path, [...this.#program.args], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...withPlainMalloc(this.#program.env) } });
    this.#child = child;
    running.add(child);
    child.once('exit', () => running.delete(child));
    await saysReady(child, this.#program.ready);
  }

  async startOrDispose(): Promise<void> {
    try {
      await this.start();
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw error;
    }
  }

  cli(...command: readonly string[]): string {
    const { tls } = this.#program;
    const secure = tls === null ? [] : ['--tls', '--cacert', tls.authority];
    const answer = spawnSync('redis-cli', ['-h', this.host, '-p', String(this.port), ...secure, ...command], { encoding: 'utf8', timeout: 5_000 });
    if (answer.status !== 0) throw new Error(`Expected redis-cli ${command.join(' ')} to be answered, got: ${answer.stdout}${answer.stderr}`);
    return answer.stdout.trimEnd();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end('SIGKILL');
    rmSync(this.#program.dir, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    // A frozen one hears SIGTERM only when it goes on.
    child.kill('SIGCONT');
    await ended;
  }
}

/** jemalloc asks for the time before libfaketime can tell it, and both wait for each other: the C library's own allocator does not. */
const withPlainMalloc = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  env.LD_PRELOAD?.includes('faketime') ? { ...env, LD_PRELOAD: `${env.LD_PRELOAD}:libc.so.6` } : env;

/** Resolves when the server has said that it is ready; rejects, with what it said, if it ends before or says nothing in time. */
function saysReady(child: ChildProcess, ready: RegExp): Promise<void> {
  let heard = '';
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => settle(new Error(`Expected redis-server to be ready within ${START_WITHIN_MS} ms. It said:\n${heard}`)), START_WITHIN_MS);
    const settle = (error?: Error): void => {
      clearTimeout(timer);
      // What it says later is read and forgotten, or it would stall on a full pipe.
      heard = '';
      child.off('exit', onExit).off('error', settle);
      if (error === undefined) resolve();
      else reject(error);
    };
    const onExit = (code: number | null): void => settle(new Error(`Expected redis-server to run, but it ended with ${code}. It said:\n${heard}`));
    let isReady = false;
    const listen = (chunk: Buffer): void => {
      if (isReady) return;
      heard += chunk.toString();
      if (!ready.test(heard)) return;
      isReady = true;
      settle();
    };
    child.stdout?.on('data', listen);
    child.stderr?.on('data', listen);
    child.once('exit', onExit).once('error', settle);
  });
}

async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + START_WITHIN_MS;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`Expected ${what} within ${START_WITHIN_MS} ms.`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
