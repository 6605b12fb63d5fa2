import { createHash } from 'node:crypto';
import type { Options } from '../core/options.ts';
import type { Agent } from '../ports/agent.ts';
import type { Clock } from '../ports/clock.ts';
import type { Tell } from '../ports/events.ts';
import { newId, type Random } from '../ports/random.ts';
import type { RunRecord, Store, StoredMessage, WriterToken } from '../ports/store.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { RunAccepted, Send } from '../protocol/frames.ts';
import type { ManagerId, MessageId, NodeId, RunId, UserId } from '../protocol/ids.ts';
import type { SessionInfo } from '../protocol/messages.ts';
import type { Stream } from '../streams/stream.ts';
import { historyFor } from './history.ts';
import { endLostRun } from './lost-runs.ts';
import { partsOf, titleOf } from './question.ts';
import { RunningAgent, type StopCause } from './run-agent.ts';
import type { Refusal } from './services.ts';

export interface RunDeps {
  readonly node: NodeId;
  readonly agent: Agent;
  readonly options: Options;
  readonly clock: Clock;
  readonly random: Random;
  readonly store: Store;
  readonly telemetry: Telemetry;
  /** Tells whoever listens of starts and ends. */
  readonly tell: Tell;
  /** A message that came again was answered from the log. */
  repeated(): void;
  /** `current`: the session that asked. */
  sessions(user: UserId, current: ManagerId | null): Promise<readonly SessionInfo[]>;
  /** True while the log does not take what it is given. */
  storeFailing(): boolean;
}

export type SendRequest = Omit<Send, 'type'> & {
  /** The session that asks; null or left out where none does, as over plain HTTP. */
  readonly manager?: ManagerId | null;
};
/** Called when the message is durable, before any follower sees it or an event of its run. */
export type OnAccepted = (accepted: RunAccepted) => void;

const RECOVERY_RETRY_MS = 1_000;

interface Waiting {
  readonly record: RunRecord;
  /** Id of the message that its answer becomes. */
  readonly messageId: MessageId;
  /** The session that asked; after a restart nobody knows any more. */
  readonly manager: ManagerId | null;
}

/** The runs of one thread: one at a time, others wait in order. */
export class ThreadRuns {
  readonly #stream: Stream;
  readonly #deps: RunDeps;
  readonly #onIdle: () => void;
  #lane: Promise<unknown> = Promise.resolve();
  #waiting: Waiting[] = [];
  #active: RunningAgent | null = null;
  /** They end as soon as their turn comes: events of two runs never interleave. */
  readonly #cancelled = new Set<RunId>();
  /** Sends and recoveries under way. */
  #underWay = 0;
  #ready: Promise<void> | null = null;
  #isRecovering = false;
  /** The time as the writer in which the present state was found. */
  #tenure: WriterToken | null = null;
  #isClosed = false;

  constructor(stream: Stream, deps: RunDeps, onIdle: () => void) {
    this.#stream = stream;
    this.#deps = deps;
    this.#onIdle = onIdle;
  }

  get busy(): boolean {
    return this.#active !== null || this.#waiting.length > 0 || this.#underWay > 0;
  }
  get active(): RunningAgent | null {
    return this.#active;
  }

