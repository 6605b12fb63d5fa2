/** The gateway's HTTP side, which works without a seat. */

import { SpillwayError } from '../protocol/errors.ts';

export interface HttpOptions {
  /** Address of `/v1/ws`. */
  url(): Promise<URL>;
  /** A bearer token, or null where a cookie says who asks. */
  token(reason: 'connect' | 'rejected'): Promise<string | null>;
  /** The own manager id, once there is one. */
  manager(): string | null;
}

/** The body of a failed request, as `cause` of the error. */
export interface Problem {
  readonly status: number;
  readonly code?: string;
}

/** How long a request may take before it is given up; the caller decides whether to ask again. */
const REQUEST_TIMEOUT_MS = 15_000;

/** Turns what an application gave as `url` into the address of a WebSocket. Throws a `SpillwayError` for what is none. */
export function webSocketUrl(given: string | URL): URL {
  const page = globalThis.location?.href;
  if (!URL.canParse(given, page))
    throw new SpillwayError('SPILLWAY_BAD_OPTION', `Expected \`url\` to be the address of /v1/ws, whole outside a page, got ${JSON.stringify(given)}.`);
  const url = new URL(given, page);
  url.protocol = url.protocol.replace(/^http/, 'ws');
  url.hash = '';
  return url;
}

/** Asks `/v1/…`. Throws a `SpillwayError` with a `Problem` as its cause for every answer that is none. */
export type Ask = <T>(method: string, path: string, body?: unknown) => Promise<T>;

export const httpTo =
  (options: HttpOptions): Ask =>
  async (method, path, body) => {
    // The twin of `/v1/ws`, on the same host and behind the same prefix.
    const url = (await options.url()).href.replace(/^ws(.*)\/v1\/.*/, `http$1/v1/${path}`);
    const ask = (token: string | null): Promise<Response> => {
      const headers = new Headers();
      const manager = options.manager();
      if (token !== null) headers.set('authorization', `Bearer ${token}`);
      if (manager !== null) headers.set('spillway-manager', manager);
      if (body !== undefined) headers.set('content-type', 'application/json');
      return fetch(url, {
        method,
        headers,
        cache: 'no-store',
        credentials: token === null ? 'include' : 'omit',
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
        body: JSON.stringify(body),
      });
    };
    const token = await options.token('connect');
    let response = await ask(token);
    if (response.status === 401 && token !== null) response = await ask(await options.token('rejected'));
    const { status, ok } = response;
    if (ok) return response.json();
    // Whatever stands between may answer with a page of its own.
    const problem = (await response.json().catch(() => ({}))) as { code?: string; title?: string; detail?: string };
    throw new SpillwayError('SPILLWAY_REFUSED', problem.detail ?? problem.title ?? `Expected an answer to ${method} /v1/${path}, got status ${status}.`, {
      retry: status >= 500 || status === 429 ? 'later' : 'never',
      cause: { status, code: problem.code } as Problem,
    });
  };

/** Whether the gateway says that what was named does not exist; a 404 of something in between says nothing about that. */
export function isNotFound(error: unknown): boolean {
  return SpillwayError.is(error) && (error.cause as Problem | undefined)?.code === 'not-found';
}
