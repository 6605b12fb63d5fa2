import type { Options } from '../core/options.ts';
import type { Agent } from '../ports/agent.ts';
import type { Clock } from '../ports/clock.ts';
import type { Tell } from '../ports/events.ts';
import { newId, type Random } from '../ports/random.ts';
import type { RunRecord, Store, StreamKey, WriterToken } from '../ports/store.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { SpillwayError } from '../protocol/errors.ts';
import type { RunAccepted } from '../protocol/frames.ts';
import type { ManagerId, MessageId, NodeId, RunId, UserId } from '../protocol/ids.ts';
import type { SessionInfo } from '../protocol/messages.ts';
import type { HeldElsewhere } from '../streams/sharing.ts';
import type { Stream } from '../streams/stream.ts';
import { acceptedOf, knownSend, newMessage, type OnAccepted, REUSED_ID, type SendRequest } from './accepting.ts';
import { historyFor } from './history.ts';
import { endLostRun } from './lost-runs.ts';
import { titleOf } from './question.ts';
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
  /** Waiting runs of this thread do not start here any more: asks another node to take it over, of which this token is the proof. Null
   *  where there are no other nodes. */
  readonly giveAway: ((key: StreamKey, token: WriterToken) => void) | null;
}

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
  /** The last run that began here, and what follows from its end. */
  #executing: Promise<void> | null = null;
  /** They end as soon as their turn comes: events of two runs never interleave. */
  readonly #cancelled = new Set<RunId>();
  /** Sends and recoveries under way. */
  #underWay = 0;
  #ready: Promise<HeldElsewhere | null> | null = null;
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
  get stream(): Stream {
    return this.#stream;
  }

  /** Becomes the writer and finds what was left: a run that was cut off gets its end, waiting ones their turn. Not null: another node has
   *  the thread, and nothing has changed. `seize`: that node's token, from somebody who knows that it is dead or gave the thread away. */
  async taken(seize?: WriterToken): Promise<HeldElsewhere | null> {
    const held = await this.#recovered(seize);
    const { tenure } = this.#stream;
    return held === null && (tenure === null || tenure !== this.#tenure) ? await this.#startOver(seize) : held;
  }

  #recovered(seize?: WriterToken): Promise<HeldElsewhere | null> {
    this.#ready ??= this.#recover(seize).then(
      (held) => {
        if (held !== null) this.#ready = null;
        return held;
      },
      (error: unknown) => {
        this.#ready = null;
        throw error;
      },
    );
    return this.#ready;
  }

  async #recover(seize: WriterToken | undefined): Promise<HeldElsewhere | null> {
    this.#underWay++;
    this.#isRecovering = true;
    try {
      const held = await this.#stream.writable(seize);
      if (held !== null) return held;
      const { tenure } = this.#stream;
      const open = await this.#deps.store.threads.openRuns(this.#stream.key);
      for (const record of open) if (record.state === 'running') await endLostRun(this.#stream, record, this.#deps);
      this.#tenure = tenure;
      this.#isRecovering = false;
      const waiting = open.filter((record) => record.state === 'queued');
      this.#waiting = waiting.map((record) => ({ record, messageId: newId(this.#deps.random, 'msg') as MessageId, manager: null }));
      this.#startNext();
      return null;
    } finally {
      this.#isRecovering = false;
      this.#underWay--;
      this.#settleIdle();
    }
  }

  /** Another writer took the thread over. What ran or waited here is found in the store again, as after a start. */
  #startOver(seize?: WriterToken): Promise<HeldElsewhere | null> {
    this.#active?.abandon();
    this.#active = null;
    this.#waiting = [];
    if (!this.#isRecovering) this.#ready = null;
    return this.#recovered(seize);
  }

  async #startOverUntilItWorks(): Promise<void> {
    const { clock, telemetry } = this.#deps;
    this.#underWay++;
    for (;;) {
      try {
        // Held by another node: what was lost here is in its hands.
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

  /** Stores the message and starts or queues its run. One at a time for a thread. `HeldElsewhere`: another node has the thread, and
   *  nothing has changed; `seize` as with `taken`. Rejects with SPILLWAY_STORE_BROKEN and `retry: 'now'` if another writer came between. */
  send(request: SendRequest, onAccepted: OnAccepted, seize?: WriterToken): Promise<RunAccepted | Refusal | HeldElsewhere> {
    this.#underWay++;
    const done = this.#lane.then(() => this.#accept(request, onAccepted, seize));
    this.#lane = done.catch(() => {});
    return done.finally(() => {
      this.#underWay--;
      this.#settleIdle();
    });
  }

  async #accept(request: SendRequest, onAccepted: OnAccepted, seize?: WriterToken): Promise<RunAccepted | Refusal | HeldElsewhere> {
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
    const held = await this.taken(seize);
    if (held !== null) return held;
    const known = await knownSend(store, key, request);
    if (known === 'reused') return REUSED_ID;
    if (known !== null) {
      this.#deps.repeated();
      const again = acceptedOf(this.#stream, request, known.run, known.message, true);
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
    // Another writer came between: which runs there are has to be found out again.
    if (this.#stream.tenure !== this.#tenure) throw cameBetween();
    const at = clock.wall();
    const isFree = this.#active === null && this.#waiting.length === 0 && !this.#isClosed;
    const offset = this.#stream.head + 1;
    const { run, message, parts, data } = newMessage(key, request, { offset, at, state: isFree ? 'running' : 'queued', node, random });
    const accepted = await new Promise<RunAccepted>((resolve, reject) => {
      this.#stream.append(
        { kind: 'message', run: run.id, codec: 'agent-events', data, at },
        {
          records: { ...(offset === 1 ? { title: titleOf(parts) } : {}), messages: [message], runs: [run] },
          onLogged: () => {
            const answer = acceptedOf(this.#stream, request, run, message, false);
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

  #startNext(): void {
    if (this.#active !== null || this.#waiting.length === 0) return;
    // After the close the others are for whoever goes on with the thread.
    const next = this.#isClosed ? this.#waiting.find((waiting) => this.#hasToEndHere(waiting)) : this.#waiting[0];
    if (next === undefined) {
      this.#giveAway();
      return;
    }
    this.#waiting = this.#waiting.filter((waiting) => waiting !== next);
    const run = new RunningAgent({
      stream: this.#stream,
      record: { ...next.record, state: 'running', node: this.#deps.node },
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
    this.#executing = this.#execute(run);
  }

  /** One that is stored as running was promised before the close; of one that was cancelled nobody else knows that. */
  #hasToEndHere({ record }: Waiting): boolean {
    return record.state === 'running' || this.#cancelled.has(record.id);
  }

  /** Those that wait have been promised an answer, which another node can give at once. */
  #giveAway(): void {
    const { giveAway } = this.#deps;
    const { tenure, key } = this.#stream;
    if (giveAway === null || tenure === null || tenure !== this.#tenure) return;
    this.#waiting = [];
    giveAway(key, tenure);
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

  /** Closes; the active run is stopped for `cause`, if one is given. Resolves at its end, and that of those which end here after it. */
  async stop(cause: StopCause | null): Promise<void> {
    this.close();
    if (cause !== null) this.#active?.stop(cause);
    // A send under way may have been promised its run.
    await this.#lane;
    if (cause !== null) this.#active?.stop(cause);
    for (let ended: Promise<void> | null = null; ended !== this.#executing; ) {
      ended = this.#executing;
      await ended;
    }
  }

  #settleIdle(): void {
    if (!this.busy) this.#onIdle();
  }
}

const cameBetween = (): SpillwayError =>
  new SpillwayError('SPILLWAY_STORE_BROKEN', 'Another writer took over the conversation while a message was looked up; nothing of it was stored.', {
    retry: 'now',
  });
