import { ERROR_STATUS, type ErrorCode, isRetryable, SpillwayError } from '../../protocol/errors.ts';
import type { HttpContext } from './http-env.ts';

/** An expected refusal of a request. */
export interface Problem {
  readonly code: ErrorCode;
  readonly detail?: string;
  readonly retryAfterMs?: number;
  /** What changed since a plan was made. */
  readonly differences?: readonly { readonly manager: string; readonly change: string }[];
  /** Headers besides the usual ones. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** What each code is called in a problem. */
export const TITLES: Readonly<Record<ErrorCode, string>> = {
  'bad-request': 'The request is not understood',
  unauthorized: 'Please sign in',
  'credential-expired': 'The credential has expired',
  'invalid-credentials': 'The name or the password is wrong',
  'refresh-reused': 'The refresh token had been used before',
  forbidden: 'Not allowed',
  'origin-denied': 'Pages of this origin may not ask here',
  'not-found': 'There is no such thing',
  'method-not-allowed': 'This path takes other methods',
  'idempotency-conflict': 'The same id was used for something else',
  'thread-busy': 'Too many messages wait in this conversation',
  'plan-stale': 'The plan is out of date',
  protected: 'This is protected',
  'payload-too-large': 'The body is too large',
  'upgrade-required': 'A WebSocket is needed here',
  'rate-limited': 'Too many requests',
  internal: 'Something failed on our side',
  draining: 'This server is being stopped',
  'node-overloaded': 'The server is busy',
  'no-seat-yet': 'There is no seat yet',
  'queue-full': 'The queue is full',
  'store-unavailable': 'Nothing can be stored or read right now',
  'agent-unavailable': 'The agent cannot be reached right now',
};

/** What 429 and 503 name where nothing better is known. */
const RETRY_AFTER_MS = 1_000;

/** Answers with RFC 9457 `application/problem+json`, and records that it did. */
export function problem(c: HttpContext, told: Problem, cause?: unknown): Response {
  const { code, detail, retryAfterMs, differences, headers = {} } = told;
  c.set('problem', told);
  const status = ERROR_STATUS[code];
  const isLater = status === 429 || status === 503;
  const waitMs = retryAfterMs ?? (isLater ? RETRY_AFTER_MS : undefined);
  const instance = c.get('requestId');
  c.get('services').telemetry.record({
    severity: status === 500 ? 'ERROR' : status === 503 ? 'WARNING' : 'INFO',
    event: 'http-problem',
    message: `${c.req.method} ${c.req.path}: ${code}`,
    request: instance,
    method: c.req.method,
    path: c.req.path,
    status,
    code,
    ...(cause === undefined ? {} : { error: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause) }),
  });
  const body = {
    type: `urn:spillway:problem:${code}`,
    title: TITLES[code],
    status,
    code,
    ...(detail === undefined ? {} : { detail }),
    retryable: isRetryable(code),
    ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
    ...(differences === undefined ? {} : { differences }),
    instance,
  };
  return c.body(JSON.stringify(body), status, {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    ...(waitMs === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(waitMs / 1_000))) }),
    ...headers,
  });
}

/** The answer to an error that nobody expected. What it says stays in the log. */
export function problemOf(c: HttpContext, error: unknown): Response {
  if (SpillwayError.is(error) && (error.code === 'SPILLWAY_STORE_UNAVAILABLE' || error.code === 'SPILLWAY_STORE_BROKEN')) {
    return problem(c, { code: 'store-unavailable', detail: 'The request may be repeated as it is.' }, error);
  }
  return problem(c, { code: 'internal', detail: 'The log of the server tells more under this instance.' }, error);
}
