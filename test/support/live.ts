import { once } from 'node:events';
import { WebSocket } from 'ws';
import { LIVE_PROTOCOL, type LiveMessage, type LiveTopic, type LiveUpdate, type LiveWelcome, type MapUpdate } from '../../src/protocol/live.ts';
import { ADMIN_KEY, type AdminGateway } from './admin.ts';

const DEADLINE_MS = 10_000;

type UpdateOf<N extends LiveTopic['of']> = Extract<LiveUpdate, { of: N }>;
export type MessageOf<T extends LiveMessage['type']> = Extract<LiveMessage, { type: T }>;

export interface LiveOptions {
  /** In `Authorization`; null: none. Default: the tests' admin key. */
  readonly key?: string | null;
  readonly origin?: string;
  readonly protocols?: readonly string[];
  readonly path?: string;
}

/** An operator's page, as far as its live connection goes: every message is kept. */
export class LiveClient implements AsyncDisposable {
  readonly messages: LiveMessage[] = [];
  readonly #socket: WebSocket;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  #read = 0;
  #isGone = false;
  #wake: () => void = () => {};

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => {
      this.messages.push(JSON.parse(data.toString()) as LiveMessage);
      this.#wake();
    });
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => {
        this.#isGone = true;
        this.#wake();
        resolve({ code, reason: reason.toString() });
      });
    });
  }

  /** Rejects with the status where the gateway answers with HTTP. */
  static async open(
    admin: AdminGateway,
    { key = ADMIN_KEY, origin, protocols = [LIVE_PROTOCOL], path = '/admin/api/v1/live' }: LiveOptions = {},
  ): Promise<LiveClient> {
    const socket = new WebSocket(`${admin.url.replace('http', 'ws')}${path}`, [...protocols], {
      perMessageDeflate: false,
      ...(origin === undefined ? {} : { origin }),
      headers: key === null ? {} : { authorization: `Bearer ${key}` },
    });
    const client = new LiveClient(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
      socket.once('unexpected-response', (_request, response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('end', () => reject(new Error(`${response.statusCode} ${Buffer.concat(chunks).toString()}`)));
      });
    });
    return client;
  }

  /** Open, and welcomed. */
  static async welcomed(admin: AdminGateway, options: LiveOptions = {}): Promise<LiveClient & { readonly welcome: LiveWelcome }> {
    const client = await LiveClient.open(admin, options);
    return Object.assign(client, { welcome: await client.next('welcome') });
  }

  send(frame: object | string): void {
    this.#socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  sendBinary(bytes: Uint8Array): void {
    this.#socket.send(bytes, { binary: true });
  }

  watch(id: number, topic: LiveTopic): void {
    this.send({ type: 'watch', id, topic });
  }

  stopReading(): void {
    this.#socket.pause();
  }

  readAgain(): void {
    this.#socket.resume();
  }

  /** The next message of a type that was not read yet, reading past others. */
  async next<T extends LiveMessage['type']>(type: T): Promise<MessageOf<T>> {
    return (await this.#until(type, (message) => message.type === type)) as MessageOf<T>;
  }

  /** The next update of a topic that `matches`, reading past others. */
  async update<N extends LiveTopic['of']>(of: N, matches: (update: UpdateOf<N>) => boolean = () => true): Promise<UpdateOf<N>> {
    const found = await this.#until(
      `an update of ${of} as expected`,
      (message) => message.type === 'update' && message.data.of === of && matches(message.data as UpdateOf<N>),
    );
    return (found as MessageOf<'update'>).data as UpdateOf<N>;
  }

  /** Reads nothing of what came so far any more. */
  skip(): void {
    this.#read = this.messages.length;
  }

  async #until(what: string, isIt: (message: LiveMessage) => boolean): Promise<LiveMessage> {
    const deadline = AbortSignal.timeout(DEADLINE_MS);
    for (;;) {
      while (this.#read < this.messages.length) {
        const message = this.messages[this.#read++] as LiveMessage;
        if (isIt(message)) return message;
      }
      const seen = this.messages.slice(-3).map((message) => JSON.stringify(message).slice(0, 400));
      if (this.#isGone || deadline.aborted)
        throw new Error(`Expected ${what} within ${DEADLINE_MS} ms, got ${this.#isGone ? 'a close' : 'nothing'} after: ${seen.join('\n')}`);
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await Promise.race([woken, once(deadline, 'abort')]);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isGone) return;
    this.#socket.terminate();
    await this.closed;
  }
}

const VERDICTS = ['nobody', 'healthy', 'idle', 'suspect', 'zombie', 'inactive', 'unknown'];

/** A map as a page keeps it: a byte a cell. */
export class Cells {
  bytes: number[] = [];

  take({ whole, size, runs }: MapUpdate): void {
    if (whole) this.bytes = [];
    while (this.bytes.length < size) this.bytes.push(0);
    for (const [first, base64] of runs) for (const [index, byte] of [...Buffer.from(base64, 'base64')].entries()) this.bytes[first + index] = byte;
  }

  cell(index: number): { verdict: string; tier: number; run: boolean; visible: boolean; burst: boolean } {
    const byte = this.bytes[index] ?? 0;
    return { verdict: VERDICTS[byte & 7] ?? '?', tier: (byte >> 3) & 3, run: (byte & 32) > 0, visible: (byte & 64) > 0, burst: (byte & 128) > 0 };
  }
}
