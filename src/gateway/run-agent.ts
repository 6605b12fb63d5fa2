import { isModelFailure } from '../agents/model-errors.ts';
import { normalise } from '../codecs/agent-events.ts';
import { type FoldedRun, RunFold } from '../codecs/fold.ts';
import type { Options } from '../core/options.ts';
import type { Agent, AgentRun } from '../ports/agent.ts';
import type { Clock } from '../ports/clock.ts';
import type { Tell } from '../ports/events.ts';
import { isoTime } from '../ports/iso-time.ts';
import type { RunRecord, StoredMessage, WriterToken } from '../ports/store.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { type AgentEvent, type AgentYield, isTerminal } from '../protocol/agent-events.ts';
import type { MessageId } from '../protocol/ids.ts';
import type { ThreadMessage } from '../protocol/messages.ts';
import { AGENT_FAILURES } from '../protocol/texts.ts';
import type { Stream } from '../streams/stream.ts';
import { PatientPull, type Pulled } from './patient-pull.ts';
import { type Failure, readFailure } from './read-failure.ts';

export interface RunInput {
  readonly stream: Stream;
  readonly record: RunRecord;
  readonly messageId: MessageId;
  readonly agent: Agent;
  readonly run: Omit<AgentRun, 'signal' | 'messages'>;
  readonly options: Options;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** Tells whoever listens of its end. */
  readonly tell: Tell;
}

/** Why a run is being ended from outside. */
export type StopCause = 'cancel' | 'shutdown';
/** `lost`: its end is for whoever writes the stream now. */
export type RunEnd = 'ended' | 'lost';

/** One run of an agent. It belongs to its thread: no lost socket and no eviction ends it. Its events are logged as they come,
 *  `agent_started` first, exactly one terminal event last. */
export class RunningAgent {
  readonly record: RunRecord;
  /** Resolves when the terminal event is logged, or `lost` when the stream was taken over by another writer. */
  readonly ended: Promise<RunEnd>;
  readonly #input: RunInput;
  readonly #abort = new AbortController();
  readonly #startedAt: number;
  readonly #tenure: WriterToken | null;
  readonly #fold = new RunFold();
  readonly #pull: PatientPull<AgentYield>;
  #count = 0;
  #bytes = 0;
  #firstOffset: number | null = null;
  /** From the person's message to the first event in the log. */
  #firstEventMs: number | null = null;
  #isOver = false;
  #stopped: StopCause | null = null;
  #finish: (end: RunEnd) => void = () => {};

