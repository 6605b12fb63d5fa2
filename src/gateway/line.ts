import { type Farewell, sayGoodbye } from '../managers/delivery/farewell.ts';
import type { Transport, TransportListener } from '../ports/transport.ts';
import { CLOSE, type CloseCode } from '../protocol/close-codes.ts';
import type { ClientFrame } from '../protocol/frames.ts';
import { type ParsedFrame, parseClientFrame } from '../protocol/parse.ts';
import { writeFrame } from '../protocol/write.ts';
import type { EarlyBytes } from './early-bytes.ts';

/** Frames kept before the seat is given. */
const KEPT_FRAMES = 32;
const KEPT_BYTES = 256 * 1024;

/** Who hears of a line once it is open. */
export interface LineOwner {
  frame(parsed: Exclude<ParsedFrame, { is: 'violation' }>): void;
  pong(nonce: Uint8Array): void;
  drained(): void;
}

/** Counts a frame. Milliseconds until more may come. */
export type CountFrame = () => { readonly is: 'ok' | 'over' | 'flood'; readonly leftMs: number };

/** Frames that act before the seat is given, too. */
const AT_ONCE = new Set<ClientFrame['type']>(['token', 'visibility', 'bye']);

/** One connection's inbound side, from its first byte: before the greeting one frame may come; until the seat is given frames are
 *  kept, in order, within bounds; then they reach the owner. */
export class Line implements TransportListener {
  readonly transport: Transport;
  /** Resolves when the socket is gone. */
  readonly gone: Promise<{ readonly code: number; readonly reason: string }>;
  #owner: LineOwner | null = null;
  #first: ((frame: ParsedFrame | null) => void) | null = null;
  #isFirst = true;
  #early: EarlyBytes | null;
  #kept: { readonly parsed: Exclude<ParsedFrame, { is: 'violation' }>; readonly bytes: number }[] = [];
  #keptBytes = 0;
  #isGone = false;
  #end = { code: 1006, reason: '' };
  #atOnce: ((frame: ClientFrame) => void) | null = null;
  /** Between log-in and seat; before and after others count. */
  #count: CountFrame | null = null;
  #onGone: (() => void)[] = [];
  #resolveGone: (how: { readonly code: number; readonly reason: string }) => void = () => {};

  constructor(transport: Transport, early: EarlyBytes) {
    this.transport = transport;
    this.#early = early;
    early.onExceeded(() => this.#violated(CLOSE.messageTooBig));
    this.gone = new Promise((resolve) => {
      this.#resolveGone = resolve;
    });
    transport.listen(this);
  }

  /** Calls `listener` when the socket is gone; at once if it is. Returns the undo: unlike a promise it keeps nothing of whoever no longer
   *  wants to know. */
  onGone(listener: () => void): () => void {
    if (this.#isGone) listener();
    else this.#onGone.push(listener);
    return () => {
      this.#onGone = this.#onGone.filter((other) => other !== listener);
    };
  }

  /** With what it ended; before that, 1006. */
  get end(): { readonly code: number; readonly reason: string } {
    return this.#end;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** The first frame; null if the connection ended before it. */
  first(): Promise<ParsedFrame | null> {
    return new Promise((resolve) => {
      if (this.#isGone) resolve(null);
      else this.#first = resolve;
    });
  }

  /** The credential is good: the small bounds end, and what comes from here on is counted. `atOnce` hears of frames that act at once, also
   *  of those that came before. */
  verified(atOnce: (frame: ClientFrame) => void, count: CountFrame): void {
    this.#early?.lift();
    this.#early = null;
    this.#atOnce = atOnce;
    this.#count = count;
    const kept = this.#kept;
    this.#kept = [];
    this.#keptBytes = 0;
    for (const { parsed, bytes } of kept) this.#keep(parsed, bytes);
  }

  /** The seat is given: what was kept reaches the owner now, in order. */
  open(owner: LineOwner): void {
    this.#owner = owner;
    // From here on its owner hears of every frame.
    this.#atOnce = null;
    this.#count = null;
    const kept = this.#kept;
    this.#kept = [];
    for (const { parsed } of kept) owner.frame(parsed);
  }

  part(f: Farewell): void {
    sayGoodbye(this.transport, f);
  }

  // ---- transport

  message(text: string): void {
    const parsed = parseClientFrame(text);
    if (this.#isFirst) {
      this.#isFirst = false;
      this.#first?.(parsed);
      this.#first = null;
      return;
    }
    if (parsed.is === 'violation') {
      this.#violated(parsed.close, parsed.detail);
      return;
    }
    if (this.#owner) this.#owner.frame(parsed);
    else if (this.#isWithinRate(parsed)) this.#keep(parsed, Buffer.byteLength(text));
  }

  /** Of what comes too fast each frame is answered, so there has to be an end to it: answers that nobody reads are kept. */
  #isWithinRate(parsed: Exclude<ParsedFrame, { is: 'violation' }>): boolean {
    const counted = this.#count?.() ?? null;
    if (counted === null || counted.is === 'ok') return true;
    if (counted.is === 'flood') this.part({ close: CLOSE.rateLimited, detail: 'Too many frames.', retryAfterMs: counted.leftMs });
    else this.#refuse(parsed, 'Too many frames in ten seconds; this one was not processed.', counted.leftMs);
    return false;
  }

  #keep(parsed: Exclude<ParsedFrame, { is: 'violation' }>, bytes: number): void {
    if (parsed.is === 'unknown') return;
    if (parsed.is === 'frame') {
      if (parsed.frame.type === 'hello') {
        this.#violated(CLOSE.protocolError, 'A second `hello` came.');
        return;
      }
      if (AT_ONCE.has(parsed.frame.type) && this.#atOnce) {
        this.#atOnce(parsed.frame);
        return;
      }
    }
    if (this.#kept.length >= KEPT_FRAMES || this.#keptBytes + bytes > KEPT_BYTES) {
      this.#refuse(parsed, 'Too much was sent before this connection had its seat; this was not processed.');
      return;
    }
    this.#kept.push({ parsed, bytes });
    this.#keptBytes += bytes;
  }

  #refuse(parsed: Exclude<ParsedFrame, { is: 'violation' }>, message: string, retryAfterMs?: number): void {
    if (parsed.is === 'unknown') return;
    const ref = parsed.is === 'refused' ? parsed.ref : { type: parsed.frame.type, ...('id' in parsed.frame ? { id: parsed.frame.id } : {}) };
    const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
    this.transport.send([writeFrame({ type: 'error', code: 'rate-limited', message, retryable: true, ...wait, ref })]);
  }

  binary(): void {
    this.#violated(CLOSE.protocolError, 'A binary message came; frames are text.');
  }

  #violated(close: CloseCode, detail?: string): void {
    this.part({ close, detail, resumable: false });
  }

  pong(nonce: Uint8Array): void {
    this.#owner?.pong(nonce);
  }

  drained(): void {
    this.#owner?.drained();
  }

  closed(code: number, reason: string): void {
    this.#isGone = true;
    this.#first?.(null);
    this.#first = null;
    this.#end = { code, reason };
    this.#resolveGone(this.#end);
    for (const listener of this.#onGone.splice(0)) listener();
  }
}
