import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type AccountsOptions, createAccounts, type LoginSession } from '../../src/auth/accounts.ts';
import { ensureUsersFile } from '../../src/auth/users-file.ts';
import type { GatewayOptions } from '../../src/gateway/gateway-options.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';

export interface AccountsGateway extends AsyncDisposable {
  readonly gw: TestGateway;
  readonly usersFile: string;
  post(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** Signs in and says what came. */
  login(username?: string, headers?: Readonly<Record<string, string>>): Promise<LoginSession>;
}

/** A gateway with the demo accounts in a file of its own. */
export async function startWithAccounts(
  options: Partial<GatewayOptions> & { readonly accountsOptions?: Partial<AccountsOptions> } = {},
): Promise<AccountsGateway> {
  const { accountsOptions, ...rest } = options;
  const folder = await mkdtemp(join(tmpdir(), 'spillway-http-'));
  const usersFile = join(folder, 'users.json');
  await ensureUsersFile(usersFile);
  const store = rest.store ?? memoryStore();
  const accounts = createAccounts({
    usersFile,
    signingKey: new Uint8Array(32).fill(1),
    store: store.credentials,
    tokenTtlMs: 3_600_000,
    refreshTtlMs: 86_400_000,
    loginsPerMinute: 10,
    ...accountsOptions,
  });
  const gw = await startGateway({ store, accounts, authenticate: accounts.authenticator, ...rest });
  const post: AccountsGateway['post'] = (path, body, headers = {}) =>
    fetch(`${gw.url}${path}`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body), redirect: 'manual' });
  return {
    gw,
    usersFile,
    post,
    async login(username = 'ada', headers = {}) {
      const response = await post('/v1/auth/login', { username, password: 'spillway' }, headers);
      expect(response.status).toBe(200);
      return (await response.json()) as LoginSession;
    },
    async [Symbol.asyncDispose]() {
      await gw[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** Checks that a response is a whole problem of RFC 9457, and returns it. */
export async function expectProblem(response: Response, status: number, code: string): Promise<Record<string, unknown>> {
  const body = (await response.json()) as Record<string, unknown>;
  expect({ status: response.status, code: body.code }).toEqual({ status, code });
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(body).toMatchObject({ type: `urn:spillway:problem:${code}`, status, title: expect.any(String), retryable: expect.any(Boolean) });
  expect(body.instance).toBe(response.headers.get('spillway-request'));
  if (status === 429 || status === 503) expect(Number(response.headers.get('retry-after'))).toBe(Math.max(1, Math.ceil((body.retryAfterMs as number) / 1_000)));
  return body;
}

export interface ServerSentEvent {
  readonly event: string;
  readonly id: string | null;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads fields of many frames and says itself what it expects.
  readonly data: any;
}

/** Reads server-sent events one by one. */
export class EventReader implements AsyncDisposable {
  readonly response: Response;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #text = '';

  constructor(response: Response) {
    this.response = response;
    this.#reader = (response.body as ReadableStream<Uint8Array>).getReader();
  }

  /** The next event, or null at the end; comments are skipped. Rejects after five seconds without anything. */
  async next(): Promise<ServerSentEvent | null> {
    for (;;) {
      const block = await this.#block();
      if (block === null) return null;
      if (!block.startsWith(':')) return read(block);
    }
  }

  /** The next thing of any kind, which must be a comment. */
  async comment(): Promise<string> {
    const block = await this.#block();
    if (!block?.startsWith(': ')) throw new Error(`Expected a comment, got ${block}.`);
    return block.slice(2);
  }

  async #block(): Promise<string | null> {
    for (;;) {
      const end = this.#text.indexOf('\n\n');
      if (end >= 0) {
        const block = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        return block;
      }
      const chunk = await within(this.#reader.read());
      if (chunk.done) return null;
      this.#text += this.#decoder.decode(chunk.value, { stream: true });
    }
  }

  /** All events up to and including the first whose data has this type. */
  async until(type: string): Promise<ServerSentEvent[]> {
    const events: ServerSentEvent[] = [];
    for (;;) {
      const event = await this.next();
      if (event === null) throw new Error(`Expected an event "${type}", got the end after ${events.length} events.`);
      events.push(event);
      if (event.data.type === type) return events;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The gateway may have ended the stream before.
    await this.#reader.cancel().catch(() => {});
  }
}

function read(block: string): ServerSentEvent {
  const fields = new Map(block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]));
  return { event: fields.get('event') ?? 'message', id: fields.get('id') ?? null, data: JSON.parse(fields.get('data') ?? 'null') };
}

async function within<T>(promise: Promise<T>, deadlineMs = 5_000): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Expected something within ${deadlineMs} ms, got nothing.`)), deadlineMs);
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
