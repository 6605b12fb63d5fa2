/** One transport: from the dial to its end. */

import { type ClientFrame, type Hello, type ServerFrame, SUBPROTOCOL, type Welcome } from '../protocol/frames.ts';
import { bytesOf } from './bytes.ts';
import type { TransportEnd } from './disconnect.ts';
import type { Settings } from './settings.ts';
import { every, later, monotonicMs } from './timers.ts';
import type { DebugEvent } from './types.ts';

export interface LinkOptions {
  readonly url: string;
  readonly settings: Settings;
  /** Asked when the socket is open, so that the positions in it are the latest. */
  hello(): Hello;
  frame(frame: ServerFrame, bytes: number): void;
  /** Called once, unless `drop` came first. */
  end(end: TransportEnd): void;
}

/** A tick of ours later than this is our own stall and no fault of the gateway. */
const OWN_STALL_MS = 3_000;

/** What a browser says of a transport that ended without a close frame. */
const LOST = 1006;

/** `WebSocket.OPEN`, also of constructors that name no constants. */
const OPEN = 1;

/** Speaks frames over one socket. What a socket says after its end is never heard. */
export class Link {
  readonly #options: LinkOptions;
  readonly #socket: WebSocket;
  #hasEnded = false;
  #lastFrameAt = monotonicMs();
  #stopWatch = (): void => {};
  #checks = 0;
  #stopCheck: (() => void) | null = null;
  #onClosed: (() => void) | null = null;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#socket = new options.settings.webSocket(options.url, SUBPROTOCOL);
    this.#socket.onopen = () => this.#hasEnded || this.send(options.hello());
    this.#socket.onmessage = (message: MessageEvent) => this.#receive(message.data);
    this.#socket.onclose = (close: CloseEvent) => {
      this.#onClosed?.();
      this.#end({ code: close.code || LOST, reason: close.reason ?? '' });
    };
    this.#socket.onerror = () => {
      // A `close` event always follows and says more.
    };
  }

  /** Sends now or not at all: whoever needs an answer sends again on the next transport. */
  send(frame: ClientFrame): boolean {
    if (this.#hasEnded || this.#socket.readyState !== OPEN) return false;
    const text = JSON.stringify(frame);
    this.#options.settings.debug(describe('out', frame, text.length));
    this.#socket.send(text);
    return true;
  }

  /** Asks whether anybody is there. No answer in time is the end of this transport. */
  check(): void {
    if (this.#stopCheck !== null || !this.send({ type: 'check', n: ++this.#checks })) return;
    this.#stopCheck = later(this.#options.settings.wakeTimeoutMs, () => this.#end({ code: LOST, reason: 'unanswered', woke: true }));
  }

  /** Says goodbye and resolves when the socket is closed, or after a second. */
  async leave(reason: 'left' | 'parked'): Promise<void> {
    const said = this.send({ type: 'bye', reason });
    this.#finish();
    if (said)
      await new Promise<void>((resolve) => {
        this.#onClosed = resolve;
        later(1_000, resolve);
      });
    this.#close();
  }

  /** Forgets this transport without a word. */
  drop(): void {
    this.#finish();
    this.#close();
  }

  #receive(data: unknown): void {
    if (this.#hasEnded || typeof data !== 'string') return;
    this.#lastFrameAt = monotonicMs();
    let frame: ServerFrame;
    try {
      frame = JSON.parse(data) as ServerFrame;
    } catch {
      this.#end({ code: LOST, reason: 'not JSON' });
      return;
    }
    const bytes = bytesOf(data);
    this.#options.settings.debug(describe('in', frame, bytes));
    if (frame.type === 'welcome') this.#watch(frame);
    else if (frame.type === 'check-ok' && frame.n === this.#checks) {
      this.#stopCheck?.();
      this.#stopCheck = null;
    } else if (frame.type === 'bye') {
      this.#end({ code: frame.code, reason: '', bye: frame });
      return;
    }
    this.#options.frame(frame, bytes);
  }

  /** After cuts and freezes some stacks never notice that their socket is dead. Only frames count: a page cannot see protocol pings. */
  #watch(welcome: Welcome): void {
    const timeoutMs = welcome.clientTimeoutMs;
    const tickMs = Math.min(1_000, timeoutMs / 5);
    let tickAt = monotonicMs();
    let silentSince = this.#lastFrameAt;
    let graceMs = 0;
    this.#stopWatch();
    this.#stopWatch = every(tickMs, () => {
      const now = monotonicMs();
      const lateMs = now - tickAt - tickMs;
      tickAt = now;
      if (silentSince !== this.#lastFrameAt) {
        silentSince = this.#lastFrameAt;
        graceMs = 0;
      }
      // Once a silence: a hidden page whose every tick is late must come to an end too.
      if (lateMs > OWN_STALL_MS && graceMs === 0) {
        graceMs = lateMs;
        this.check();
      }
      if (now - silentSince > timeoutMs + graceMs) this.#end({ code: LOST, reason: 'silent' });
    });
  }

  /** Nothing is awaited of a socket that no longer answers. */
  #end(end: TransportEnd): void {
    if (this.#hasEnded) return;
    this.#finish();
    this.#close();
    this.#options.settings.debug({ type: 'close', code: end.code, reason: end.reason || end.bye?.name || '' });
    this.#options.end(end);
  }

  #finish(): void {
    this.#hasEnded = true;
    this.#stopWatch();
    this.#stopCheck?.();
  }

  #close(): void {
    try {
      this.#socket.close();
    } catch {
      // Some sockets throw when they are closed while connecting; they are forgotten all the same.
    }
  }
}

function describe(direction: 'in' | 'out', frame: ServerFrame | ClientFrame, bytes: number): DebugEvent {
  const { type, sub, offset, n } = frame as { type: string; sub?: number; offset?: number; n?: number };
  return { type: 'frame', direction, frame: type, bytes, sub, offset, n };
}
