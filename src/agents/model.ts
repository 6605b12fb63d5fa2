import type { FinishReason, LanguageModelUsage } from 'ai';
import type { Agent, AgentRun } from '../ports/agent.ts';
import { type Clock, systemClock } from '../ports/clock.ts';
import type { AgentYield } from '../protocol/agent-events.ts';
import { SpillwayError } from '../protocol/errors.ts';
import { judgeModelError, type ModelErrorCode, type ModelProblem, modelFailure } from './model-errors.ts';
import { toModelMessages } from './model-messages.ts';
import { modelStream } from './model-stream.ts';
import { modelTools } from './model-tools.ts';
import { patience } from './patience.ts';
import { readHandbook } from './tools/handbook.ts';
import { type HandbookSearch, handbookSearch } from './tools/search.ts';

export interface ModelAgentOptions {
  /** Base URL of an OpenAI-compatible endpoint, such as `http://127.0.0.1:11434/v1`. */
  readonly baseUrl: string;
  /** Name of the model, as the endpoint spells it. */
  readonly model: string;
  /** Sent as `Authorization: Bearer …`; left out for endpoints that need none. */
  readonly apiKey?: string;
  /** System prompt. */
  readonly system?: string;
  /** Shown as the agent's name. Default: the model's. */
  readonly name?: string;
  /** Offers the demo agent's tools (search, calculator, clock, sessions) to the model. Default false: a model without tool support fails when it is offered any. */
  readonly tools?: boolean;
  /** Longest wait for the first piece of an answer, in milliseconds. Default 60,000: large models on small machines load slowly. */
  readonly firstTokenMs?: number;
  /** Longest silence within an answer, in milliseconds. Default 60,000. */
  readonly silentMs?: number;
  /** How often a request is made again that failed before anything of an answer came, if that can help. Default 1. */
  readonly retries?: number;
  readonly fetch?: typeof globalThis.fetch;
  readonly clock?: Clock;
  /** Hears what a provider itself said, for the operator's log. What it throws is ignored. */
  readonly onProblem?: (problem: ModelProblem) => void;
}

/** Model calls of one run: a model that goes on calling tools has to end somewhere. */
const MAX_STEPS = 8;
/** Longest a tool may take; then the model is told that it failed. */
const TOOL_MS = 10_000;

/** An agent behind any OpenAI-compatible endpoint (OpenAI, Ollama, vLLM, LM Studio and others). Text, reasoning and tool calls
 *  become `agent-events`. A failure of the provider becomes an `agent_error` in plain words; an abort closes the HTTP request
 *  and ends the run without a terminal event. Throws SPILLWAY_BAD_OPTION for a base URL that is none or an empty model. */
export function modelAgent(options: ModelAgentOptions): Agent {
  if (!/^https?:\/\/[^/]/.test(options.baseUrl) || !URL.canParse(options.baseUrl)) {
    throw new SpillwayError(
      'SPILLWAY_BAD_OPTION',
      `Expected \`agent.baseUrl\` to be an address such as http://127.0.0.1:11434/v1, got \`${options.baseUrl}\`.`,
    );
  }
  if (options.model.trim() === '')
    throw new SpillwayError('SPILLWAY_BAD_OPTION', 'Expected `agent.model` to name a model as the endpoint spells it, got an empty text.');
  const handbook = options.tools === true ? handbookSearch(readHandbook()) : null;
  return { codec: 'agent-events', name: options.name ?? options.model, run: (run) => answer(run, options, handbook) };
}

