import { connect, createServer, type Socket } from 'node:net';
import { listenAnywhere } from '../ports.ts';

/** A TCP relay for any number of clients that keeps every goodbye to itself: a client's close frames, its FIN and its reset never reach the
 *  gateway. Whatever else the client says does. */
export interface CloseSwallowingRelay extends AsyncDisposable {
  readonly port: number;
  /** Close frames kept so far. */
  readonly swallowed: () => number;
}

const CLOSE_OPCODE = 8;

export async function closeSwallowingRelay(targetPort: number): Promise<CloseSwallowingRelay> {
  let swallowed = 0;
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      // Ends are told by 'close', or kept on purpose.
      socket.on('error', () => {});
      socket.once('close', () => sockets.delete(socket));
    }
    const withoutCloses = frameFilter(() => {
      swallowed++;
    });
    client.on('data', (chunk) => {
      for (const part of withoutCloses(chunk)) upstream.write(part);
    });
    upstream.on('data', (chunk) => client.write(chunk));
    // Only the gateway ends a connection here.
    upstream.once('end', () => client.end());
    upstream.once('close', () => client.destroy());
  });
  const port = await listenAnywhere(server);
  return {
    port,
    swallowed: () => swallowed,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Passes the upgrade request and whole WebSocket frames on, but no close frame. */
function frameFilter(onClose: () => void): (chunk: Buffer) => readonly Buffer[] {
  let held = Buffer.alloc(0);
  let isUpgraded = false;
  return (chunk) => {
    held = Buffer.concat([held, chunk]);
    const parts: Buffer[] = [];
    for (;;) {
      const length = isUpgraded ? frameLength(held) : held.indexOf('\r\n\r\n') + 4;
      if (length < (isUpgraded ? 1 : 4) || held.length < length) return parts;
      const part = held.subarray(0, length);
      held = held.subarray(length);
      if (isUpgraded && ((part[0] ?? 0) & 0x0f) === CLOSE_OPCODE) onClose();
      else parts.push(part);
      isUpgraded = true;
    }
  };
}

/** Length of the client's frame at the start of `bytes`, its header included; 0 while too little of it is there. */
function frameLength(bytes: Buffer): number {
  if (bytes.length < 2) return 0;
  const short = (bytes[1] ?? 0) & 0x7f;
  const header = short === 126 ? 4 : short === 127 ? 10 : 2;
  if (bytes.length < header) return 0;
  const payload = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
  const MASK_BYTES = 4;
  return header + MASK_BYTES + payload;
}
