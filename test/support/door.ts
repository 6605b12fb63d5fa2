import { connect, createServer, type Socket } from 'node:net';
import { listenAnywhere } from './ports.ts';

/** The one address that clients know, as a load balancer in front of nodes is: each new connection goes to the node of the moment. */
export interface Door extends AsyncDisposable {
  /** `http://127.0.0.1:…`. */
  readonly url: string;
  readonly wsUrl: string;
  /** From now on new connections go there; those that are open stay where they are. */
  to(target: { readonly port: number }): void;
}

export async function openDoor(first: { readonly port: number }): Promise<Door> {
  let target = first;
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(target.port, '127.0.0.1');
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(socket);
      // Ends are passed on by 'close'.
      socket.on('error', () => {});
      socket.on('close', () => {
        open.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  const port = await listenAnywhere(server);
  return {
    url: `http://127.0.0.1:${port}`,
    wsUrl: `ws://127.0.0.1:${port}/v1/ws`,
    to(next) {
      target = next;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
