/** Recording clients as real processes: the real SDK, its lines in a file outside the process, and a process that can be stopped and
 *  killed. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Happening, Reached } from './recorder.ts';
import type { OpenOptions, Says, Told } from './recording-process.ts';

const PROGRAM = new URL('./recording-process.ts', import.meta.url).pathname;
const DEADLINE_MS = 30_000;

export interface ProcessOptions {
  /** What comes before `node` on the command line, such as `['ip', 'netns', 'exec', 'name']`. */
  readonly prefix?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** A process for one or more recording clients. */
export class RecordingProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #heard = new Map<string, (says: Says) => void>();
  /** Resolves when it is gone, however it went. */
  readonly ended: Promise<void>;

  constructor({ prefix = [], env = {} }: ProcessOptions = {}) {
    const [command = process.execPath, ...args] = [...prefix, process.execPath, '--disable-warning=ExperimentalWarning', PROGRAM];
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...env } });
    this.ended = once(this.#child, 'exit').then(() => {});
    // What is said to a process that was killed is lost, which is the purpose.
    this.#child.stdin?.on('error', () => {});
    if (this.#child.stdout)
      createInterface(this.#child.stdout).on('line', (line) => {
        const says = JSON.parse(line) as Says;
        this.#heard.get(says.client)?.(says);
      });
  }

  /** With a prefix that runs its command as a child, the prefix's. */
  get pid(): number {
    return this.#child.pid as number;
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  tell(told: Told): void {
    this.#child.stdin?.write(`${JSON.stringify(told)}\n`);
  }

  hear(client: string, listener: (says: Says) => void): void {
    this.#heard.set(client, listener);
  }

  /** SIGSTOP and SIGCONT return at once; see `processState` in `peers/kernel.ts` for a proof. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal);
  }

  /** Kills it, stopped or not. Resolves when it is gone. */
  async kill(): Promise<void> {
    if (!this.hasEnded) this.#child.kill('SIGKILL');
    await this.ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}

export interface RecordingOptions extends OpenOptions {
  /** Unique in its process. Default `client`. */
  readonly name?: string;
  /** Shares it with others; default: one of its own. */
  readonly process?: RecordingProcess;
  readonly run?: ProcessOptions;
}

type State = Extract<Happening, { readonly is: 'state' }>;

/** One client, over all its lives. */
export class RecordingClient implements AsyncDisposable {
  readonly file: string;
  readonly thread: string;
  /** Everything that it said, over all its lives. */
  readonly history: Happening[] = [];
  process: RecordingProcess;
  readonly #o: RecordingOptions;
  readonly #name: string;
  readonly #waiting = new Set<() => void>();
  readonly #reached = new Set<number>();
  #watches = 0;
  #isClosed = false;

  private constructor(options: RecordingOptions) {
    this.#o = options;
    this.#name = options.name ?? 'client';
    this.file = options.file;
    this.thread = options.thread;
    this.process = options.process ?? new RecordingProcess(options.run);
  }

  /** Resolves when it is live. */
  static async open(options: RecordingOptions): Promise<RecordingClient> {
    const client = new RecordingClient(options);
    await client.#live();
    return client;
  }

  /** Its state, as it said last. */
  get state(): State | null {
    return this.history.findLast((said): said is State => said.is === 'state') ?? null;
  }

  /** Of its last `live`. */
  get manager(): string | null {
    return this.history.findLast((said): said is State => said.is === 'state' && said.manager !== undefined)?.manager ?? null;
  }

  /** Where its last transport came from. */
  get socket(): Extract<Happening, { readonly is: 'socket' }> | null {
    return this.history.findLast((said) => said.is === 'socket') ?? null;
  }

  send(text: string, id?: string): void {
    this.process.tell({ client: this.#name, do: 'send', text, ...(id === undefined ? {} : { id }) });
  }

  /** Its person comes back. */
  resume(): void {
    this.process.tell({ client: this.#name, do: 'resume' });
  }

  /** Cancels the run that it follows. */
  cancel(): void {
    this.process.tell({ client: this.#name, do: 'cancel' });
  }

  stick(): void {
    this.process.tell({ client: this.#name, do: 'stick' });
  }

  goOn(): void {
    this.process.tell({ client: this.#name, do: 'go-on' });
  }

  freeze(ms: number): void {
    this.process.tell({ client: this.#name, do: 'freeze', ms });
  }

  /** Resolves when it has applied, or acknowledged, this number. */
  async reaches(is: Reached['is'], number: number, deadlineMs = DEADLINE_MS): Promise<void> {
    const id = ++this.#watches;
    this.process.tell({ client: this.#name, do: 'watch', id, is, number });
    await this.#until(`${this.#name} to have ${is} ${number}`, () => this.#reached.delete(id), deadlineMs);
  }

  /** Resolves with the first thing it has said since `since`, a length of `history`, that suits. */
  async said<T extends Happening['is']>(
    is: T,
    suits: (said: Extract<Happening, { readonly is: T }>) => boolean = () => true,
    { since = 0, deadlineMs = DEADLINE_MS }: { readonly since?: number; readonly deadlineMs?: number } = {},
  ): Promise<Extract<Happening, { readonly is: T }>> {
    type Wanted = Extract<Happening, { readonly is: T }>;
    const find = (): Wanted | undefined => this.history.slice(since).find((said) => said.is === is && suits(said as unknown as Wanted)) as Wanted | undefined;
    await this.#until(`${this.#name} to say ${is}`, () => find() !== undefined, deadlineMs);
    return find() as Wanted;
  }

  /** Kills its process and starts it again behind its last whole line, in a process of its own. Resolves when it is live. */
  async restart(): Promise<void> {
    await this.process.kill();
    this.process = new RecordingProcess(this.#o.run);
    await this.#live();
  }

  /** Says goodbye. */
  async close(): Promise<void> {
    if (this.#isClosed || this.process.hasEnded) return;
    this.process.tell({ client: this.#name, do: 'close' });
    await this.#until(`${this.#name} to be closed`, () => this.#isClosed, 5_000);
  }

  /** Ends its process too if that is its own. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#o.process === undefined || this.process !== this.#o.process) await this.process.kill();
    else await this.close();
  }

  async #live(): Promise<void> {
    const since = this.history.length;
    this.process.hear(this.#name, (says) => {
      if ('progress' in says) this.history.push(says.progress);
      else if ('reached' in says) this.#reached.add(says.reached);
      else this.#isClosed = true;
      for (const look of [...this.#waiting]) look();
    });
    const { name: _name, process: _process, run: _run, ...with_ } = this.#o;
    this.process.tell({ client: this.#name, do: 'open', with: with_ });
    await this.said('state', ({ name }) => name === 'live', { since });
  }

  #until(what: string, is: () => boolean, deadlineMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
      };
      const look = (): void => {
        if (!is()) return;
        end();
        resolve();
      };
      const timer = setTimeout(() => {
        end();
        reject(new Error(`Expected ${what} within ${deadlineMs} ms; it is ${JSON.stringify(this.state)}.`));
      }, deadlineMs);
      this.#waiting.add(look);
      look();
    });
  }
}
