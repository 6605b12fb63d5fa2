import type { Transport, TransportListener } from '../../src/ports/transport.ts';
import type { ClientEnd, Path } from './network.ts';
import type { VirtualClock } from './virtual-clock.ts';

type Down =
  | { readonly is: 'texts'; readonly texts: readonly string[]; readonly bytes: number }
  | { readonly is: 'ping'; readonly nonce: Uint8Array; readonly bytes: number }
  | { readonly is: 'close'; readonly code: number; readonly bytes: number };
type Up =
  | { readonly is: 'text'; readonly text: string }
  | { readonly is: 'pong'; readonly nonce: Uint8Array }
  | { readonly is: 'close'; readonly code: number };

const ABNORMAL = 1006;
/** As the WebSocket library behind the real transport: a closing handshake that nobody answers ends after this time. */
const CLOSE_TIMEOUT_MS = 30_000;
const FRAME_BYTES = 6;

/** One WebSocket over a simulated TCP connection: delay without reordering, silence without an end, a window that fills, resets. */
export class VirtualConnection implements Transport {
  readonly class = 'acking';
  readonly peer = { address: '192.0.2.1', userAgent: 'simulated' };
  readonly #clock: VirtualClock;
  readonly #path: Path;
  readonly #client: ClientEnd;
  #listener: TransportListener | null = null;
  #ended = false;
  #gone = false;
  #told = false;
  #gatewayDead = false;
  #clientGone = false;
  #paused = false;
  #silent = false;
  #stubborn: number;
  #cancelTimeout: () => void = () => {};
  /** Handed over by the process, not yet taken by the kernel. */
  #unsent: Down[] = [];
  #unsentBytes = 0;
  /** Texts were handed over, and the process has not heard since that all are taken. */
  #wasStuck = false;
  /** Taken by the kernel, not yet by the peer; freed at the instants given, or not at all while nobody reads. */
  #kernelBytes = 0;
  readonly #flying: { readonly freeAt: number; readonly bytes: number }[] = [];
  #lastDownAt = 0;
  #lastUpAt = 0;
  /** Arrived at a host that does not read, or on its way on a silent path. */
  #heldDown: Down[] = [];
  #heldUp: Up[] = [];
  #unread: Up[] = [];

  /** Called when the gateway's socket is really gone. */
  onGone: () => void = () => {};

  constructor(clock: VirtualClock, path: Path, client: ClientEnd) {
    this.#clock = clock;
    this.#path = path;
    this.#client = client;
    this.#stubborn = path.stubborn;
  }

  /** The gateway's socket is closed. */
  get isGone(): boolean {
    return this.#gone;
  }
  /** The gateway ended or terminated it, or it is gone. */
  get isEnded(): boolean {
    return this.#ended;
  }
  get isSilent(): boolean {
    return this.#silent;
  }

  // ---- the gateway's end

