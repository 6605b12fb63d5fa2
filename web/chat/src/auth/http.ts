/** The gateway's public HTTP, seen from the page. Addresses are relative to the page, which may stand below a prefix. */

/** An answer that is no success, in the gateway's own words where it has some. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly status: number;
  /** The error code, such as `invalid-credentials`; empty if the answer was none of the gateway's. */
  readonly code: string;
  readonly retryAfterMs: number | null;

  constructor(status: number, code: string, message: string, retryAfterMs: number | null) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The address of `path` ("v1/threads"), next to the page. */
export const addressOf = (path: string): URL => new URL(path, new URL('.', location.href));

export interface Call {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly token?: string;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

/** One request. Resolves to the answer's JSON (undefined for 204). Rejects with `HttpProblem`, or with what `fetch` throws when nothing answers. */
export async function call<T>(path: string, { method = 'GET', token, body, signal }: Call = {}): Promise<T> {
  const response = await fetch(addressOf(path), {
    method,
    credentials: 'omit',
    cache: 'no-store',
    headers: {
      accept: 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  });
  if (!response.ok) throw await problemOf(response);
  return response.status === 204 ? (undefined as T) : ((await response.json()) as T);
}

interface ProblemBody {
  readonly code?: unknown;
  readonly title?: unknown;
  readonly detail?: unknown;
  readonly retryAfterMs?: unknown;
}

async function problemOf(response: Response): Promise<HttpProblem> {
  // A proxy answers in HTML: then the status alone has to do.
  const body = (await response.json().catch(() => ({}))) as ProblemBody;
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  return new HttpProblem(
    response.status,
    text(body.code),
    text(body.detail) || text(body.title) || `The server answered ${response.status}.`,
    typeof body.retryAfterMs === 'number' ? body.retryAfterMs : null,
  );
}
