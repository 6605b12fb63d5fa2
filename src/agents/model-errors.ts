/** Turns what a model provider did wrong into words for the person who waits. No text of the provider, no address, no key is in them. */

import type { AgentYield } from '../protocol/agent-events.ts';

/** Why a model did not answer. Spelled alike in the run's `agent_error.code` and in `ModelProblem`. */
export type ModelErrorCode =
  | 'model_credentials'
  | 'model_credit'
  | 'model_unknown'
  | 'model_too_long'
  | 'model_rejected'
  | 'model_declined'
  | 'model_busy'
  | 'model_failed'
  | 'model_unreachable'
  | 'model_silent'
  | 'model_cut'
  | 'model_garbled'
  | 'model_empty';

/** For operators: what the provider itself said. */
export interface ModelProblem {
  readonly code: ModelErrorCode;
  /** HTTP status of the provider, if it gave one. */
  readonly status: number | null;
  /** At most 300 characters, the key masked. It may quote the provider, never the conversation. */
  readonly detail: string;
}

const TELL: Readonly<Record<ModelErrorCode, { readonly text: string; readonly recoverable: boolean }>> = {
  model_credentials: { text: 'The model’s provider did not accept this server’s key. Whoever runs this server has to put it right.', recoverable: false },
  model_credit: { text: 'The account of this server at the model’s provider is used up. Whoever runs this server has to put it right.', recoverable: false },
  model_unknown: {
    text: 'The model that this server is set to use was not found. Whoever runs this server has to check its name and address.',
    recoverable: false,
  },
  model_too_long: { text: 'This conversation is too long for the model. Start a new one, or send a shorter message.', recoverable: false },
  model_rejected: {
    text: 'The model could not take this message. It may hold something, such as a file, that this model does not understand.',
    recoverable: false,
  },
  model_declined: { text: 'The model’s provider declined to answer this.', recoverable: false },
  model_busy: { text: 'The model has too much to do at this moment. Please try again in a little while.', recoverable: true },
  model_failed: { text: 'The model’s provider has a problem of its own. Please try again.', recoverable: true },
  model_unreachable: { text: 'The model cannot be reached at this moment. Please try again in a little while.', recoverable: true },
  model_silent: { text: 'The model stayed silent for too long. Please try again.', recoverable: true },
  model_cut: { text: 'The connection to the model broke off before the answer was complete. Please try again.', recoverable: true },
  model_garbled: { text: 'The model sent something that could not be understood. Please try again.', recoverable: true },
  model_empty: { text: 'The model gave an empty answer. Please try again.', recoverable: true },
};

/** The run's last event for a failure. */
export function modelFailure(code: ModelErrorCode): AgentYield {
  const { text, recoverable } = TELL[code];
  return { type: 'agent_error', error_message: text, recoverable, code };
}

/** Whether a run's `agent_error.code` says that the model's endpoint failed, and nothing of ours. */
export const isModelFailure = (code: unknown): boolean => typeof code === 'string' && Object.hasOwn(TELL, code);

/** Classifies whatever the AI SDK threw or streamed. `begun`: part of the answer has come already. Total: never throws. */
export function judgeModelError(error: unknown, begun: boolean, key: string | undefined): ModelProblem {
  const facts = factsOf(error);
  const masked = key === undefined || key === '' ? facts.detail : facts.detail.replaceAll(key, '…');
  return { code: codeOf(facts, begun), status: facts.status, detail: masked.slice(0, 300) };
}

interface Facts {
  readonly name: string;
  readonly status: number | null;
  /** Of the operating system, such as ECONNREFUSED. */
  readonly systemCode: string;
  /** What the provider said, for classification and for operators. */
  readonly detail: string;
}

function codeOf({ name, status, systemCode, detail }: Facts, begun: boolean): ModelErrorCode {
  if (name === 'TimeoutError') return 'model_silent';
  if (/context[_ ](?:length|window)|maximum context|too many tokens|prompt is too long/i.test(detail)) return 'model_too_long';
  if (status === 402 || /insufficient_quota|exceeded your current quota|credit balance/i.test(detail)) return 'model_credit';
  if (status === 401 || status === 403) return 'model_credentials';
  if (status === 404) return 'model_unknown';
  if (status === 413) return 'model_too_long';
  if (status === 408 || status === 409 || status === 425 || status === 429) return 'model_busy';
  if (/AI_(?:JSONParse|TypeValidation|InvalidResponseData|EmptyResponseBody)Error/.test(name))
    return name === 'AI_InvalidResponseDataError' && begun ? 'model_cut' : 'model_garbled';
  if (/AI_(?:UnsupportedFunctionality|InvalidPrompt|InvalidMessageRole|Download)\w*Error/.test(name)) return 'model_rejected';
  if (status !== null && status >= 500) return 'model_failed';
  if (status !== null && status >= 400) return 'model_rejected';
  if (systemCode === '' && status !== null) return 'model_garbled';
  if (systemCode !== '' || /fetch failed|cannot connect|terminated|socket|network/i.test(detail)) return begun ? 'model_cut' : 'model_unreachable';
  if (/rate.?limit|overloaded|too many requests/i.test(detail)) return 'model_busy';
  return 'model_failed';
}

/** Reads an error of any origin: a thrown one with its causes, the last one of several attempts, or an error object inside a stream. */
function factsOf(error: unknown): Facts {
  let name = '';
  let status: number | null = null;
  let systemCode = '';
  const details: string[] = [];
  let at: unknown = error;
  for (let depth = 0; depth < 6 && at !== null && at !== undefined; depth++) {
    if (typeof at !== 'object') {
      details.push(String(at));
      break;
    }
    const fields = at as Record<string, unknown>;
    if (fields.name === 'AI_RetryError') {
      at = fields.lastError;
      continue;
    }
    if (name === '' && typeof fields.name === 'string') name = fields.name;
    // These quote what could not be read, which may be a piece of the conversation.
    if (fields.name === 'AI_JSONParseError' || fields.name === 'AI_TypeValidationError') {
      details.push(fields.name);
      break;
    }
    if (fields.name === 'TimeoutError') name = 'TimeoutError';
    status ??= numberOf(fields.statusCode) ?? numberOf(fields.status) ?? statusOf(fields.code);
    if (systemCode === '' && typeof fields.code === 'string' && /^(?:E[A-Z]{4,}|UND_ERR_\w+)$/.test(fields.code)) systemCode = fields.code;
    for (const field of ['message', 'type', 'code']) if (typeof fields[field] === 'string') details.push(fields[field]);
    at = fields.cause ?? fields.error;
  }
  return { name, status, systemCode, detail: [...new Set(details)].join(': ') };
}

const numberOf = (value: unknown): number | null => (typeof value === 'number' ? value : null);
/** Some providers put an HTTP status into `code` of an error inside the stream. */
const statusOf = (value: unknown): number | null => {
  const number = typeof value === 'string' ? Number(value) : value;
  return typeof number === 'number' && number >= 400 && number < 600 ? number : null;
};
