import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { PartialOptions } from '../../src/core/options.ts';

export interface LoginGatewayConfig {
  /** Holds its store and its accounts, and is there for the next one. */
  readonly folder: string;
  /** 0: any. */
  readonly port: number;
  readonly timing: 'default' | 'fast';
  readonly options: PartialOptions;
  readonly tokenTtlMs: number;
  /** How fast its agent speaks. */
  readonly pace: { readonly wordsPerSecond: number; readonly stepMs: number };
}

export interface LoginGatewayStatus {
  /** Of the user who was asked about. */
  readonly seats: number;
  readonly effective: number;
  readonly sockets: number;
  /** Heap and buffers of the process after garbage was collected. */
  readonly heldBytes: number;
  readonly differences: readonly unknown[];
  /** What its log calls an error. */
  readonly troubles: readonly string[];
}

const CHILD = new URL('./login-gateway-child.ts', import.meta.url).pathname;
const START_WITHIN_MS = 30_000;

/** A gateway that people log in to, in a process of its own. `restart` needs nothing but its folder and port. */
export class LoginGateway implements AsyncDisposable {
  readonly port: number;
  readonly #config: LoginGatewayConfig;
  #child: ChildProcess;
  #asked = 0;

  private constructor(config: LoginGatewayConfig, child: ChildProcess, port: number) {
    this.#config = config;
    this.#child = child;
    this.port = port;
  }

  static async start(config: LoginGatewayConfig): Promise<LoginGateway> {
    const { child, port } = await launch(config);
    return new LoginGateway({ ...config, port }, child, port);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async status(user: string): Promise<LoginGatewayStatus> {
    const id = ++this.#asked;
    this.#child.send({ id, user });
    for (;;) {
      const [said] = (await once(this.#child, 'message')) as [{ readonly id: number; readonly answer?: LoginGatewayStatus; readonly failed?: string }];
      if (said.id !== id) continue;
      if (said.answer === undefined) throw new Error(said.failed);
      return said.answer;
    }
  }

  /** Ends it without a word, as a power cut does. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  /** Starts another one in its place. */
  async restart(): Promise<void> {
    this.#child = (await launch(this.#config)).child;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

async function launch(config: LoginGatewayConfig): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const child = fork(CHILD, [JSON.stringify(config)], { execArgv: ['--disable-warning=ExperimentalWarning', '--expose-gc'] });
  try {
    const [said] = (await Promise.race([
      once(child, 'message', { signal: AbortSignal.timeout(START_WITHIN_MS) }),
      once(child, 'exit').then(([code]) => Promise.reject(new Error(`Expected a gateway, its process ended with ${code}.`))),
    ])) as [{ readonly port: number }];
    return { child, port: said.port };
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}
