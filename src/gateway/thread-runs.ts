import { createHash } from 'node:crypto';
import type { Options } from '../core/options.ts';
import type { Agent } from '../ports/agent.ts';
import type { Clock } from '../ports/clock.ts';
import { newId, type Random } from '../ports/random.ts';
import type { RunRecord, Store, StoredMessage } from '../ports/store.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { AgentEvent } from '../protocol/agent-events.ts';
import type { RunAccepted, Send } from '../protocol/frames.ts';
import type { MessageId, NodeId, RunId, UserId } from '../protocol/ids.ts';
import type { MessageData, MessagePart, SessionInfo } from '../protocol/messages.ts';
import { AGENT_FAILURES } from '../protocol/texts.ts';
import type { Stream } from '../streams/stream.ts';
import { endRecords, RunningAgent, type StopCause } from './run-agent.ts';
import type { Refusal } from './services.ts';

export interface RunDeps {
  readonly node: NodeId;
  readonly agent: Agent;
  readonly options: Options;
  readonly clock: Clock;
  readonly random: Random;
  readonly store: Store;
  readonly telemetry: Telemetry;
  sessions(user: UserId): Promise<readonly SessionInfo[]>;
  /** True while the log does not take what it is given. */
  storeFailing(): boolean;
}

export type SendRequest = Omit<Send, 'type'>;
/** Called when the message is durable, before any follower sees it or an event of its run. */
export type OnAccepted = (accepted: RunAccepted) => void;

const TITLE_LENGTH = 80;
/** How much of the conversation an agent is given. */
const HISTORY_MESSAGES = 200;
const RECOVERY_READ_BYTES = 1024 * 1024;

interface Waiting {
  readonly record: RunRecord;
  /** Id of the message that its answer becomes. */
  readonly messageId: MessageId;
  /** It ends as soon as its turn comes: events of two runs never interleave. */
  cancelled: boolean;
}

/** The runs of one thread: one at a time, others wait in order. */
export class ThreadRuns {
  readonly #stream: Stream;
  readonly #deps: RunDeps;
  readonly #onIdle: () => void;
  #lane: Promise<unknown> = Promise.resolve();
  #waiting: Waiting[] = [];
  #active: RunningAgent | null = null;
  #pendingSends = 0;
  #ready: Promise<void> | null = null;
  #stopping = false;

  constructor(stream: Stream, deps: RunDeps, onIdle: () => void) {
    this.#stream = stream;
    this.#deps = deps;
    this.#onIdle = onIdle;
  }

  get busy(): boolean {
    return this.#active !== null || this.#waiting.length > 0 || this.#pendingSends > 0;
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
    const open = await this.#deps.store.threads.openRuns(this.#stream.key);
    await this.#stream.writable();
    for (const record of open) {
      if (record.state === 'running') await this.#endLost(record);
      else this.#waiting.push({ record, messageId: newId(this.#deps.random, 'msg') as MessageId, cancelled: false });
    }
    this.#startNext();
  }

