import diagnostics from 'node:diagnostics_channel';
import type { WebSocketConstructor } from '../../../src/client/index.ts';

export interface LocalAddress {
  readonly address: string;
  readonly port: number;
}

export interface SocketLog {
  /** A transport is open, from this address of ours. */
  opened(from: LocalAddress): void;
  /** An event frame has arrived and nobody has seen it yet. `acknowledge` sends its ack now. */
  event(first: number, offset: number, acknowledge: () => void): void;
  /** An `ack` is about to be sent. */
  ack(sub: number, offset: number): void;
}

/** What the platform publishes when one of its WebSockets is open. */
const OPENED = 'undici:websocket:open';

/** The platform's own `WebSocket`, or another like it, which tells what passes through it. */
export function loggingWebSocket(log: SocketLog, Base: typeof WebSocket = WebSocket): WebSocketConstructor {
  return class extends Base {
    constructor(url: string, protocols?: string | string[]) {
      super(url, protocols);
      const opened = (message: unknown): void => {
        const { websocket, address } = message as { readonly websocket: WebSocket; readonly address: LocalAddress };
        if (websocket !== this) return;
        diagnostics.unsubscribe(OPENED, opened);
        log.opened({ address: address.address, port: address.port });
      };
      // It is published behind the `open` event.
      diagnostics.subscribe(OPENED, opened);
      this.addEventListener('close', () => diagnostics.unsubscribe(OPENED, opened));
      this.addEventListener('message', ({ data }: MessageEvent) => {
        const frame = JSON.parse(String(data)) as { readonly type: string; readonly sub: number; readonly from?: number; readonly offset: number };
        if (frame.type !== 'event') return;
        log.event(frame.from ?? frame.offset, frame.offset, () => this.send(JSON.stringify({ type: 'ack', sub: frame.sub, offset: frame.offset })));
      });
    }

    override send(data: Parameters<WebSocket['send']>[0]): void {
      if (typeof data === 'string' && data.startsWith('{"type":"ack"')) {
        const { sub, offset } = JSON.parse(data) as { readonly sub: number; readonly offset: number };
        log.ack(sub, offset);
      }
      super.send(data);
    }
  };
}
