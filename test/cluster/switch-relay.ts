import { connect, createServer, type Socket } from 'node:net';
import { listenAnywhere } from '../support/ports.ts';

/** An address that stands for whichever server is the master, as a virtual IP or a proxy does it. */
export interface SwitchRelay extends AsyncDisposable {
  readonly port: number;
  /** Connections that are there end; new ones go to this port. */
  become(targetPort: number): void;
}

export async function switchRelay(first: number): Promise<SwitchRelay> {
  let target = first;
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(socket);
      socket.setNoDelay(true);
      socket.on('data', (chunk) => other.write(chunk));
      // Ends are passed on by 'close'.
      socket.on('error', () => {});
      socket.on('close', () => {
        open.delete(socket);
        other.destroy();
      });
    }
  });
  const port = await listenAnywhere(server);
  const cut = (): void => {
    for (const socket of open) socket.destroy();
  };
  return {
    port,
    become(next) {
      target = next;
      cut();
    },
    async [Symbol.asyncDispose]() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
