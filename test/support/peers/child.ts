import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { until } from './kernel.ts';

export interface ChildLine {
  readonly seated?: string;
  readonly how?: string;
  readonly seat?: string;
  readonly afterMs?: number;
  readonly applied?: number;
  readonly closed?: number;
  readonly failed?: string;
  readonly frozen?: true;
  readonly pongsWhileFrozen?: number;
}

/** A peer in a process of its own, and what it said. */
export class Child implements AsyncDisposable {
  readonly pid: number;
  readonly lines: ChildLine[] = [];
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;

  private constructor(child: ChildProcess) {
    this.#process = child;
    this.pid = child.pid as number;
    this.#ended = once(child, 'exit');
    if (child.stdout) createInterface(child.stdout).on('line', (line) => this.lines.push(JSON.parse(line) as ChildLine));
  }

  /** Starts `script` of this folder and waits until it is seated. */
  static async seated(script: 'client-process.ts' | 'page-process.ts', args: readonly string[]): Promise<{ readonly child: Child; readonly manager: string }> {
    const path = new URL(script, import.meta.url).pathname;
    const child = new Child(spawn(process.execPath, ['--disable-warning=ExperimentalWarning', path, ...args], { stdio: ['pipe', 'pipe', 'inherit'] }));
    try {
      return { child, manager: await child.said(`${script} to be seated`, (line) => line.seated, 20_000) };
    } catch (error) {
      await child[Symbol.asyncDispose]();
      throw error;
    }
  }

  get hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  /** The first thing it said, from line `from` on, in which `pick` finds something. */
  async said<T>(what: string, pick: (line: ChildLine) => T | undefined, deadlineMs = 5_000, from = 0): Promise<T> {
    return await until(
      what,
      () => {
        for (const line of this.lines.slice(from)) {
          const found = pick(line);
          if (found !== undefined) return found;
        }
        if (this.hasEnded) throw new Error(`Expected ${what}, its process ended.`);
        return null;
      },
      deadlineMs,
    );
  }

  command(line: 'return' | 'freeze'): void {
    this.#process.stdin?.write(`${line}\n`);
  }

  signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void {
    this.#process.kill(name);
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
