import type { StreamKey } from '../ports/store.ts';
import { SpillwayError } from '../protocol/errors.ts';
import type { RunAccepted } from '../protocol/frames.ts';
import type { RunId, ThreadId, UserId } from '../protocol/ids.ts';
import type { Streams } from '../streams/streams.ts';
import type { Refusal, Runs } from './services.ts';
import { type OnAccepted, type RunDeps, type SendRequest, ThreadRuns } from './thread-runs.ts';

/** All runs of this process, by thread. */
export class RunBoard implements Runs {
  readonly #streams: Streams;
  readonly #deps: RunDeps;
  readonly #threads = new Map<string, Promise<ThreadRuns>>();
  #stopping = false;

  constructor(streams: Streams, deps: RunDeps) {
    this.#streams = streams;
    this.#deps = deps;
  }

  async send(identity: { readonly user: UserId }, request: SendRequest, onAccepted: OnAccepted = () => {}): Promise<RunAccepted | Refusal> {
    if (this.#stopping)
      return { is: 'refused', code: 'draining', message: 'This server is being stopped. Send again in a moment; another one takes over.', retryAfterMs: 1_000 };
    try {
      const runs = await this.#of({ user: identity.user, thread: request.thread });
      return await runs.send(request, onAccepted);
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
    const runs = await this.#of({ user, thread: record.thread });
    return { run, state: runs.cancel(run) ?? 'ended' };
  }

  /** Gives what an earlier life of this process left its end. Rejects while the store cannot be read. */
  async recover(): Promise<void> {
    const open = await this.#deps.store.threads.openRuns(null);
    const keys = new Map(open.map((r) => [`${r.user}\u0000${r.thread}`, { user: r.user, thread: r.thread }]));
    for (const key of keys.values()) await (await this.#of(key)).recovered();
  }

  /** Runs under way. */
  async active(): Promise<number> {
    let count = 0;
    for (const runs of this.#threads.values()) if ((await runs).active !== null) count++;
    return count;
  }

  /** No run starts any more. Resolves when those under way have ended by themselves, or after `withinMs` been stopped. */
  async stop(withinMs: number): Promise<void> {
    this.#stopping = true;
    const all = await Promise.all(this.#threads.values());
    const ended = Promise.all(all.map((runs) => runs.stop(null)));
    let over = false;
    await Promise.race([ended.then(() => (over = true)), new Promise<void>((resolve) => this.#deps.clock.after(withinMs, resolve))]);
    if (over) return;
    // A store that takes nothing any more must not keep the process from ending: what is not logged was never promised.
    const stopped = Promise.all(all.map((runs) => runs.stop('shutdown')));
    await Promise.race([stopped, new Promise<void>((resolve) => this.#deps.clock.after(STOP_GRACE_MS, resolve))]);
  }

  #of(key: { readonly user: UserId; readonly thread: ThreadId }): Promise<ThreadRuns> {
    const name = `${key.user}\u0000${key.thread}`;
    let runs = this.#threads.get(name);
    if (!runs) {
      runs = this.#open(key, name);
      this.#threads.set(name, runs);
      runs.catch(() => this.#threads.delete(name));
    }
    return runs;
  }

  async #open(key: StreamKey, name: string): Promise<ThreadRuns> {
    const stream = await this.#streams.hold(key);
    if (this.#stopping) throw new SpillwayError('SPILLWAY_CLOSED', 'This gateway is being stopped.', { retry: 'later' });
    const runs = new ThreadRuns(stream, this.#deps, () => {
      this.#threads.delete(name);
      this.#streams.release(stream);
    });
    return runs;
  }
}

/** How long a stopped run's end may take to be logged. */
const STOP_GRACE_MS = 2_000;
