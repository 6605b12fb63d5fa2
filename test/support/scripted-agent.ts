import type { Agent, AgentRun } from '../../src/ports/agent.ts';
import type { AgentYield } from '../../src/protocol/agent-events.ts';

type Step = { readonly say: AgentYield } | { readonly end: true } | { readonly fail: Error };

/** One run whose events the test speaks, one by one. */
export class ScriptedRun {
  readonly asked: AgentRun;
  readonly #steps: Step[] = [];
  #wake: () => void = () => {};

  constructor(asked: AgentRun) {
    this.asked = asked;
  }

  say(...events: readonly AgentYield[]): this {
    for (const event of events) this.#push({ say: event });
    return this;
  }

  /** `agent_started`, which every run says first. */
  start(): this {
    return this.say({ type: 'agent_started', agent_name: 'scripted' });
  }

  text(...texts: readonly string[]): this {
    return this.say(...texts.map((text): AgentYield => ({ type: 'text_delta', text })));
  }

  /** `agent_completed`, and the end. */
  complete(): void {
    this.say({ type: 'agent_completed', status: 'completed' });
    this.#push({ end: true });
  }

  /** The agent throws. */
  fail(error: Error): void {
    this.#push({ fail: error });
  }

  /** Resolves when the run is aborted. */
  get aborted(): Promise<void> {
    const { signal } = this.asked;
    return signal.aborted ? Promise.resolve() : new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  }

  async *events(): AsyncGenerator<AgentYield> {
    this.asked.signal.addEventListener('abort', () => this.#wake(), { once: true });
    for (;;) {
      if (this.asked.signal.aborted) return;
      const step = this.#steps.shift();
      if (step === undefined) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      } else if ('say' in step) yield step.say;
      else if ('fail' in step) throw step.fail;
      else return;
    }
  }

  #push(step: Step): void {
    this.#steps.push(step);
    this.#wake();
  }
}

/** An agent that says what the test tells it, when the test tells it. */
export class ScriptedAgent implements Agent {
  readonly codec = 'agent-events';
  readonly name = 'scripted';
  readonly runs: ScriptedRun[] = [];
  #waiting: ((run: ScriptedRun) => void)[] = [];
  #taken = 0;

  run(asked: AgentRun): AsyncIterable<AgentYield> {
    const run = new ScriptedRun(asked);
    this.runs.push(run);
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) {
      this.#taken += 1;
      waiting(run);
    }
    return run.events();
  }

  /** The next run that the gateway starts, or has started and nobody took. */
  async nextRun(withinMs = 5_000): Promise<ScriptedRun> {
    const started = this.runs[this.#taken];
    if (started !== undefined) {
      this.#taken += 1;
      return started;
    }
    return new Promise((resolve, reject) => {
      const deadline = AbortSignal.timeout(withinMs);
      deadline.addEventListener('abort', () => reject(new Error(`Expected a run to be started within ${withinMs} ms.`)), { once: true });
      this.#waiting.push(resolve);
    });
  }
}

/** Answers every message with its own words, one delta a word. */
export const echoAgent: Agent = {
  codec: 'agent-events',
  name: 'echo',
  async *run({ messages, signal }) {
    yield { type: 'agent_started', agent_name: 'echo' };
    const last =
      messages
        .at(-1)
        ?.parts.map((part) => (part.type === 'text' ? part.text : ''))
        .join('') ?? '';
    for (const word of last.split(' ')) {
      if (signal.aborted) return;
      yield { type: 'text_delta', text: `${word} ` };
    }
    yield { type: 'agent_completed', status: 'completed' };
  },
};
