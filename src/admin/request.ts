import type { ErrorCode } from '../protocol/errors.ts';
import { AdminProblem, type PlanDifference } from './problem.ts';

/** Where the admin API begins, behind the address of its port. */
export const ADMIN_PATH = '/admin/api/v1';

export type Query = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface AdminRequest {
  /** Default: GET. */
  readonly method?: string;
  /** Below `/admin/api/v1`, without a slash in front; one that begins with a slash is taken from the root of the port. */
  readonly path: string;
  readonly query?: Query | undefined;
  /** Becomes JSON. */
  readonly body?: unknown;
  readonly accept?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** Statuses besides the good ones whose answer is wanted as it is, as 503 of a health path. */
  readonly accepts?: readonly number[];
  /** How long the gateway may take to begin its answer, in ms; null: as long as it likes. */
  readonly timeoutMs?: number | null;
}

export interface Asker {
  /** The answer to a request that succeeded. @throws AdminProblem */
  ask(request: AdminRequest): Promise<Response>;
}

/** Longer than any answer should take, shorter than anybody's patience. A probe waits for its manager's patience first. */
const TIMEOUT_MS = 10_000;

/** Asks the admin API at `url`, the address of the operators' port, with `key`. */
export function createAsker(url: string, key: string | null): Asker {
  const base = url.replace(/\/+$/, '');
  return {
    async ask({ method = 'GET', path, query = {}, body, accept = 'application/json', headers = {}, signal, accepts = [], timeoutMs = TIMEOUT_MS }) {
      const address = `${base}${path.startsWith('/') ? path : `${ADMIN_PATH}/${path}`}${spell(query)}`;
      const patience = new AbortController();
      const timer = timeoutMs === null ? null : setTimeout(() => patience.abort(), timeoutMs);
      let response: Response;
      try {
        response = await fetch(address, {
          method,
          headers: {
            accept,
            ...(key === null ? {} : { authorization: `Bearer ${key}` }),
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
            ...headers,
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          // A redirect would carry the key elsewhere.
          redirect: 'error',
          signal: signal === undefined ? patience.signal : AbortSignal.any([signal, patience.signal]),
        });
      } catch (cause) {
        if (signal?.aborted) throw cause;
        const why = patience.signal.aborted ? `it did not answer within ${timeoutMs} ms` : reasonOf(cause);
        throw new AdminProblem('unreachable', `Expected a gateway at ${base || 'this address'}, but ${why}.`, { cause });
      } finally {
        if (timer !== null) clearTimeout(timer);
      }
      if (!response.ok && !accepts.includes(response.status)) throw await problemOf(response, address);
      return response;
    },
  };
}

/** What a refusal says. */
async function problemOf(response: Response, address: string): Promise<AdminProblem> {
  const { status } = response;
  const body = await response.json().catch(() => null);
  const { code, title, detail, differences, instance } = (body ?? {}) as {
    code?: ErrorCode;
    title?: string;
    detail?: string;
    differences?: PlanDifference[];
    instance?: string;
  };
  if (typeof code !== 'string') {
    return new AdminProblem('unreachable', `Expected a gateway of Spillway at ${address}, but what answered with status ${status} is none.`, { status });
  }
  return new AdminProblem(code, detail ?? title ?? `The gateway answered with status ${status}.`, {
    status,
    ...(differences === undefined ? {} : { differences }),
    ...(instance === undefined ? {} : { instance }),
  });
}

/** `fetch` hides the reason in the cause of its error. */
function reasonOf(error: unknown): string {
  const { cause, message } = error as { cause?: { code?: string; message?: string }; message?: string };
  if (cause?.code === 'ECONNREFUSED') return 'nothing listens there';
  return `it cannot be reached: ${cause?.message ?? message ?? String(error)}`;
}

function spell(query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
  return given.length === 0 ? '' : `?${new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)])).toString()}`;
}
