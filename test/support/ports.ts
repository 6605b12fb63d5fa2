import type { AddressInfo, Server } from 'node:net';

/** Listens on a port of 127.0.0.1 that nobody else has, and says which. */
export async function listenAnywhere(server: Pick<Server, 'listen' | 'once' | 'off' | 'address'>): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
  return (server.address() as AddressInfo).port;
}
