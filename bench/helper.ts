import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Processes of a run that are asked over IPC, one question at a time each. */

interface Question {
  readonly id: number;
  readonly what: string;
  readonly input: unknown;
}
type Answer = { readonly id: number } & ({ readonly value: unknown } | { readonly error: string });

/** A process of a run: a server under load, or the generator that loads it. */
export class Helper implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void }>();
  readonly #gone: Promise<void>;
  #count = 0;

  /** `file` is relative to this folder; it calls `answer`. */
  constructor(file: string, args: readonly string[] = [], o: { readonly nodeArgs?: readonly string[]; readonly env?: Readonly<Record<string, string>> } = {}) {
    this.#child = fork(fileURLToPath(new URL(file, import.meta.url)), [...args], {
      execArgv: ['--disable-warning=ExperimentalWarning', ...(o.nodeArgs ?? [])],
      env: { ...process.env, ...o.env },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child.on('message', (answer: Answer) => {
      const asker = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if ('error' in answer) asker?.reject(new Error(`${file} ${args.join(' ')}: ${answer.error}`));
      else asker?.resolve(answer.value);
    });
    this.#gone = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        for (const { reject } of this.#waiting.values()) reject(new Error(`Expected ${file} ${args.join(' ')} to answer; it ended with ${signal ?? code}.`));
        this.#waiting.clear();
        resolve();
      });
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Asks, and resolves to the answer. Rejects where the process fails or ends. */
  ask<T = void>(what: string, input: unknown = null): Promise<T> {
    const id = ++this.#count;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      const question: Question = { id, what, input };
      this.#child.send(question, (error) => {
        if (error === null) return;
        this.#waiting.delete(id);
        reject(error);
      });
    });
  }

  /** Lets it end by itself, so that what Node writes at an exit is written. */
  async end(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    await this.#gone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#gone;
  }
}

/** Called once in a helper process: answers what it is asked. The process ends with whoever started it. */
export function answer(answers: Readonly<Record<string, (input: never) => unknown>>): void {
  const send = (a: Answer): void => void process.send?.(a);
  process.on('message', ({ id, what, input }: Question) => {
    const act = answers[what];
    Promise.resolve()
      .then(() => {
        if (act === undefined) throw new Error(`Expected one of ${Object.keys(answers).join(', ')}, got ${what}.`);
        return act(input as never);
      })
      .then(
        (value) => send({ id, value: value ?? null }),
        (error: unknown) => send({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
      );
  });
  process.once('disconnect', () => process.exit(0));
}
