/** What the network between a client and the gateway is like. */
export interface Path {
  /** Milliseconds one way, drawn for each send; what is sent later never arrives earlier. */
  delayMs(): number;
  /** Bytes that our kernel and the peer's take before a reader is needed. */
  readonly kernelBytes: number;
  /** How often this socket ignores that it is destroyed. */
  readonly stubborn: number;
}

/** The client's end of a connection. */
export interface ClientEnd {
  /** Text messages, in order. */
  frames(texts: readonly string[]): void;
  /** The connection is gone, as the client sees it. */
  closed(code: number): void;
  /** Whether what is below the page still answers pings and closing handshakes. */
  readonly answersPings: boolean;
  readonly answersCloses: boolean;
  /** Whether anybody takes bytes off the wire. */
  readonly reads: boolean;
}
