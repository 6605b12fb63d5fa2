import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { HELLO } from '../support/gateway.ts';

export interface NeighbourSaid {
  readonly events: number;
  /** Runs of its own that came to their end. */
  readonly answers: number;
  readonly questions: number;
  /** Offsets that did not follow each other. */
  readonly holes: readonly string[];
  /** Errors, gaps and farewells. */
  readonly problems: readonly string[];
  /** How long each `check` took. */
  readonly checkedMs: readonly number[];
  readonly unansweredChecks: number;
  readonly ended: string | null;
}

const PATH = new URL('./neighbour-process.ts', import.meta.url).pathname;

/** Somebody whose connection must not notice anything of the storm. */
export class StormNeighbour implements AsyncDisposable {
  readonly #process: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#process = child;
  }

  static async start(wsUrl: string, token: string, thread: string): Promise<StormNeighbour> {
    const child = fork(PATH, [wsUrl, JSON.stringify({ ...HELLO, token }), thread], { execArgv: ['--disable-warning=ExperimentalWarning'] });
    const [said] = await Promise.race([once(child, 'message'), once(child, 'exit').then(() => ['ended'])]);
    if (said !== 'ready') throw new Error('Expected a neighbour, its process ended.');
    return new StormNeighbour(child);
  }

  /** What it has seen since it began; how long its checks took since the last `rest`. */
  async tell(ask: 'tell' | 'rest' = 'tell'): Promise<NeighbourSaid> {
    const answer = once(this.#process, 'message');
    this.#process.send(ask);
    return (await answer)[0] as NeighbourSaid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await ended;
  }
}
