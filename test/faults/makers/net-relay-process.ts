// A relay beside one client, in the client's network. Says its port as a JSON line. On the line `stop` it reads nothing more of what comes
// from afar and lets nobody else in, while what the client sends goes on; on `go` all is as before.
import { connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { listenAnywhere } from '../../support/ports.ts';

const [host = '', port = '0'] = process.argv.slice(2);
/** What stays unread stays in the kernel. */
const to = { host, port: Number(port), highWaterMark: 1_024 };
const upstreams = new Set<Socket>();
let isStopped = false;

const server = createServer((client) => {
  if (isStopped) {
    client.destroy();
    return;
  }
  const upstream = connect(to);
  upstreams.add(upstream);
  for (const [socket, other] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    socket.setNoDelay(true);
    // An end is told by 'close'.
    socket.on('error', () => {});
    socket.on('close', () => other.destroy());
  }
  upstream.on('close', () => upstreams.delete(upstream));
  client.on('data', (chunk) => upstream.write(chunk));
  upstream.on('data', (chunk) => client.write(chunk));
});

process.stdout.write(`${JSON.stringify({ port: await listenAnywhere(server) })}\n`);
for await (const line of createInterface(process.stdin)) {
  isStopped = line === 'stop';
  for (const upstream of upstreams) isStopped ? upstream.pause() : upstream.resume();
}
process.exit(0);
