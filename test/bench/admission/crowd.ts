import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** One client for each entry. */
export interface CrowdCommand {
  readonly url: string;
  readonly clients: readonly { readonly user: string; readonly token: string }[];
  readonly allAtOnce: boolean;
}

/** How one client came to its seat, milliseconds of its own clock. */
export interface Opened {
  readonly user: string;
  readonly dialledAt: number;
  readonly readyAfterMs: number;
  readonly helloToReadyMs: number;
  readonly wasQueued: boolean;
}
export type CrowdSaid = { readonly is: 'opened'; readonly opened: readonly Opened[] } | { readonly is: 'failed'; readonly why: string };

/** A process full of clients. */
export class Crowd implements AsyncDisposable {
  readonly #child: ChildProcess;

  constructor() {
    this.#child = fork(new URL('./crowd-process.ts', import.meta.url).pathname, { execArgv: ['--disable-warning=ExperimentalWarning'] });
  }

  async open(command: CrowdCommand): Promise<readonly Opened[]> {
    this.#child.send(command);
    const [said] = (await once(this.#child, 'message', { signal: AbortSignal.timeout(120_000) })) as [CrowdSaid];
    if (said.is === 'failed') throw new Error(said.why);
    return said.opened;
  }

  /** All of them freeze: their process is stopped. */
  stop(): void {
    this.#child.kill('SIGSTOP');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}
