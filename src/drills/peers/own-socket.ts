import { connect, type TcpNetConnectOpts } from 'node:net';
import { WebSocket } from 'ws';

/** What is not read is to stay in the kernel: a socket that is paused takes no more than this on its own. */
const READ_AHEAD_BYTES = 1;

/** A socket of this process. */
export class OwnSocket extends WebSocket {
  /** On this side; 0 before it is connected. */
  port = 0;

  constructor(url: string, protocols?: string | string[]) {
    super(url, protocols, { perMessageDeflate: false, ...(url.startsWith('ws:') ? { createConnection } : {}) });
    this.once('upgrade', ({ socket }) => {
      this.port = socket.localPort ?? 0;
    });
  }

  /** The class whose sockets are in `kept` as long as they are open. */
  static keptIn(kept: Set<OwnSocket>): typeof OwnSocket {
    return class extends OwnSocket {
      constructor(url: string, protocols?: string | string[]) {
        super(url, protocols);
        kept.add(this);
        this.once('close', () => kept.delete(this));
      }
    };
  }
}

/** What the library would do, with another bound. It passes no other form than this one. */
const createConnection = ((options: TcpNetConnectOpts) =>
  connect({ host: options.host ?? 'localhost', port: options.port, highWaterMark: READ_AHEAD_BYTES } as TcpNetConnectOpts)) as typeof connect;
