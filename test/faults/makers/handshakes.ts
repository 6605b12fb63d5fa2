import { connect, type Socket } from 'node:net';
import { WireClient } from '../../support/wire-client.ts';
import type { MakeOptions, Subject } from '../row.ts';
import { portOf, wsUrlOf } from './hosted.ts';

/** A peer that never says who it is: it has neither a manager nor anything to lose. */
function stranger(o: MakeOptions, own: Pick<Subject, 'sockets' | 'breaks' | 'proof'> & AsyncDisposable): Subject {
  return { user: o.user, thread: o.thread, manager: () => null, file: null, heals: async () => {}, ...own };
}

/** What it says of itself at the beginning, and then byte by byte for ever. */
const BEGINNING = 'GET /v1/ws HTTP/1.1\r\nHost: gateway\r\nX-Slow: ';
const BYTE_EVERY_MS = 1_000;

/** Dials at once when the fault is due: from then on the time of its handshake runs. */
async function rawPeer(o: MakeOptions, begin: (socket: Socket) => NodeJS.Timeout | undefined): Promise<Subject> {
  let socket: Socket | null = null;
  let timer: NodeJS.Timeout | undefined;
  return stranger(o, {
    sockets: () => (socket === null ? [] : [{ address: '127.0.0.1', port: socket.localPort ?? 0 }]),
    async breaks() {
      const dialled = connect(portOf(o.target.url), '127.0.0.1');
      socket = dialled;
      await new Promise<void>((resolve, reject) => dialled.once('connect', resolve).once('error', reject));
      // It is closed from the other side; what an error says comes with that.
      dialled.on('error', () => {});
      dialled.resume();
      timer = begin(dialled);
      dialled.once('close', () => clearInterval(timer));
    },
    proof: async () => (socket === null ? 'it never connected' : null),
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      socket?.destroy();
    },
  });
}

/** F09a: a header that never ends. */
export const slowloris = (o: MakeOptions): Promise<Subject> =>
  rawPeer(o, (socket) => {
    socket.write(BEGINNING);
    return setInterval(() => socket.write('x'), BYTE_EVERY_MS / o.target.times.divisor);
  });

/** F09b: connected, and not a byte. */
export const silent = (o: MakeOptions): Promise<Subject> => rawPeer(o, () => undefined);

/** F09c: a WebSocket that answers pings and never says hello. */
export async function nameless(o: MakeOptions): Promise<Subject> {
  let wire: WireClient | null = null;
  return stranger(o, {
    sockets: () => (wire === null ? [] : [{ address: '127.0.0.1', port: wire.localPort }]),
    async breaks() {
      wire = await WireClient.open(wsUrlOf(o.target.url));
    },
    proof: async () => (wire === null ? 'it never connected' : null),
    async [Symbol.asyncDispose]() {
      await wire?.[Symbol.asyncDispose]();
    },
  });
}
