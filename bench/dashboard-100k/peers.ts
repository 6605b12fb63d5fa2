import type { Transport, TransportListener } from '../../src/ports/transport.ts';

/** A client in this very process: answers every ping and every probe in the next turn of the event loop, as a page that works does, and
 *  has no socket. */
export class InProcessPeer implements Transport {
  readonly class = 'acking';
  readonly unsentBytes = 0;
  readonly peer = { address: '127.0.0.1', userAgent: 'in-process' };
  #listener: TransportListener | null = null;

  send(messages: readonly string[]): void {
    for (const message of messages) {
      if (!message.startsWith('{"type":"probe"')) continue;
      const { n } = JSON.parse(message) as { readonly n: number };
      setImmediate(() => this.#listener?.message(`{"type":"probe-ok","n":${n}}`));
    }
  }

  ping(nonce: Uint8Array): void {
    setImmediate(() => this.#listener?.pong(nonce));
  }

  listen(listener: TransportListener | null): void {
    this.#listener = listener;
  }

  pause(): void {}
  resume(): void {}

  end(code: number, reason: string): void {
    const listener = this.#listener;
    this.#listener = null;
    setImmediate(() => listener?.closed(code, reason));
  }

  terminate(): void {
    this.end(1006, '');
  }
}