  /** Finds what an earlier life of this process left: a run that was cut off gets its end, waiting ones their turn. */
  recovered(): Promise<void> {
    this.#ready ??= this.#recover().catch((error: unknown) => {
      this.#ready = null;
      throw error;
    });
    return this.#ready;
  }

  async #recover(): Promise<void> {
    this.#underWay++;
    this.#isRecovering = true;
    try {
      await this.#stream.writable();
      const { tenure } = this.#stream;
      const open = await this.#deps.store.threads.openRuns(this.#stream.key);
      for (const record of open) if (record.state === 'running') await endLostRun(this.#stream, record, this.#deps);
      this.#tenure = tenure;
      this.#isRecovering = false;
      const waiting = open.filter((record) => record.state === 'queued');
      this.#waiting = waiting.map((record) => ({ record, messageId: newId(this.#deps.random, 'msg') as MessageId, manager: null }));
      this.#startNext();
    } finally {
      this.#isRecovering = false;
      this.#underWay--;
      this.#settleIdle();
    }
  }

  /** Another writer took the thread over. What ran or waited here is found in the store again, as after a start. */
  #startOver(): Promise<void> {
    this.#active?.abandon();
    this.#active = null;
    this.#waiting = [];
    if (!this.#isRecovering) this.#ready = null;
    return this.recovered();
  }

  async #startOverUntilItWorks(): Promise<void> {
    const { clock, telemetry } = this.#deps;
    this.#underWay++;
    for (;;) {
      try {
        await this.#startOver();
        break;
      } catch (error) {
        telemetry.record({
          severity: 'ERROR',
          event: 'recovery-failed',
          message: `A conversation that another writer had taken over could not be taken back yet: ${error instanceof Error ? error.message : String(error)}`,
        });
        if (this.#isClosed) break;
        await new Promise<void>((resolve) => clock.after(RECOVERY_RETRY_MS, resolve));
      }
    }
    this.#underWay--;
  }

  /** Stores the message and starts or queues its run. One at a time for a thread. */
  send(request: SendRequest, onAccepted: OnAccepted): Promise<RunAccepted | Refusal> {
    this.#underWay++;
    const done = this.#lane.then(() => this.#accept(request, onAccepted));
    this.#lane = done.catch(() => {});
    return done.finally(() => {
      this.#underWay--;
      this.#settleIdle();
    });
  }

  async #accept(request: SendRequest, onAccepted: OnAccepted): Promise<RunAccepted | Refusal> {
    const { random, clock, options, agent, node, store, storeFailing } = this.#deps;
    const { key } = this.#stream;
    if (request.agent !== undefined && request.agent !== agent.name) {
      return {
        is: 'refused',
        code: 'agent-unavailable',
        message: `Expected \`agent\` to be ${JSON.stringify(agent.name)} or left out, got ${JSON.stringify(request.agent)}.`,
      };
    }
    if (storeFailing()) {
      return {
        is: 'refused',
        code: 'store-unavailable',
        message: 'Messages cannot be saved at the moment. Nothing was sent; try again soon.',
        retryAfterMs: 2_000,
      };
    }
    await this.recovered();
    if (this.#stream.tenure !== this.#tenure) await this.#startOver();
    const digest = createHash('sha256').update(JSON.stringify(request.data)).digest('base64url');
    const known = await store.threads.findSend(key, request.id);
    if (known) {
      if (known.message.send?.digest !== digest) {
        return {
          is: 'refused',
          code: 'idempotency-conflict',
          message: 'This `id` was used for another message of this thread. Use a new `id` for a new message.',
        };
      }
      this.#deps.repeated();
      const again = this.#answer(request, known.run, known.message, true);
      onAccepted(again);
      return again;
    }
    if (this.#waiting.length >= options.run.waiting) {
      return {
        is: 'refused',
        code: 'thread-busy',
        message: `${options.run.waiting} messages of this thread wait already. Send again when one of them has been answered.`,
        retryAfterMs: 1_000,
      };
    }
    const at = clock.wall();
    const isFree = this.#active === null && this.#waiting.length === 0 && !this.#isClosed;
    const offset = this.#stream.head + 1;
    const run: RunRecord = {
      id: newId(random, 'run') as RunId,
      user: key.user,
      thread: key.thread,
      message: newId(random, 'msg') as MessageId,
      agent: request.agent ?? null,
      state: isFree ? 'running' : 'queued',
      node,
      createdAt: at,
      firstOffset: null,
      lastOffset: null,
    };
    const parts = partsOf(request.data);
    const shown = { id: run.message, role: 'user', status: 'complete', createdAt: at, run: run.id, parts } as const;
    const message: StoredMessage = { ...shown, offset, send: { id: request.id, digest } };
    const accepted = await new Promise<RunAccepted>((resolve, reject) => {
      this.#stream.append(
        { kind: 'message', run: run.id, codec: 'agent-events', data: JSON.stringify(shown), at },
        {
          records: { ...(offset === 1 ? { title: titleOf(parts) } : {}), messages: [message], runs: [run] },
          onLogged: () => {
            const answer = this.#answer(request, run, message, false);
            onAccepted(answer);
            resolve(answer);
          },
          onLost: reject,
        },
      );
    });
    this.#waiting.push({ record: run, messageId: newId(random, 'msg') as MessageId, manager: request.manager ?? null });
    this.#startNext();
    return accepted;
  }

  #answer(request: SendRequest, run: RunRecord, message: StoredMessage, duplicate: boolean): RunAccepted {
    const state = run.state === 'queued' ? 'queued' : 'running';
    return {
      type: 'run-accepted',
      id: request.id,
      thread: this.#stream.key.thread,
      run: run.id,
      message: message.id,
      epoch: this.#stream.epoch,
      offset: message.offset,
      state,
      duplicate,
    };
  }

  #startNext(): void {
    const next = this.#waiting[0];
    // One that is stored as running was promised before the close, and has to come to an end here.
    if (this.#active !== null || next === undefined || (this.#isClosed && next.record.state !== 'running')) return;
    this.#waiting.shift();
    const run = new RunningAgent({
      stream: this.#stream,
      record: { ...next.record, state: 'running' },
      messageId: next.messageId,
      agent: this.#deps.agent,
      run: this.#inputOf(next),
      options: this.#deps.options,
      clock: this.#deps.clock,
      telemetry: this.#deps.telemetry,
      tell: this.#deps.tell,
    });
    if (this.#cancelled.delete(next.record.id)) run.stop('cancel');
    this.#active = run;
    this.#stream.setActiveRun({ id: next.record.id, firstOffset: null });
    const { user, thread, id } = next.record;
    this.#deps.tell('run-started', { user, thread, run: id });
    void this.#execute(run);
  }

  #inputOf({ record, manager }: Waiting) {
    return { userId: record.user, threadId: record.thread, runId: record.id, sessions: () => this.#deps.sessions(record.user, manager) };
  }

  async #execute(run: RunningAgent): Promise<void> {
    const end = await run.execute(() => historyFor(run.record, this.#deps.store));
    // Whoever noticed the loss before has started over already.
    if (this.#active === run) {
      this.#active = null;
      if (end === 'lost') await this.#startOverUntilItWorks();
      else this.#startNext();
    }
    this.#settleIdle();
  }

  /** The run's state if it is one of this thread. */
  cancel(run: RunId): 'cancelling' | 'ended' | null {
    if (this.#active?.record.id === run) {
      this.#active.stop('cancel');
      return 'cancelling';
    }
    if (!this.#waiting.some((w) => w.record.id === run)) return null;
    this.#cancelled.add(run);
    return 'cancelling';
  }

  /** No waiting run starts any more: they stay in the store, for whoever starts next. */
  close(): void {
    this.#isClosed = true;
  }

  /** Closes; the active run is stopped for `cause`, if one is given. Resolves at its end. */
  async stop(cause: StopCause | null): Promise<void> {
    this.close();
    if (cause !== null) this.#active?.stop(cause);
    // A send under way may have been promised its run.
    await this.#lane;
    if (cause !== null) this.#active?.stop(cause);
    await this.#active?.ended;
  }

  #settleIdle(): void {
    if (!this.busy) this.#onIdle();
  }
}
