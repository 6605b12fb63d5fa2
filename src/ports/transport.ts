/** Bytes to one peer. A transport decides nothing: it takes text, says what is still unsent, and ends. */
export interface Transport {
  /** How far the peer's application can be judged on this wire: `acking` clients acknowledge what they applied. */
  readonly class: 'acking' | 'unverifiable';
  /** Hands over text messages, in order, as one write to the kernel. Never throws; after `end` or `terminate` it does nothing. */
  send(messages: readonly string[]): void;
  /** Bytes handed over and not yet taken by the kernel. */
  readonly unsentBytes: number;
  /** Sends a protocol ping that carries `nonce` (8 bytes). */
  ping(nonce: Uint8Array): void;
  /** Stops and resumes reading from the peer. */
  pause(): void;
  resume(): void;
  /** Starts the closing handshake. Nothing waits for its end. */
  end(code: number, reason: string): void;
  /** Destroys the connection at once. */
  terminate(): void;
  /** Sets who hears of this transport; the last call wins. */
  listen(listener: TransportListener | null): void;
  /** What is known of the peer, for "Your sessions". */
  readonly peer: { readonly address: string; readonly userAgent: string };
}

export interface TransportListener {
  /** A text message. */
  message(text: string): void;
  /** A binary message, or one that is no UTF-8. */
  binary(): void;
  /** The pong of `nonce`. */
  pong(nonce: Uint8Array): void;
  /** The kernel has taken everything, after a time in which `unsentBytes` was above 0. */
  drained(): void;
  /** The socket is gone. Called exactly once, whoever ended it. With what it was ended by us, else by the peer; 1006 where neither said. */
  closed(code: number, reason: string): void;
}