async function* answer(run: AgentRun, options: ModelAgentOptions, handbook: HandbookSearch | null): AsyncGenerator<AgentYield, void, undefined> {
  const clock = options.clock ?? systemClock;
  const startedAt = clock.mono();
  const stream = modelStream(clock.mono);
  /** Closes the request when the run stops pulling, whatever the reason. */
  const left = new AbortController();

  const failed = (error: unknown): AgentYield => {
    const problem = judgeModelError(error, stream.begun(), options.apiKey);
    try {
      options.onProblem?.(problem);
    } catch {
      // The listener's own trouble must not take the person's message away.
    }
    return modelFailure(problem.code);
  };

  const firstTokenMs = options.firstTokenMs ?? 60_000;
  const silence = patience(clock, run.signal, firstTokenMs);

  yield { type: 'agent_started', agent_name: options.name ?? options.model, model: options.model };
  try {
    const parts = (await request(run, options, handbook, clock, AbortSignal.any([run.signal, left.signal])))[Symbol.asyncIterator]();
    for (;;) {
      const next = await silence.wait(parts.next());
      if (next.is === 'aborted' || run.signal.aborted) return;
      if (next.is === 'silent') return yield failed(new DOMException('Nothing came within the time limit', 'TimeoutError'));
      if (next.value.done === true) return yield modelFailure('model_cut');
      const part = next.value.value;
      if (part.type === 'error') return yield failed(part.error);
      if (part.type === 'finish') return yield ending(part.finishReason, part.totalUsage, stream.text(), Math.round(clock.mono() - startedAt));
      const events = stream.next(part);
      if (part.type === 'start-step') silence.renew(firstTokenMs);
      else if (events.length > 0) silence.renew(options.silentMs ?? 60_000);
      yield* events;
    }
  } catch (error) {
    if (!run.signal.aborted) yield failed(error);
  } finally {
    left.abort();
  }
}

/** Starts the request. The AI SDK is loaded here, on first use: it costs an eighth of a second that other agents need not pay. */
async function request(run: AgentRun, options: ModelAgentOptions, handbook: HandbookSearch | null, clock: Clock, abortSignal: AbortSignal) {
  const [{ isStepCount, streamText }, { createOpenAICompatible }] = await Promise.all([import('ai'), import('@ai-sdk/openai-compatible')]);
  const provider = createOpenAICompatible({
    name: 'model',
    baseURL: options.baseUrl.replace(/\/+$/, ''),
    includeUsage: true,
    // Pictures are fetched by the provider. The gateway itself never opens an address that a person wrote.
    supportedUrls: () => ({ 'image/*': [/^https?:\/\//] }),
    ...(options.apiKey === undefined || options.apiKey === '' ? {} : { apiKey: options.apiKey }),
    ...(options.fetch === undefined ? {} : { fetch: options.fetch }),
  });
  return streamText({
    model: provider.chatModel(options.model),
    messages: toModelMessages(run.messages, handbook !== null),
    abortSignal,
    maxRetries: options.retries ?? 1,
    timeout: { toolMs: TOOL_MS },
    // Errors come as parts of the stream; without a listener of its own the SDK would print them.
    onError: () => {},
    ...(options.system === undefined ? {} : { instructions: options.system }),
    ...(handbook === null ? {} : { tools: modelTools(run, clock, handbook), stopWhen: isStepCount(MAX_STEPS) }),
  }).stream;
}

/** The last event of an answer that the provider ended by itself. */
function ending(reason: FinishReason, usage: LanguageModelUsage, text: string, execution_time_ms: number): AgentYield {
  const failure = failureOf(reason, text);
  if (failure !== null) return modelFailure(failure);
  const { inputTokens, outputTokens, totalTokens, outputTokenDetails } = usage;
  return {
    type: 'agent_completed',
    status: 'completed',
    final_response: text,
    execution_time_ms,
    result: { finish_reason: reason },
    ...(totalTokens === undefined
      ? {}
      : {
          usage: {
            input_tokens: inputTokens ?? 0,
            output_tokens: outputTokens ?? 0,
            total_tokens: totalTokens,
            reasoning_tokens: outputTokenDetails.reasoningTokens ?? 0,
          },
        }),
  };
}

/** An answer that was cut short still is one; an answer without a word is not. */
function failureOf(reason: FinishReason, text: string): ModelErrorCode | null {
  if (reason === 'error') return 'model_failed';
  if (text !== '') return null;
  return reason === 'content-filter' ? 'model_declined' : reason === 'length' ? 'model_too_long' : 'model_empty';
}
