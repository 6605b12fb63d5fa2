import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Transport, TransportListener } from '../ports/transport.ts';
import { framesOf } from './frames.ts';

/** A WebSocket of `ws` as a transport. `raw` is the socket that the `upgrade` listener was given: with it, several messages
 *  leave in one write. Nothing is read from the peer before the first `listen`; after `end` and `terminate` nothing of it is
 *  handed on any more. */
export function webSocketTransport(socket: WebSocket, peer: Transport['peer'], raw?: Duplex): Transport {
  return new WebSocketTransport(socket, peer, raw ?? null);
}

/** What a socket that vanished without a closing handshake shows. */
const ABNORMAL = 1006;
/** `readyState` of a WebSocket that takes messages. */
const OPEN = 1;

class WebSocketTransport implements Transport {
  readonly class = 'acking';
  readonly peer: Transport['peer'];
  readonly #socket: WebSocket;
  readonly #raw: Duplex | null;
  #listener: TransportListener | null = null;
  /** Set once, by whichever side ended it first. */
  #ended = false;
  #reading = false;
  /** What we closed it with, whatever comes back. */
  #said: { readonly code: number; readonly reason: string } | null = null;
  #gone: { readonly code: number; readonly reason: string } | null = null;
  #told = false;
  /** The kernel has not taken all of the last write yet. */
  #isStuck = false;

  constructor(socket: WebSocket, peer: Transport['peer'], raw: Duplex | null) {
    this.#socket = socket;
    this.#raw = raw;
    this.peer = peer;
    if (socket.readyState > 1) this.#onClose(ABNORMAL, '');
    socket.pause();
    socket.on('message', (data, isBinary) => this.#onMessage(data, isBinary));
    socket.on('pong', (nonce) => {
      if (!this.#ended) this.#listener?.pong(nonce);
    });
    socket.once('close', (code, reason) => this.#onClose(code, reason.toString()));
    // Every error of a socket is followed by its 'close', which carries what there is to tell.
    socket.on('error', () => {});
    raw?.on('error', () => {});
  }

  send(messages: readonly string[]): void {
    // After a close frame, ours or the peer's, nothing may follow.
    if (this.#ended || messages.length === 0 || this.#socket.readyState !== OPEN) return;
    const raw = this.#raw;
    if (raw === null) {
      const last = messages.length - 1;
      for (let i = 0; i < last; i++) this.#socket.send(messages[i] as string);
      this.#socket.send(messages[last] as string, this.#onWritten);
    } else {
      // Past `ws`, which writes each header and each payload by itself. Its own frames (pings, pongs, the close) go to the same socket
      // at once, so that the order stays.
      const frames = framesOf(messages);
      if (typeof frames === 'string') raw.write(frames, 'latin1', this.#onWritten);
      else raw.write(frames, this.#onWritten);
    }
    this.#isStuck = this.unsentBytes > 0;
  }

  get unsentBytes(): number {
    if (this.#gone !== null) return 0;
    return this.#raw === null ? this.#socket.bufferedAmount : this.#raw.writableLength;
  }

  ping(nonce: Uint8Array): void {
    if (this.#ended) return;
    this.#socket.ping(nonce, undefined, this.#onWritten);
    this.#isStuck = this.unsentBytes > 0;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(code: number, reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#said = { code, reason };
    this.#socket.close(code, reason);
    // The peer's close frame can only be seen while reading.
    this.#socket.resume();
  }

  terminate(): void {
    this.#ended = true;
    this.#socket.terminate();
  }

  listen(listener: TransportListener | null): void {
    this.#listener = listener;
    if (listener === null) return;
    if (this.#gone !== null) queueMicrotask(() => this.#tellClosed());
    else if (!this.#reading) {
      this.#reading = true;
      this.#socket.resume();
    }
  }

  #onMessage(data: WebSocket.RawData, isBinary: boolean): void {
    if (this.#ended) return;
    if (isBinary) this.#listener?.binary();
    else this.#listener?.message(data.toString());
  }

  /** An arrow, so that one function serves every send. It is called with an error too: then 'close' follows. */
  readonly #onWritten = (error?: Error | null): void => {
    if (!this.#isStuck || error != null || this.#ended || this.unsentBytes > 0) return;
    this.#isStuck = false;
    this.#listener?.drained();
  };

  #onClose(code: number, reason: string): void {
    this.#ended = true;
    this.#gone = this.#said ?? { code, reason };
    this.#tellClosed();
  }

  #tellClosed(): void {
    if (this.#gone === null || this.#told || this.#listener === null) return;
    this.#told = true;
    this.#listener.closed(this.#gone.code, this.#gone.reason);
  }
}
