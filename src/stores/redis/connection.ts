import { Cluster } from 'ioredis';
import type { SpillwayError } from '../../protocol/errors.ts';
import { type Client, createClient } from './client.ts';
import { isNoScript, isRefusal, messageOf, storeError, timedOut, unreachable } from './errors.ts';
import { type Keys, keysOf } from './keys.ts';
import { DEFAULT_DEADLINE_MS, DEFAULT_PREFIX, DEFAULT_START_WITHIN_MS, type RedisStoreOptions } from './options.ts';
import { type Script, script } from './scripts.ts';
import { Subscriptions } from './subscriptions.ts';

export type Argument = string | number;

/** One call of a script. All keys lie in one slot. */
export interface ScriptCall {
  readonly keys: readonly string[];
  readonly args: readonly Argument[];
  /** Another script than that of the whole round. */
  readonly script?: string;
}

/** What became of one call among several. */
export type Outcome = { readonly ok: true; readonly answer: unknown } | { readonly ok: false; readonly error: SpillwayError };

/** Log reads and appends carry more than a question about seats. */
const LOG_DEADLINE_FACTOR = 10;

/** A timer that comes this late tells that our own event loop stood still. */
const OWN_PAUSE_MS = 50;

/** The way to Redis that all parts of the store share. Every call ends within its deadline, and rejects with a `SpillwayError` of code
 *  SPILLWAY_STORE_UNAVAILABLE or SPILLWAY_STORE_BROKEN; it goes on reconnecting by itself. */
export class Connection implements AsyncDisposable {
  readonly keys: Keys;
  /** For seats, nodes and letters: a person waits for the answer. */
  readonly seatDeadlineMs: number;
  /** For the log, threads and credentials. */
  readonly logDeadlineMs: number;
  readonly subscriptions: Subscriptions;
  readonly #options: RedisStoreOptions;
  readonly #client: Client;
  readonly #blocking = new Set<Client>();
  #trouble: string | null = null;
  #isClosed = false;