  constructor(input: RunInput) {
    this.#input = input;
    this.record = input.record;
    this.#startedAt = input.clock.mono();
    this.#tenure = input.stream.tenure;
    this.#pull = new PatientPull(input.clock, input.options.run.silentMs);
    this.ended = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  /** Runs the agent to its end, with the conversation that `history` reads. Never rejects: what goes wrong becomes the run's `agent_error`. */
  async execute(history: () => Promise<readonly ThreadMessage[]>): Promise<RunEnd> {
    const { agent, run, stream } = this.#input;
    let iterator: AsyncIterator<AgentYield> | null = null;
    try {
      const messages = this.#isLeaving ? [] : await history();
      if (!this.#isLeaving) iterator = agent.run({ ...run, messages, signal: this.#abort.signal })[Symbol.asyncIterator]();
      while (iterator !== null && !this.#isLeaving) {
        if (!stream.hasRoom) {
          await stream.room();
          if (this.#isLeaving) break;
        }
        const next: Pulled<AgentYield> = await this.#pull.next(iterator);
        this.#pull.taken();
        if (next === 'silent') {
          this.#fail(AGENT_FAILURES.silent);
          this.#abort.abort();
          break;
        }
        if (next === 'aborted' || next.done === true) break;
        this.#take(next.value);
      }
    } catch (error) {
      if (!this.#isLeaving) this.#reportFailure(error);
    }
    this.#pull.end();
    if (!this.#isOver) this.#end();
    sendAway(iterator);
    return await this.ended;
  }

  /** Whether the stream has been ours alone since this run began. */
  get #isOurs(): boolean {
    return this.#tenure !== null && this.#input.stream.tenure === this.#tenure;
  }

  get #isLeaving(): boolean {
    return this.#isOver || this.#stopped !== null;
  }

  /** Stops the agent. The terminal event follows in the stream. */
  stop(cause: StopCause): void {
    if (this.#isOver || this.#stopped !== null) return;
    this.#stopped = cause;
    this.#abort.abort();
    this.#pull.abort();
  }

  #take(yielded: unknown): void {
    const type = (yielded as { type?: unknown } | null)?.type;
    if (this.#count === 0 && type !== 'agent_started') this.#log({ type: 'agent_started', agent_name: this.#input.agent.name });
    if (type === 'agent_completed') this.#terminal(yielded as AgentYield);
    else this.#log(yielded);
  }

  #log(yielded: unknown): void {
    const { run, options, clock } = this.#input;
    const at = clock.wall();
    const made = normalise(yielded, {
      thread: run.threadId,
      run: run.runId,
      messageId: this.#input.messageId,
      eventId: `${run.runId}:${this.#count + 1}`,
      timestamp: isoTime(at),
    });
    if (made.is === 'invalid') {
      this.#input.telemetry.record({
        severity: 'ERROR',
        event: 'agent-broke-vocabulary',
        message: `An agent yielded what is no event: ${made.problem}`,
        run: run.runId,
      });
      this.#fail(AGENT_FAILURES.invalid);
      return;
    }
    if (this.#count === 0 ? made.event.type !== 'agent_started' : made.event.type === 'agent_started') return;
    if (isTerminal(made.event.type)) {
      this.#finishWith(made.event, made.text, at);
      return;
    }
    this.#bytes += Buffer.byteLength(made.text);
    // The first event is always logged, and so is the last: a run that says too much ends, it does not vanish.
    if (this.#count > 0 && this.#bytes > options.log.runBytes) {
      this.#fail(AGENT_FAILURES.tooLong);
      this.#abort.abort();
      return;
    }
    this.#append(made.event, made.text, at);
  }

  #append(event: AgentEvent, data: string, at: number): void {
    const { stream, run, record } = this.#input;
    if (!this.#isOurs) {
      this.abandon();
      return;
    }
    this.#count++;
    this.#fold.add(event);
    if (this.#firstOffset !== null) {
      stream.append({ kind: 'agent', run: run.runId, codec: 'agent-events', data, at }, { onLost: this.abandon });
      return;
    }
    this.#firstOffset = stream.head + 1;
    const running: RunRecord = { ...record, state: 'running', firstOffset: this.#firstOffset };
    stream.append(
      { kind: 'agent', run: run.runId, codec: 'agent-events', data, at },
      { records: { runs: [running] }, onLogged: this.#begun, onLost: this.abandon },
    );
    stream.setActiveRun({ id: run.runId, firstOffset: this.#firstOffset });
  }

  /** Another writer took the stream over: nothing of this run can be logged here any more. An arrow, since it is a callback. */
  readonly abandon = (): void => {
    this.#isOver = true;
    this.#abort.abort();
    this.#pull.abort();
    this.#finish('lost');
  };

  #fail(failure: Failure): void {
    this.#terminal({ type: 'agent_error', ...failure });
  }

  #reportFailure(error: unknown): void {
    const { message, failure } = readFailure(error);
    this.#input.telemetry.record({ severity: 'ERROR', event: 'agent-failed', message: `A run failed: ${message}`, run: this.#input.run.runId });
    this.#fail(failure);
  }

  /** The agent ended without a terminal event, or was stopped. */
  #end(): void {
    if (this.#stopped === 'shutdown') this.#fail(AGENT_FAILURES.producerLost);
    else this.#terminal({ type: 'agent_completed', status: this.#stopped === 'cancel' ? 'cancelled' : 'completed' });
  }

  #terminal(event: AgentYield): void {
    if (this.#isOver) return;
    if (this.#count === 0) this.#log({ type: 'agent_started', agent_name: this.#input.agent.name });
    const elapsed = Math.round(this.#input.clock.mono() - this.#startedAt);
    this.#log(event.type === 'agent_completed' ? { execution_time_ms: elapsed, ...event, final_response: this.#fold.text } : event);
  }

  readonly #begun = (): void => {
    this.#firstEventMs = Math.max(0, Math.round(this.#input.clock.wall() - this.record.createdAt));
  };

  #tellEnd(event: AgentEvent): void {
    const { user, thread, id: run } = this.record;
    const { status: folded } = this.#fold.folded;
    const provider = event.type === 'agent_error' && isModelFailure(event.code);
    const durationMs = Math.round(this.#input.clock.mono() - this.#startedAt);
    const status = folded === 'cancelled' || folded === 'failed' ? folded : 'completed';
    this.#input.tell('run-ended', { user, thread, run, status, provider, firstEventMs: this.#firstEventMs, durationMs, ...usageOf(event) });
  }

  /** The terminal event, the finished message and the run's end are logged in one step. The first terminal event wins. */
  #finishWith(event: AgentEvent, data: string, at: number): void {
    const { stream, run, messageId } = this.#input;
    if (!this.#isOurs) {
      this.abandon();
      return;
    }
    this.#isOver = true;
    this.#count++;
    this.#fold.add(event);
    const offset = stream.head + 1;
    stream.append(
      { kind: 'agent', run: run.runId, codec: 'agent-events', data, at },
      {
        records: endRecords(this.record, this.#fold.folded, messageId, this.#firstOffset, offset, at),
        onLogged: () => {
          stream.setActiveRun(null);
          this.#tellEnd(event);
          this.#finish('ended');
        },
        onLost: this.abandon,
      },
    );
  }
}

/** The agent is told to leave, and not waited for: one that hangs must not hold the thread. What it answers is nobody's news. */
function sendAway(iterator: AsyncIterator<AgentYield> | null): void {
  void Promise.resolve()
    .then(() => iterator?.return?.(undefined))
    .catch(() => {});
}

/** What is stored with a run's terminal event: the run's end and the message that its events make. */
export function endRecords(
  record: RunRecord,
  folded: FoldedRun,
  messageId: MessageId,
  firstOffset: number | null,
  lastOffset: number,
  at: number,
): { readonly runs: RunRecord[]; readonly messages: StoredMessage[] } {
  const status = folded.status === 'streaming' ? 'failed' : folded.status;
  const message: StoredMessage = {
    id: (folded.messageId as MessageId | null) ?? messageId,
    role: 'assistant',
    status,
    createdAt: at,
    run: record.id,
    parts: folded.parts,
    offset: lastOffset,
  };
  return { runs: [{ ...record, state: 'ended', firstOffset: firstOffset ?? lastOffset, lastOffset }], messages: [message] };
}

/** Tokens that an agent told with its end, in the spelling of the model agent. Its own agents may put there what they like. */
function usageOf(event: AgentEvent): { readonly usage?: { readonly inputTokens: number; readonly outputTokens: number } } {
  if (event.type !== 'agent_completed' || typeof event.usage !== 'object' || event.usage === null) return {};
  const { input_tokens: inputTokens, output_tokens: outputTokens } = event.usage as Record<string, unknown>;
  return Number.isSafeInteger(inputTokens) && Number.isSafeInteger(outputTokens)
    ? { usage: { inputTokens: inputTokens as number, outputTokens: outputTokens as number } }
    : {};
}
