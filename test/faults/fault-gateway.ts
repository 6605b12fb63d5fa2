import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import type { PartialOptions } from '../../src/core/options.ts';
import type { AppCommand, AppConfig, AppSaid } from './gateway-messages.ts';
import { killedAtExit } from './killed-at-exit.ts';

/** How a gateway under test is started. */
export interface FaultGatewayOptions {
  readonly timing?: AppConfig['timing'];
  /** A folder of this run: its store, if it has one, and what its agent attempted, as all nodes of a folder do in one file. */
  readonly folder: string;
  /** `file`: a store that outlives the process. `redis`: the URL of one that several processes share. Default `memory`. */
  readonly store?: 'memory' | 'file' | { readonly redis: string };
  /** Name of this node. Default `gw-fault`. */
  readonly node?: string;
  readonly options?: PartialOptions;
  /** Where clients reach it. Default 127.0.0.1; `0.0.0.0` for clients in namespaces. */
  readonly host?: string;
  readonly drainMs?: number;
  /** More of the environment of its process. */
  readonly env?: NodeJS.ProcessEnv;
}

// biome-ignore lint/suspicious/noExplicitAny: whoever asks says itself what it expects.
type Json = any;
type Ending = 'SIGKILL' | 'SIGTERM';

const CHILD = new URL('./gateway-app.ts', import.meta.url).pathname;
const START_WITHIN_MS = 60_000;
const ANSWER_WITHIN_MS = 90_000;
const ADMIN_KEY = 'a-key-of-the-fault-catalogue';
const SECRET = 'a secret of the fault catalogue, 32 b.';
/** Longer than any run: expiry may follow a wall clock that a row moves. */
const TOKEN_LIVES_MS = 48 * 3_600_000;
const RUN_ROOM_BYTES = 256 * 1_048_576;

/** A gateway in a process of its own, driven over its public API, its admin API and signals; it can be started again on the same
 *  store and port. */
export class FaultGateway implements AsyncDisposable {
  readonly folder: string;
  /** Where its agent writes what it is about to hand over. */
  readonly attempted: string;
  readonly #config: AppConfig;
  readonly #env: NodeJS.ProcessEnv;
  #child: ChildProcess | null = null;
  #ended: Promise<unknown> = Promise.resolve();
  #port = 0;
  #adminPort = 0;
  #asked = 0;
  readonly #answers = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  readonly #tokens = new Map<string, Promise<string>>();