  send(messages: readonly string[]): void {
    if (this.#ended || messages.length === 0) return;
    let bytes = 0;
    for (const message of messages) bytes += message.length + FRAME_BYTES;
    this.#wasStuck = true;
    this.#hand({ is: 'texts', texts: messages, bytes });
  }

  /** Always in a later step than the send, as a callback of a write is. */
  #tellDrained(): void {
    this.#clock.arrive(this.#clock.now, () => {
      if (!this.#ended && this.#unsent.length === 0) this.#listener?.drained();
    });
  }

  get unsentBytes(): number {
    return this.#gone ? 0 : this.#unsentBytes;
  }

  ping(nonce: Uint8Array): void {
    if (!this.#ended) this.#hand({ is: 'ping', nonce, bytes: nonce.length + FRAME_BYTES });
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    for (const up of this.#unread.splice(0)) this.#read(up);
  }

  end(code: number, _reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#paused = false;
    this.#hand({ is: 'close', code, bytes: FRAME_BYTES });
    this.#cancelTimeout = this.#clock.after(CLOSE_TIMEOUT_MS, () => this.terminate());
  }

  terminate(): void {
    this.#ended = true;
    if (this.#gone || this.#gatewayDead) return;
    if (this.#stubborn > 0) {
      this.#stubborn--;
      return;
    }
    this.#vanish(ABNORMAL);
    this.#resetClient();
  }

  listen(listener: TransportListener | null): void {
    this.#listener = listener;
    if (listener === null) return;
    if (this.#gone) queueMicrotask(() => this.#tellClosed(ABNORMAL));
    else for (const up of this.#unread.splice(0)) this.#read(up);
  }

  /** The process that had this end has died. */
  die(): void {
    this.#gatewayDead = true;
    this.#ended = true;
    this.#listener = null;
    this.#cancelTimeout();
    this.#resetClient();
  }

  #vanish(code: number): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#ended = true;
    this.#cancelTimeout();
    // The event comes in a later step, as that of a socket does.
    this.#clock.arrive(this.#clock.now, () => {
      if (!this.#gatewayDead) this.onGone();
      this.#tellClosed(code);
    });
  }

  #tellClosed(code: number): void {
    if (this.#told || this.#listener === null) return;
    this.#told = true;
    this.#listener.closed(code, '');
  }

  // ---- down: gateway to client

  #hand(down: Down): void {
    this.#unsent.push(down);
    this.#unsentBytes += down.bytes;
    this.#pump();
  }

  #pump(): void {
    this.#free();
    while (this.#unsent.length > 0 && (this.#kernelBytes === 0 || this.#kernelBytes < this.#path.kernelBytes)) {
      const next = this.#unsent.shift() as Down;
      this.#unsentBytes -= next.bytes;
      this.#kernelBytes += next.bytes;
      const at = Math.max(this.#lastDownAt, this.#clock.now + this.#path.delayMs());
      this.#lastDownAt = at;
      this.#clock.world(at - this.#clock.now, () => this.#reach(next));
    }
    if (this.#unsent.length > 0 || !this.#wasStuck) return;
    this.#wasStuck = false;
    this.#tellDrained();
  }

  #free(): void {
    const now = this.#clock.now;
    while (this.#flying.length > 0 && (this.#flying[0] as { freeAt: number }).freeAt <= now)
      this.#kernelBytes -= (this.#flying.shift() as { bytes: number }).bytes;
  }

  /** It has come to the client's host. */
  #reach(down: Down): void {
    if (this.#clientGone) return;
    if (this.#silent || !this.#client.reads || this.#heldDown.length > 0) {
      this.#heldDown.push(down);
      return;
    }
    const backMs = this.#path.delayMs();
    this.#flying.push({ freeAt: this.#clock.now + backMs, bytes: down.bytes });
    if (this.#unsent.length > 0) this.#clock.world(backMs, () => this.#refill());
    if (down.is === 'texts') this.#client.frames(down.texts);
    else if (down.is === 'ping') {
      if (this.#client.answersPings) this.#rise({ is: 'pong', nonce: down.nonce });
    } else if (this.#client.answersCloses) {
      this.#rise({ is: 'close', code: down.code });
      this.#leaveClient(down.code);
    }
  }

  /** The kernel takes more, and the process hears of it. */
  #refill(): void {
    if (this.#gone || this.#unsent.length === 0) return;
    this.#pump();
    if (this.#unsent.length > 0 && this.#flying.length > 0) this.#clock.world(this.#path.delayMs(), () => this.#refill());
  }

  // ---- up: client to gateway

  clientSend(text: string): void {
    if (!this.#clientGone) this.#rise({ is: 'text', text });
  }

  /** The client closes in good order. */
  clientClose(code: number): void {
    if (this.#clientGone) return;
    this.#rise({ is: 'close', code });
    this.#leaveClient(code);
  }

  /** The client's process ends, or its network card goes: the gateway hears of it unless the path is silent. */
  clientReset(): void {
    if (this.#clientGone) return;
    this.#rise({ is: 'close', code: ABNORMAL });
    this.#leaveClient(ABNORMAL);
  }

  #rise(up: Up): void {
    const at = Math.max(this.#lastUpAt, this.#clock.now + this.#path.delayMs());
    this.#lastUpAt = at;
    this.#clock.arrive(at, () => this.#come(up));
  }

  #come(up: Up): void {
    if (this.#gone || this.#gatewayDead) return;
    if (this.#silent) this.#heldUp.push(up);
    else if (up.is === 'close') this.#vanish(up.code);
    else if (this.#paused || this.#listener === null) this.#unread.push(up);
    else this.#read(up);
  }

  #read(up: Up): void {
    if (this.#ended) return;
    if (up.is === 'text') this.#listener?.message(up.text);
    else if (up.is === 'pong') this.#listener?.pong(up.nonce);
  }

  #leaveClient(code: number): void {
    if (this.#clientGone) return;
    this.#clientGone = true;
    this.#client.closed(code);
  }

  #resetClient(): void {
    const after = Math.max(this.#lastDownAt - this.#clock.now, this.#path.delayMs());
    this.#clock.world(after, () => {
      if (!this.#silent) this.#leaveClient(ABNORMAL);
    });
  }

  // ---- faults

  /** Packets vanish both ways; nobody is told. */
  silence(): void {
    this.#silent = true;
  }

  /** What was lost is sent again and arrives. */
  speak(): void {
    if (!this.#silent) return;
    this.#silent = false;
    if (this.#gone || this.#gatewayDead) {
      this.#resetClient();
      return;
    }
    for (const up of this.#heldUp.splice(0)) this.#rise(up);
    this.window();
  }

  /** The client's host reads again, or the path is back: what waited there goes on. */
  window(): void {
    if (this.#silent || !this.#client.reads) return;
    for (const down of this.#heldDown.splice(0)) this.#reach(down);
    if (this.#unsent.length > 0) this.#clock.world(this.#path.delayMs(), () => this.#refill());
  }
}