  /** The process that ran it died: everything logged stays, and the person learns that the answer did not finish. */
  async #endLost(record: RunRecord): Promise<void> {
    const { clock, random } = this.#deps;
    const events: AgentEvent[] = [];
    for (let from = record.firstOffset; from !== null && from <= this.#stream.mark; ) {
      const entries = await this.#deps.store.log.read(this.#stream.key, from, RECOVERY_READ_BYTES);
      for (const entry of entries) if (entry.run === record.id && entry.kind === 'agent') events.push(JSON.parse(entry.data) as AgentEvent);
      from = entries.length === 0 ? null : (entries.at(-1) as { offset: number }).offset + 1;
    }
    const at = clock.wall();
    const event: AgentEvent = {
      type: 'agent_error',
      event_id: `${record.id}:lost`,
      thread_id: record.thread,
      run_id: record.id,
      timestamp: new Date(at).toISOString(),
      ...AGENT_FAILURES.producerLost,
    };
    events.push(event);
    const offset = this.#stream.head + 1;
    const records = endRecords(record, events, newId(random, 'msg') as MessageId, record.firstOffset, offset, at);
    await this.#stream.log({ kind: 'agent', run: record.id, codec: 'agent-events', data: JSON.stringify(event), at }, records);
    this.#stream.setActiveRun(null);
    this.#deps.telemetry.record({ severity: 'WARNING', event: 'run-producer-lost', message: 'A run whose process had died was ended.', run: record.id });
  }

  /** Stores the message and starts or queues its run. One at a time for a thread. */
  send(request: SendRequest, onAccepted: OnAccepted): Promise<RunAccepted | Refusal> {
    this.#pendingSends++;
    const done = this.#lane.then(() => this.#accept(request, onAccepted));
    this.#lane = done.catch(() => {});
    return done.finally(() => {
      this.#pendingSends--;
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
    const isFree = this.#active === null && this.#waiting.length === 0 && !this.#stopping;
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
    const accepted = this.#answer(request, run, message, false);
    await new Promise<void>((resolve, reject) => {
      this.#stream.append(
        { kind: 'message', run: run.id, codec: 'agent-events', data: JSON.stringify(shown), at },
        {
          records: { ...(offset === 1 ? { title: titleOf(parts) } : {}), messages: [message], runs: [run] },
          onLogged: () => {
            onAccepted(accepted);
            resolve();
          },
          onLost: reject,
        },
      );
    });
    this.#waiting.push({ record: run, messageId: newId(random, 'msg') as MessageId, cancelled: false });
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
    if (this.#active !== null || this.#stopping) return;
    const next = this.#waiting.shift();
    if (!next) return;
    const run = new RunningAgent({
      stream: this.#stream,
      record: { ...next.record, state: 'running' },
      messageId: next.messageId,
      agent: this.#deps.agent,
      run: this.#inputOf(next.record),
      options: this.#deps.options,
      clock: this.#deps.clock,
      telemetry: this.#deps.telemetry,
    });
    if (next.cancelled) run.stop('cancel');
    this.#active = run;
    this.#stream.setActiveRun({ id: next.record.id, firstOffset: null });
    void this.#execute(run);
  }

  #inputOf(record: RunRecord) {
    return { userId: record.user, threadId: record.thread, runId: record.id, sessions: () => this.#deps.sessions(record.user) };
  }

  async #execute(run: RunningAgent): Promise<void> {
    await run.execute(() => this.#history(run.record));
    this.#active = null;
    this.#startNext();
    this.#settleIdle();
  }

  /** The conversation up to and including the message that asked. */
  async #history(record: RunRecord): Promise<readonly StoredMessage[]> {
    const read = await this.#deps.store.threads.snapshot(this.#stream.key, HISTORY_MESSAGES, null);
    const messages = read?.messages ?? [];
    const answers = new Map(messages.filter((m) => m.role === 'assistant').map((m) => [m.run, m]));
    // Messages accepted while another run was under way stand before its answer: each answer belongs behind its own question.
    const history: StoredMessage[] = [];
    for (const message of messages) {
      if (message.role !== 'user') continue;
      history.push(message);
      if (message.id === record.message) break;
      const answer = answers.get(message.run);
      if (answer) history.push(answer);
    }
    return history;
  }

  /** The run's state if it is one of this thread. */
  cancel(run: RunId): 'cancelling' | 'ended' | null {
    if (this.#active?.record.id === run) {
      this.#active.stop('cancel');
      return 'cancelling';
    }
    const waiting = this.#waiting.find((w) => w.record.id === run);
    if (!waiting) return null;
    waiting.cancelled = true;
    return 'cancelling';
  }

  /** No run starts any more; the active one is stopped for `cause`, if one is given. Resolves at its end. */
  async stop(cause: StopCause | null): Promise<void> {
    this.#stopping = true;
    if (cause !== null) this.#active?.stop(cause);
    await this.#active?.ended;
  }

  #settleIdle(): void {
    if (!this.busy) this.#onIdle();
  }
}

const partsOf = (data: MessageData): readonly MessagePart[] => ('text' in data ? [{ type: 'text', text: data.text }] : data.parts);

/** The first words of a conversation. */
function titleOf(parts: readonly MessagePart[]): string {
  const text = parts
    .map((p) => (p.type === 'text' ? p.text : ''))
    .join(' ')
    .replace(/\s+/g, ' ')
    .trim();
  return text.length <= TITLE_LENGTH ? text : `${text.slice(0, TITLE_LENGTH - 1).trimEnd()}…`;
}
