import type { Cluster } from '../managers/cluster/cluster.ts';
import type { Clock } from '../ports/clock.ts';
import type { StreamKey } from '../ports/store.ts';
import { SpillwayError } from '../protocol/errors.ts';
import type { RunAccepted } from '../protocol/frames.ts';
import type { RunId, UserId } from '../protocol/ids.ts';
import type { Stream } from '../streams/stream.ts';
import type { Streams } from '../streams/streams.ts';
import type { OnAccepted, SendRequest } from './accepting.ts';
import { OtherNodes } from './other-nodes.ts';
import type { StopCause } from './run-agent.ts';
import type { Refusal, Runs } from './services.ts';
import { nameOf } from './thread-name.ts';
import { type RunDeps, ThreadRuns } from './thread-runs.ts';

/** All runs of this process, by thread, and the way to those of other nodes. */
export class RunBoard implements Runs, Disposable {
  readonly #streams: Streams;
  readonly #deps: RunDeps;
  readonly #threads = new Map<string, Thread>();
  readonly #others: OtherNodes | null;
  #isClosed = false;

  /** `cluster`: the nodes that share the store; null in a store of one process. */
  constructor(streams: Streams, deps: Omit<RunDeps, 'giveAway'>, cluster: Cluster | null = null) {
    this.#streams = streams;
    const { store, clock, random, telemetry } = deps;
    const own = { store, clock, random, telemetry, use: this.#use.bind(this), isClosed: () => this.#isClosed };
    this.#others = cluster && new OtherNodes({ cluster, ...own });
    this.#deps = { ...deps, giveAway: this.#others?.giveAway ?? null };
  }

  async send(identity: { readonly user: UserId }, request: SendRequest, onAccepted: OnAccepted = () => {}): Promise<RunAccepted | Refusal> {
    if (this.#isClosed)
      return { is: 'refused', code: 'draining', message: 'This server is being stopped. Send again in a moment; another one takes over.', retryAfterMs: 1_000 };
    try {
      return await this.#use({ user: identity.user, thread: request.thread }, async (runs) => {
        if (this.#others !== null) return await this.#others.send(runs, request, onAccepted);
        const answer = await runs.send(request, onAccepted);
        if ('by' in answer) throw heldByNobody();
        return answer;
      });
    } catch (error) {
      this.#deps.telemetry.record({
        severity: 'ERROR',
        event: 'send-failed',
        message: `A message could not be stored: ${error instanceof Error ? error.message : String(error)}`,
      });
      return { is: 'refused', code: 'store-unavailable', message: 'The message could not be saved. Nothing was sent; try again soon.', retryAfterMs: 2_000 };
    }
  }

  async cancel(user: UserId, run: RunId): Promise<{ readonly run: RunId; readonly state: 'cancelling' | 'ended' } | null> {
    const record = await this.#deps.store.threads.findRun(user, run);
    if (!record) return null;
    if (record.state === 'ended') return { run, state: 'ended' };
    return await this.#use({ user, thread: record.thread }, async (runs) => {
      if (this.#others !== null) return { run, state: await this.#others.cancel(runs, run) };
      await runs.taken();
      return { run, state: runs.cancel(run) ?? 'ended' };
    });
  }

  /** Gives what an earlier life of this process left its end, and what other nodes left that are gone. Rejects while the store cannot be
   *  used; what one thread alone suffers from is reported, and tried again with its next message. */
  async recover(): Promise<void> {
    if (this.#others !== null) {
      await this.#others.recover();
      return;
    }
    const open = await this.#deps.store.threads.openRuns(null);
    const keys = new Map(open.map((r) => [nameOf(r), { user: r.user, thread: r.thread }]));
    let unavailable: unknown = null;
    for (const key of keys.values()) {
      // Whoever starts next recovers what is left.
      if (this.#isClosed) return;
      try {
        await this.#use(key, (runs) => runs.taken());
      } catch (error) {
        if (SpillwayError.is(error) && error.code === 'SPILLWAY_STORE_UNAVAILABLE') unavailable ??= error;
        else {
          const told = error instanceof Error ? error.message : String(error);
          this.#deps.telemetry.record({
            severity: 'ERROR',
            event: 'recovery-failed',
            message: `The interrupted runs of a conversation have no end yet: ${told}`,
          });
        }
      }
    }
    if (unavailable !== null) throw unavailable;
  }

  /** No message is taken and no run starts any more. Accepted ones wait in the store, for whoever starts next; other nodes start them
   *  as soon as the run before them has ended. */
  close(): void {
    this.#isClosed = true;
    for (const { runs } of this.#threads.values()) runs?.close();
  }

  /** Closes, and resolves when the runs under way have ended by themselves, or after `withinMs` been stopped. */
  async stop(withinMs: number): Promise<void> {
    this.close();
    const { clock } = this.#deps;
    const isOver = await within(clock, withinMs, this.#ended(null));
    // A store that takes nothing any more must not keep the process from ending: what is not logged was never promised.
    if (!isOver) await within(clock, STOP_GRACE_MS, this.#ended('shutdown'));
  }

  async #ended(cause: StopCause | null): Promise<void> {
    const stop = async (thread: Thread): Promise<void> => {
      const runs = thread.runs ?? (await thread.opened.catch(() => null));
      await runs?.stop(cause);
    };
    await Promise.all([...this.#threads.values()].map(stop));
  }

  /** Nothing is done for other nodes any more. */
  [Symbol.dispose](): void {
    this.#others?.[Symbol.dispose]();
  }

  /** The thread's runs, kept as long as somebody uses them or one is under way: there are never two of a thread. */
  async #use<T>(key: StreamKey, work: (runs: ThreadRuns) => Promise<T>): Promise<T> {
    const name = nameOf(key);
    const thread = this.#threads.get(name) ?? this.#open(key, name);
    thread.users++;
    try {
      return await work(await thread.opened);
    } finally {
      thread.users--;
      this.#tidy(name, thread);
    }
  }

  #open(key: StreamKey, name: string): Thread {
    const opened = this.#streams.hold(key).then((stream) => {
      thread.stream = stream;
      thread.runs = new ThreadRuns(stream, this.#deps, () => this.#tidy(name, thread));
      if (this.#isClosed) thread.runs.close();
      return thread.runs;
    });
    const thread: Thread = { opened, stream: null, runs: null, users: 0 };
    this.#threads.set(name, thread);
    return thread;
  }

  #tidy(name: string, thread: Thread): void {
    if (thread.users > 0 || thread.runs?.busy === true || this.#threads.get(name) !== thread) return;
    this.#threads.delete(name);
    if (thread.stream !== null) this.#streams.release(thread.stream);
  }
}

interface Thread {
  readonly opened: Promise<ThreadRuns>;
  stream: Stream | null;
  runs: ThreadRuns | null;
  users: number;
}

const heldByNobody = (): SpillwayError => new SpillwayError('SPILLWAY_STORE_BROKEN', 'Expected a store of one process to know no other node, got one.');

/** False if `ms` were over before. */
const within = (clock: Clock, ms: number, work: Promise<void>): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () => resolve(false));
    void work.then(() => resolve(true), reject).finally(cancel);
  });

/** How long a stopped run's end may take to be logged. */
const STOP_GRACE_MS = 2_000;
