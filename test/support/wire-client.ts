import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type RawData, WebSocket } from 'ws';

/** A frame as it came: fields as the test spells them, and the text itself for whoever checks order. */
export interface WireFrame {
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads fields of many frames and says itself what it expects.
  readonly [field: string]: any;
}

export interface WireOptions {
  readonly protocols?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly origin?: string;
  /** False: pings are not answered, as if the machine were gone. Default true. */
  readonly answersPings?: boolean;
  /** How long `next` and `open` wait. */
  readonly deadlineMs?: number;
}

export interface Closed {
  readonly code: number;
  readonly reason: string;
}

/** The gateway answered the upgrade with a plain HTTP response. */
export class UpgradeRefused extends Error {
  readonly status: number;
  readonly body: string;
  readonly headers: IncomingMessage['headers'];

  constructor(status: number, body: string, headers: IncomingMessage['headers']) {
    super(`Expected a WebSocket, got HTTP ${status}: ${body}`);
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

const DEADLINE_MS = 5_000;

/** A peer on the wire that says exactly what the test types. It answers no probe and acknowledges nothing unless told to `behave`. */
export class WireClient implements AsyncDisposable {
  /** Every frame so far, read by `next` or not. */
  readonly frames: WireFrame[] = [];
  /** The text of each of `frames`. */
  readonly texts: string[] = [];
  readonly closed: Promise<Closed>;
  /** Port from which it dialled. */
  readonly localPort: number;
  readonly #socket: WebSocket;
  readonly #raw: Socket;
  readonly #deadlineMs: number;
  #read = 0;
  #gone: Closed | null = null;
  #wake: () => void = () => {};
  #behaves = false;
  #listener: (frame: WireFrame) => void = () => {};

  private constructor(socket: WebSocket, raw: Socket, early: readonly RawData[], deadlineMs: number) {
    this.#socket = socket;
    this.#raw = raw;
    this.localPort = raw.localPort ?? 0;
    this.#deadlineMs = deadlineMs;
    for (const data of early) this.#take(data);
    socket.on('message', (data) => this.#take(data));
    this.closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => {
        this.#gone = { code, reason: reason.toString() };
        this.#wake();
        resolve(this.#gone);
      });
    });
  }

  /** Resolves to an open connection; rejects with `UpgradeRefused` where the gateway answers with HTTP. */
  static async open(url: string, o: WireOptions = {}): Promise<WireClient> {
    const deadlineMs = o.deadlineMs ?? DEADLINE_MS;
    const socket = new WebSocket(url, [...(o.protocols ?? ['spillway.v1'])], {
      perMessageDeflate: false,
      handshakeTimeout: deadlineMs,
      autoPong: o.answersPings ?? true,
      ...(o.headers === undefined ? {} : { headers: { ...o.headers } }),
      ...(o.origin === undefined ? {} : { origin: o.origin }),
    });
    let raw: Socket | null = null;
    const early: RawData[] = [];
    const keep = (data: RawData): number => early.push(data);
    socket.once('upgrade', (response) => {
      raw = response.socket;
    });
    socket.on('message', keep);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
      socket.once('unexpected-response', (_request, response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('end', () => reject(new UpgradeRefused(response.statusCode ?? 0, Buffer.concat(chunks).toString(), response.headers)));
      });
    });
    socket.off('message', keep);
    // What an error has to say comes with 'close'.
    socket.on('error', () => {});
    return new WireClient(socket, raw as unknown as Socket, early, deadlineMs);
  }

  /** The subprotocol that the gateway selected. */
  get protocol(): string {
    return this.#socket.protocol;
  }

  get isOpen(): boolean {
    return this.#gone === null && this.#socket.readyState === WebSocket.OPEN;
  }

  sendFrame(frame: object | string): void {
    this.#socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  sendBinary(bytes: Uint8Array): void {
    this.#socket.send(bytes, { binary: true });
  }

  /** Writes bytes as they are into the TCP connection, below WebSocket. */
  sendRaw(bytes: Uint8Array): void {
    this.#raw.write(bytes);
  }

  /** From now on it acknowledges every event and answers every probe as it arrives, as a page that works does. */
  behave(): this {
    this.#behaves = true;
    return this;
  }

  /** From now on it answers nothing any more, as a page whose script is stuck; its machine goes on answering pings. */
  freeze(): this {
    this.#behaves = false;
    return this;
  }

  /** Is told of every frame from now on, as it arrives. */
  hear(listener: (frame: WireFrame) => void): void {
    this.#listener = listener;
  }

  /** The next frame that was not read yet; with `type`, the next of that type, reading past others. */
  async next(type?: string): Promise<WireFrame> {
    return this.#until(() => {
      while (this.#read < this.frames.length) {
        const frame = this.frames[this.#read++] as WireFrame;
        if (type === undefined || frame.type === type) return frame;
      }
      return null;
    }, type ?? 'frame');
  }

  /** The next frame that `matches`, reading past others. */
  async nextWhere(what: string, matches: (frame: WireFrame) => boolean): Promise<WireFrame> {
    return this.#until(() => {
      while (this.#read < this.frames.length) {
        const frame = this.frames[this.#read++] as WireFrame;
        if (matches(frame)) return frame;
      }
      return null;
    }, what);
  }

  /** Code and reason of the close, under the deadline. */
  async close(): Promise<Closed> {
    return this.#until(() => this.#gone, 'close');
  }

  /** Destroys the TCP connection, as a cut cable's kernel would find out later. */
  cut(): void {
    this.#raw.destroy();
  }

  /** Ends the connection with a TCP reset. */
  reset(): void {
    this.#raw.resetAndDestroy();
  }

  /** Stops reading from the kernel, so that TCP closes its window in time. */
  stopReading(): void {
    this.#socket.pause();
  }

  readAgain(): void {
    this.#socket.resume();
  }

  /** Starts the closing handshake from this side. */
  leave(code = 1000, reason = ''): void {
    this.#socket.close(code, reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#gone !== null) return;
    this.#socket.terminate();
    await this.closed;
  }

  #take(data: RawData): void {
    const text = data.toString();
    const frame = JSON.parse(text) as WireFrame;
    this.texts.push(text);
    this.frames.push(frame);
    this.#listener(frame);
    if (this.#behaves && frame.type === 'event') this.sendFrame({ type: 'ack', sub: frame.sub, offset: frame.offset });
    if (this.#behaves && frame.type === 'probe') this.sendFrame({ type: 'probe-ok', n: frame.n });
    this.#wake();
  }

  async #until<T>(look: () => T | null, what: string): Promise<T> {
    const deadline = AbortSignal.timeout(this.#deadlineMs);
    for (;;) {
      const found = look();
      if (found !== null) return found;
      const seen = this.frames.map((frame) => frame.type).join(' ');
      if (this.#gone !== null && what !== 'close') throw new Error(`Expected ${what}, got close ${this.#gone.code} "${this.#gone.reason}" after: ${seen}`);
      if (deadline.aborted) throw new Error(`Expected ${what} within ${this.#deadlineMs} ms, got: ${seen || 'nothing'}`);
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await Promise.race([woken, once(deadline, 'abort')]);
    }
  }
}
