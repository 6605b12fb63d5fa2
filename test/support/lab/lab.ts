import { type ChildProcess, fork } from 'node:child_process';
import { on, once } from 'node:events';
import { tokenFor } from '../gateway.ts';
import type { Command, LabConfig, LabStatus, Memory, Said, Trouble } from './commands.ts';
import { nowMs, type Stall } from './time.ts';

type Admission = Extract<Said, { is: 'admission' }>;
type Cleanup = Extract<Said, { is: 'cleanup' }>;
type Ended = Extract<Said, { is: 'ended' }>;

const CHILD = new URL('./lab-child.ts', import.meta.url).pathname;
const START_WITHIN_MS = 30_000;
const ANSWER_WITHIN_MS = 30_000;

/** A gateway in a process of its own, and everything it says. */
export class Lab implements AsyncDisposable {
  readonly pid: number;
  readonly url: string;
  readonly wsUrl: string;
  /** The same factory without the gateway: for transports that a test wraps. */
  readonly bareUrl: string;
  readonly token = tokenFor;
  readonly stalls: Stall[] = [];
  /** When it last said that it runs: up to here its stalls are known. */
  awakeAt = nowMs();
  readonly troubles: Trouble[] = [];
  readonly admissions: Admission[] = [];
  readonly cleanups: Cleanup[] = [];
  readonly ended: Ended[] = [];
  readonly #child: ChildProcess;
  readonly #answers = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #asked = 0;
  #isOver = false;

  private constructor(child: ChildProcess, ports: { readonly port: number; readonly barePort: number }) {
    this.#child = child;
    this.pid = child.pid as number;
    this.url = `http://127.0.0.1:${ports.port}`;
    this.wsUrl = `ws://127.0.0.1:${ports.port}/v1/ws`;
    this.bareUrl = `ws://127.0.0.1:${ports.barePort}/`;
    child.on('message', (said: Said) => this.#hear(said));
    child.once('exit', (code, signal) => {
      if (!this.#isOver) this.troubles.push({ severity: 'CRITICAL', event: 'process-ended', message: `The gateway's process ended: ${code ?? signal}.` });
      this.#isOver = true;
      for (const { reject } of this.#answers.values()) reject(new Error('The gateway’s process ended.'));
      this.#answers.clear();
    });
  }

  /** `env`: more of the environment of its process. */
  static async start(config: Partial<LabConfig> = {}, env: NodeJS.ProcessEnv = {}): Promise<Lab> {
    const child = fork(CHILD, [JSON.stringify({ options: {}, seed: 1, ...config })], {
      execArgv: ['--disable-warning=ExperimentalWarning', '--expose-gc'],
      env: { ...process.env, ...env },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const deadline = AbortSignal.timeout(START_WITHIN_MS);
    try {
      const said = await Promise.race([
        listening(child, deadline),
        once(child, 'exit').then(([code]) => Promise.reject(new Error(`Expected a gateway, its process ended with ${code}.`))),
      ]);
      return new Lab(child, said);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  get hasEnded(): boolean {
    return this.#isOver;
  }

  #hear(said: Said): void {
    if (said.is === 'awake') this.awakeAt = said.at;
    else if (said.is === 'stall') this.stalls.push(said.stall);
    else if (said.is === 'trouble') this.troubles.push(said.trouble);
    else if (said.is === 'admission') this.admissions.push(said);
    else if (said.is === 'cleanup') this.cleanups.push(said);
    else if (said.is === 'ended') this.ended.push(said);
    else if (said.is === 'answer') this.#take(said.id)?.resolve(said.value);
    else if (said.is === 'failed') this.#take(said.id)?.reject(new Error(said.why));
  }

  #take(id: number): { resolve(value: unknown): void; reject(error: Error): void } | undefined {
    const waiting = this.#answers.get(id);
    this.#answers.delete(id);
    return waiting;
  }

  async tell(command: Command): Promise<unknown> {
    if (this.#isOver) throw new Error('The gateway’s process ended.');
    const id = ++this.#asked;
    const answer = new Promise<unknown>((resolve, reject) => this.#answers.set(id, { resolve, reject }));
    this.#child.send({ id, command });
    const timer = setTimeout(() => this.#take(id)?.reject(new Error(`Expected an answer to ${command.do} within ${ANSWER_WITHIN_MS} ms.`)), ANSWER_WITHIN_MS);
    try {
      return await answer;
    } finally {
      clearTimeout(timer);
    }
  }

  async status(...users: string[]): Promise<LabStatus> {
    return (await this.tell({ do: 'status', users })) as LabStatus;
  }

  async publish(user: string, thread: string, bytes = 8): Promise<number> {
    return (await this.tell({ do: 'publish', user, thread, bytes })) as number;
  }

  /** Bytes that its process holds once garbage was collected. */
  async memory(): Promise<Memory> {
    return (await this.tell({ do: 'memory' })) as Memory;
  }

  /** What the gateway's own cross-check of registry, seats and sockets finds. */
  async differences(): Promise<readonly unknown[]> {
    return (await this.tell({ do: 'consistency' })) as readonly unknown[];
  }

  /** Stops its process for this long, as a machine that swaps does. */
  async stopFor(ms: number): Promise<void> {
    const from = nowMs();
    this.#child.kill('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, ms));
    this.#child.kill('SIGCONT');
    // Its own ticker says the same as soon as it runs again.
    this.stalls.push({ from, to: nowMs() });
  }

  request(method: string, path: string, token: string, body?: unknown): Promise<Response> {
    return fetch(`${this.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}

/** What it says when it listens. Until then it may say other things, as while it waits for its store. */
async function listening(child: ChildProcess, signal: AbortSignal): Promise<Extract<Said, { is: 'listening' }>> {
  for await (const [said] of on(child, 'message', { signal }) as AsyncIterable<[Said]>) if (said.is === 'listening') return said;
  throw new Error('Expected a gateway to listen.');
}