  constructor(options: RedisStoreOptions) {
    this.#options = options;
    this.keys = keysOf(options.prefix ?? DEFAULT_PREFIX);
    this.seatDeadlineMs = options.deadlineMs ?? DEFAULT_DEADLINE_MS;
    this.logDeadlineMs = this.seatDeadlineMs * LOG_DEADLINE_FACTOR;
    this.#client = this.#listened(createClient(options, 'commands'));
    this.subscriptions = new Subscriptions(() => this.#listened(createClient(options, 'subscriptions')));
  }

  get isCluster(): boolean {
    return this.#client instanceof Cluster;
  }

  /** Whether it was closed by its owner: nothing will be answered any more. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Runs the script `lua/NAME.lua`. What the server forgot is given to it again. */
  async run(name: string, keys: readonly string[], args: readonly Argument[], withinMs: number): Promise<unknown> {
    const asked = script(name);
    return this.#within(this.#evaluate(asked, { keys, args }), name, withinMs);
  }

  /** Runs a script for each of `calls`, sent at once, answered in order; each has its own outcome. */
  async runAll(name: string, calls: readonly ScriptCall[], withinMs: number): Promise<readonly Outcome[]> {
    const asked = script(name);
    const scripts = calls.map((call) => (call.script === undefined ? asked : script(call.script)));
    const answers =
      this.#client instanceof Cluster || calls.length < 2
        ? calls.map((call, i) => this.#evaluate(scripts[i] as Script, call))
        : this.#pipelined(scripts, calls);
    return Promise.all(
      answers.map((answer) =>
        this.#within(answer, name, withinMs).then(
          (value): Outcome => ({ ok: true, answer: value }),
          (error: SpillwayError): Outcome => ({ ok: false, error }),
        ),
      ),
    );
  }

  /** One plain command, `command('XRANGE', [key, '-', '+'])`. */
  command(name: string, args: readonly Argument[], withinMs: number): Promise<unknown> {
    return this.#within(this.#client.call(name, ...args), name, withinMs);
  }

  /** One plain command to every master of a cluster, or to the one server. */
  async everywhere(name: string, args: readonly Argument[], withinMs: number): Promise<readonly unknown[]> {
    const nodes = this.#client instanceof Cluster ? this.#client.nodes('master') : [this.#client];
    return Promise.all(nodes.map((node) => this.#within(node.call(name, ...args), name, withinMs)));
  }

  /** A connection for commands that wait on the server; nobody else's commands stand behind them. */
  blocking(): { command(name: string, args: readonly Argument[], withinMs: number): Promise<unknown>; close(): void } {
    const client = this.#listened(createClient(this.#options, 'blocking'));
    this.#blocking.add(client);
    return {
      command: async (name, args, withinMs) => {
        if (client.status === 'wait') await this.#within(client.connect(), 'a connection', withinMs);
        return this.#within(client.call(name, ...args), name, withinMs);
      },
      close: () => {
        this.#blocking.delete(client);
        client.disconnect();
      },
    };
  }

  /** Resolves when commands can be sent. Rejects when that takes longer than `startWithinMs`, and at once when the server refuses us. */
  async open(): Promise<void> {
    const withinMs = this.#options.startWithinMs ?? DEFAULT_START_WITHIN_MS;
    const client = this.#client;
    let undo = (): void => {};
    const opened = new Promise<void>((resolve, reject) => {
      const hear = (error: unknown): void => {
        if (isRefusal(error)) reject(error);
      };
      undo = () => client.off('error', hear).off('node error', hear);
      client.on('error', hear).on('node error', hear);
      client.once('ready', () => resolve());
      // It goes on trying by itself; what it meets is heard as `error`.
      client.connect().catch(hear);
    });
    try {
      await this.#within(opened, 'a connection', withinMs);
    } finally {
      undo();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.subscriptions.close();
    for (const client of [this.#client, ...this.#blocking]) client.disconnect();
    this.#blocking.clear();
  }

  #evaluate({ text, sha }: Script, { keys, args }: ScriptCall): Promise<unknown> {
    return this.#client.call('EVALSHA', sha, keys.length, ...keys, ...args).catch((error: unknown) => {
      if (!isNoScript(error)) throw error;
      return this.#client.call('EVAL', text, keys.length, ...keys, ...args);
    });
  }

  #pipelined(scripts: readonly Script[], calls: readonly ScriptCall[]): readonly Promise<unknown>[] {
    const pipeline = (this.#client as Exclude<Client, Cluster>).pipeline();
    for (const [i, { keys, args }] of calls.entries()) pipeline.call('EVALSHA', (scripts[i] as Script).sha, keys.length, ...keys, ...args);
    const all = pipeline.exec();
    return calls.map(async (call, i) => {
      const [error, answer] = (await all)?.[i] ?? [new Error('Connection is closed.'), null];
      if (error === null) return answer;
      if (!isNoScript(error)) throw error;
      return this.#client.call('EVAL', (scripts[i] as Script).text, call.keys.length, ...call.keys, ...call.args);
    });
  }

  /** The answer, or an error of ours; in time. Time in which our own loop stood still is not held against the server. */
  #within<T>(answer: Promise<T>, what: string, withinMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      let turn: NodeJS.Immediate | undefined;
      const give = (): void => reject(this.#trouble === null ? timedOut(what, withinMs) : unreachable(what, this.#trouble));
      const started = performance.now();
      let timer = setTimeout(() => {
        // What has arrived meanwhile is read before a turn of its own; what had to be asked again gets its time.
        if (performance.now() - started > withinMs + OWN_PAUSE_MS) timer = setTimeout(give, withinMs);
        else turn = setImmediate(give);
      }, withinMs);
      const settle = (): void => {
        clearTimeout(timer);
        clearImmediate(turn);
      };
      answer.then(
        (value) => {
          settle();
          this.#trouble = null;
          resolve(value);
        },
        (error: unknown) => {
          settle();
          reject(storeError(error, what, this.#isClosed ? 'it was closed' : this.#trouble));
        },
      );
    });
  }

  /** Hears all that a client says of its connection: an `error` that nobody hears would end the process. */
  #listened(client: Client): Client {
    const hear = (error: unknown): void => {
      this.#trouble = messageOf(error) || 'no connection';
    };
    client.on('error', hear);
    client.on('node error', hear);
    client.on('ready', () => {
      this.#trouble = null;
    });
    return client;
  }
}