  private constructor(o: FaultGatewayOptions) {
    this.folder = o.folder;
    this.attempted = join(o.folder, 'attempted.jsonl');
    this.#env = o.env ?? {};
    this.#config = {
      timing: o.timing ?? 'default',
      // Long runs of large events, and many clients of one address, are what the catalogue is made of.
      options: {
        ...o.options,
        log: { runBytes: RUN_ROOM_BYTES, streamBytes: RUN_ROOM_BYTES, ...o.options?.log },
        rate: { upgradesPer10s: 100_000, ...o.options?.rate },
      },
      file: o.store === 'file' ? join(o.folder, 'store.sqlite') : null,
      redis: typeof o.store === 'object' ? o.store.redis : null,
      host: o.host ?? '127.0.0.1',
      port: 0,
      adminPort: 0,
      adminKey: ADMIN_KEY,
      secret: SECRET,
      signingKey: 'a signing key of the catalogue, 32'.slice(0, 32),
      node: o.node ?? 'gw-fault',
      attempted: this.attempted,
      drainMs: o.drainMs ?? 10_000,
    };
  }

  static async start(o: FaultGatewayOptions): Promise<FaultGateway> {
    const gateway = new FaultGateway(o);
    await gateway.start();
    return gateway;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** The port that clients reach. */
  get port(): number {
    return this.#port;
  }

  get timing(): AppConfig['timing'] {
    return this.#config.timing;
  }

  /** `http://127.0.0.1:…`, without a slash at the end. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get wsUrl(): string {
    return `ws://127.0.0.1:${this.#port}/v1/ws`;
  }

  get adminUrl(): string {
    return `http://127.0.0.1:${this.#adminPort}`;
  }

  get isRunning(): boolean {
    return this.#child !== null;
  }

  /** Starts its process, again on the same port and store if it ran before. */
  async start(env: NodeJS.ProcessEnv = {}): Promise<void> {
    if (this.#child !== null) throw new Error('Expected a gateway that does not run, it does.');
    const config: AppConfig = { ...this.#config, port: this.#port, adminPort: this.#adminPort };
    const child = fork(CHILD, [JSON.stringify(config)], {
      execArgv: ['--disable-warning=ExperimentalWarning', '--expose-gc'],
      env: { ...process.env, ...this.#env, ...env },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child = child;
    killedAtExit(child);
    this.#ended = once(child, 'exit').then(([code]) => {
      this.#child = null;
      for (const { reject } of this.#answers.values()) reject(new Error('The gateway’s process ended.'));
      this.#answers.clear();
      return code as number | null;
    });
    const [said] = (await Promise.race([
      once(child, 'message', { signal: AbortSignal.timeout(START_WITHIN_MS) }),
      this.#ended.then((code) => Promise.reject(new Error(`Expected a gateway, its process ended with ${code}.`))),
    ])) as [Extract<AppSaid, { is: 'listening' }>];
    this.#port = said.port;
    this.#adminPort = said.adminPort;
    child.on('message', (answer: AppSaid) => {
      if (answer.is !== 'answer') return;
      this.#answers.get(answer.id)?.resolve(answer.value);
      this.#answers.delete(answer.id);
    });
  }

  /** A token of this user. */
  token(user: string): Promise<string> {
    let token = this.#tokens.get(user);
    if (token === undefined) {
      token = new SignJWT({})
        .setProtectedHeader({ alg: 'HS256' })
        .setSubject(user)
        .setExpirationTime(new Date(Date.now() + TOKEN_LIVES_MS))
        .sign(new TextEncoder().encode(SECRET));
      this.#tokens.set(user, token);
    }
    return token;
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
    if (!response.ok) throw new Error(`Expected ${path} to be answered, got ${response.status}: ${text}`);
    return JSON.parse(text);
  }

  /** The whole factory: fields of `GET /admin/api/v1/status`. */
  status(): Promise<Json> {
    return this.admin('status');
  }

  /** An HTTP request of a user to the public listener. */
  request(user: string, method: string, path: string, body?: unknown): Promise<Response> {
    return this.token(user).then((token) =>
      fetch(`${this.url}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    );
  }

  /** Asks something of its agent in this conversation; resolves to the run. */
  async ask(user: string, thread: string, text: string): Promise<string> {
    const id = crypto.randomUUID();
    for (;;) {
      const response = await this.request(user, 'POST', `/v1/threads/${thread}/messages`, { id, data: { text } });
      const answer = (await response.json()) as Json;
      if (response.ok) return answer.run as string;
      if (!answer.retryable) throw new Error(`Expected a run in ${thread}, got ${response.status}: ${JSON.stringify(answer)}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  async cancel(user: string, run: string): Promise<void> {
    const response = await this.request(user, 'POST', `/v1/runs/${run}/cancel`);
    await response.body?.cancel();
  }

  /** Computes for so long in its event loop. Resolves when that is over. */
  async busy(ms: number): Promise<void> {
    await this.tell({ do: 'busy', ms });
  }

  /** After a garbage collection. */
  async memory(): Promise<NodeJS.MemoryUsage> {
    return (await this.tell({ do: 'memory' })) as NodeJS.MemoryUsage;
  }

  async tell(command: AppCommand): Promise<unknown> {
    const child = this.#child;
    if (child === null) throw new Error('Expected a gateway that runs, its process has ended.');
    const id = ++this.#asked;
    const answer = new Promise<unknown>((resolve, reject) => this.#answers.set(id, { resolve, reject }));
    child.send({ id, command });
    const timer = setTimeout(() => {
      this.#answers.get(id)?.reject(new Error(`Expected an answer to ${command.do} within ${ANSWER_WITHIN_MS} ms.`));
      this.#answers.delete(id);
    }, ANSWER_WITHIN_MS);
    try {
      return await answer;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends a signal to its process; one that ends it is waited for: its exit code, null where the signal ended it. */
  async kill(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    if (child === null) return null;
    child.kill(signal);
    return signal === 'SIGKILL' || signal === 'SIGTERM' ? ((await this.#ended) as number | null) : null;
  }

  /** Ends its process and starts another on the same store and port. */
  async restart(how: Ending = 'SIGKILL', env: NodeJS.ProcessEnv = {}): Promise<void> {
    await this.kill(how);
    await this.start(env);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child === null) return;
    this.#child.kill('SIGCONT');
    await this.kill('SIGKILL');
  }
}
