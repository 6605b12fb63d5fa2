import type { Duplex } from 'node:stream';

/** All that may be sent before the credential is verified, framing included. */
const UNVERIFIED_BYTES = 64 * 1024;
/** What a peer that has sent too much may go on sending unheard, so that it can still read why it was ended. */
const UNHEARD_BYTES = 1024 * 1024;

/** What a peer sends before it is known, counted as it arrives: of a frame that never ends a WebSocket library tells nobody, and keeps
 *  it. */
export class EarlyBytes {
  readonly #socket: Duplex;
  #bytes = 0;
  #exceeded: () => void = () => {};

  /** `socket` is the one that the `upgrade` listener was given; it must have its other listeners already. */
  constructor(socket: Duplex) {
    this.#socket = socket;
    socket.on('data', this.#count);
  }

  /** `listener` is called once if too much comes. From then on nothing of this peer is kept or heard. */
  onExceeded(listener: () => void): void {
    this.#exceeded = listener;
  }

  /** The peer is known: nothing is counted any more. */
  lift(): void {
    this.#socket.off('data', this.#count);
  }

  readonly #count = (chunk: Buffer): void => {
    this.#bytes += chunk.length;
    if (this.#bytes <= UNVERIFIED_BYTES) return;
    this.#socket.removeAllListeners('data');
    this.#socket.on('data', this.#throwAway);
    this.#bytes = 0;
    this.#exceeded();
  };

  readonly #throwAway = (chunk: Buffer): void => {
    this.#bytes += chunk.length;
    if (this.#bytes > UNHEARD_BYTES) this.#socket.destroy();
  };
}
