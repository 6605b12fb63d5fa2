import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { systemClock } from '../../ports/clock.ts';
import { SpillwayError } from '../../protocol/errors.ts';
import { type Answer, monotonicMs, type Question, type WorkerSetup } from './messages.ts';
import type { OperationName, Operations } from './operations.ts';

interface Pending {
  readonly resolve: (value: never) => void;
  readonly reject: (error: SpillwayError) => void;
  readonly deadline: number;
}

/** Runs operations in the worker thread. Each call ends within `deadlineMs`, whatever the worker does; a worker that dies is
 *  started anew by the next call. */
export class Caller {
  readonly #setup: () => WorkerSetup;
  readonly #file: string;
  readonly #deadlineMs: number;
  /** In the order of deadlines, as all have the same time. */
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | null = null;
  #count = 0;
  #watching = false;
  #closing: Promise<void> | null = null;

  constructor(file: string, deadlineMs: number, setup: () => WorkerSetup) {
    this.#file = file;
    this.#deadlineMs = deadlineMs;
    this.#setup = setup;
  }

  call<N extends OperationName>(name: N, ...args: Parameters<Operations[N]>): Promise<ReturnType<Operations[N]>> {
    if (this.#closing !== null) return Promise.reject(new SpillwayError('SPILLWAY_CLOSED', `Expected an open store, got one that was closed (${this.#file}).`));
    return this.#ask(name, args);
  }

  /** Answers what was asked before, makes everything durable, ends the worker. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const worker = this.#worker;
    if (worker === null) return;
    try {
      await this.#ask('close', []);
    } catch (error) {
      if (this.#worker !== worker) return; // It ended by itself; what it had confirmed is safe.
      // A thread that hangs in a system call cannot be ended either; it must not hold up whoever closes.
      worker.terminate().catch(() => {});
      throw error;
    }
    await worker.terminate();
  }

  #ask<T>(name: Question['name'], args: readonly unknown[]): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const id = ++this.#count;
      const deadline = monotonicMs() + this.#deadlineMs;
      const worker = this.#worker ?? this.#start();
      try {
        worker.postMessage({ id, name, args, deadline } satisfies Question);
      } catch (cause) {
        reject(
          new SpillwayError('SPILLWAY_BAD_ARGUMENT', `Expected plain values for \`${name}\` of the store, got one that cannot be copied: ${String(cause)}`, {
            cause,
          }),
        );
        return;
      }
      // A call under way keeps the process alive, an idle store does not.
      if (this.#pending.size === 0) worker.ref();
      this.#pending.set(id, { resolve, reject, deadline });
      this.#watch();
    });
  }

  #start(): Worker {
    // Beside this file, compiled or as source, whichever this file is.
    const worker = new Worker(new URL(`./worker${extname(import.meta.url)}`, import.meta.url), { workerData: this.#setup(), name: 'spillway-store' });
    worker.unref();
    worker.on('message', (answer: Answer) => this.#answered(answer));
    worker.on('error', (cause) => this.#died(worker, cause));
    worker.on('exit', () => this.#died(worker, undefined));
    this.#worker = worker;
    return worker;
  }

  #answered(answer: Answer): void {
    const pending = this.#pending.get(answer.id);
    if (pending === undefined) return; // Its caller has stopped waiting.
    this.#forget(answer.id);
    if ('value' in answer) {
      pending.resolve(answer.value as never);
      return;
    }
    const { code, message, retry, cause } = answer.failure;
    pending.reject(new SpillwayError(code, message, { retry, ...(cause === '' ? {} : { cause }) }));
  }

  #died(worker: Worker, cause: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    const error = new SpillwayError(
      'SPILLWAY_STORE_UNAVAILABLE',
      `The thread that keeps the store ${this.#file} has ended: ${String(cause ?? 'no reason given')}. The next call starts it anew.`,
      {
        retry: 'now',
        cause,
      },
    );
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
  }

  #forget(id: number): void {
    this.#pending.delete(id);
    if (this.#pending.size === 0) this.#worker?.unref();
  }

  /** One timer for all calls: it looks at the oldest. It runs on the system's clock whatever clock the store was given, since the
   *  worker and the disk live by that one. */
  #watch(): void {
    const oldest = this.#pending.values().next().value;
    if (this.#watching || oldest === undefined) return;
    this.#watching = true;
    systemClock.after(Math.max(0, oldest.deadline - monotonicMs()), () => {
      this.#watching = false;
      const now = monotonicMs();
      for (const [id, { deadline, reject }] of this.#pending) {
        if (deadline > now) break;
        this.#forget(id);
        reject(
          new SpillwayError(
            'SPILLWAY_STORE_UNAVAILABLE',
            `The store ${this.#file} did not answer within ${this.#deadlineMs} ms. Check the disk and the load of this machine.`,
            { retry: 'later' },
          ),
        );
      }
      this.#watch();
    });
  }
}
