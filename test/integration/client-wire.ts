/** A piece of network between a client and a gateway that the test can cut. */

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface Wire extends AsyncDisposable {
  /** Address of the gateway as seen through this wire. */
  readonly url: string;
  /** How many connections were made through it. */
  readonly connections: number;
  /** Ends what is open, in both directions, without a word. */
  cut(): void;
  /** While true nothing new gets through either. */
  isDown: boolean;
  /** Cuts the connection after this many bytes from the gateway; null: never. */
  cutAfterBytes: number | null;
}

export async function wireTo(target: string): Promise<Wire> {
  const { hostname, port, pathname } = new URL(target);
  const open = new Set<Socket>();
  let connections = 0;
  const server = createServer((near) => {
    if (wire.isDown) {
      near.destroy();
      return;
    }
    connections += 1;
    const far = connect(Number(port), hostname);
    const budget = wire.cutAfterBytes;
    let passed = 0;
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(socket);
      // A cut wire reports errors on both ends; that is its purpose.
      socket.on('error', () => {});
      socket.on('close', () => {
        open.delete(socket);
        other.destroy();
      });
    }
    near.pipe(far);
    far.on('data', (data) => {
      passed += data.length;
      if (budget === null || passed < budget) near.write(data);
      // What arrives is a prefix: the cut may go through the middle of a frame.
      else near.write(data.subarray(0, data.length - (passed - budget)), () => near.destroy());
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const wire: Wire = {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}`,
    get connections() {
      return connections;
    },
    cut() {
      for (const socket of open) socket.destroy();
    },
    isDown: false,
    cutAfterBytes: null,
    async [Symbol.asyncDispose]() {
      wire.cut();
      server.close();
      await once(server, 'close');
    },
  };
  return wire;
}
