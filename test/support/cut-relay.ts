import { connect, createServer, type Socket } from 'node:net';
import { listenAnywhere } from './ports.ts';

/** A TCP relay that cuts both sides when a given number of bytes has passed towards the client. */
export interface CutRelay extends AsyncDisposable {
  readonly port: number;
}

/** `cuts`: bytes towards the client after which the first, second, … connection is cut; connections beyond them are whole. */
export async function cutRelay(targetPort: number, cuts: readonly number[]): Promise<CutRelay> {
  let next = 0;
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const cutAfter = cuts[next++];
    const upstream = connect(targetPort, '127.0.0.1');
    let passed = 0;
    const end = (): void => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      open.add(socket);
      // A cut is the purpose; whoever notices it is the client under test.
      socket.on('error', end);
      socket.on('close', () => {
        open.delete(socket);
        end();
      });
    }
    client.on('data', (chunk) => upstream.write(chunk));
    upstream.on('data', (chunk) => {
      if (cutAfter === undefined || passed + chunk.length < cutAfter) {
        passed += chunk.length;
        client.write(chunk);
        return;
      }
      client.write(chunk.subarray(0, cutAfter - passed), end);
    });
  });
  const port = await listenAnywhere(server);
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
