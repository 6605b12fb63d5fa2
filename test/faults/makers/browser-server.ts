import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { listenAnywhere } from '../../support/ports.ts';
import type { Remote } from '../kernel-table.ts';
import { tabPage } from './browser-tab.ts';

/** The site of one tab: its page, the built SDK, and the way on to the gateway. */
export interface TabServer extends AsyncDisposable {
  /** `http://127.0.0.1:…/`. */
  readonly url: string;
  /** Connections to the gateway as its kernel sees them. */
  remotes(): readonly Remote[];
  /** Pongs that have gone by on the way to the gateway. */
  pongs(): number;
}

const DIST = new URL('../../../dist/', import.meta.url);
const pageOf = ({ thread, label }: TabSite): string => `<!doctype html><meta charset="utf-8"><title>tab</title><link rel="icon" href="data:,">
<script type="module">
import * as sdk from '/client/index.js';
await (${tabPage})({ sdk, tell: globalThis.tell, thread: ${JSON.stringify(thread)}, label: ${JSON.stringify(label)} });
</script>`;

export interface TabSite {
  /** Of the gateway: `http://…`. */
  readonly gateway: string;
  readonly thread: string;
  readonly label: string;
  /** What the tab logs in with. */
  token(): Promise<string>;
}

export async function startTabServer(site: TabSite): Promise<TabServer> {
  const { hostname, port } = new URL(site.gateway);
  const onward = new Set<Socket>();
  let pongs = 0;
  const server = createServer((request, response) => {
    serve(request, response, site).catch((error: unknown) => {
      response.writeHead(404).end(String(error));
    });
  });
  server.on('upgrade', (request: IncomingMessage, near: Socket, head: Buffer) => {
    const far = connect(Number(port), hostname);
    onward.add(far);
    near.setNoDelay(true);
    far.setNoDelay(true);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      // Ends are passed on by 'close'.
      socket.on('error', () => {});
      socket.on('close', () => other.destroy());
    }
    far.on('close', () => onward.delete(far));
    const lines = [`${request.method} ${request.url} HTTP/1.1`];
    for (let i = 0; i < request.rawHeaders.length; i += 2) lines.push(`${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}`);
    far.write(`${lines.join('\r\n')}\r\n\r\n`);
    far.write(head);
    const isPong = frames();
    near.on('data', (chunk: Buffer) => {
      pongs += isPong(chunk);
      far.write(chunk);
    });
    far.on('data', (chunk: Buffer) => near.write(chunk));
  });
  return {
    url: `http://127.0.0.1:${await listenAnywhere(server)}/`,
    remotes: () => [...onward].flatMap(({ localAddress, localPort }) => (localAddress && localPort ? [{ address: localAddress, port: localPort }] : [])),
    pongs: () => pongs,
    async [Symbol.asyncDispose]() {
      for (const socket of onward) socket.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function serve(request: IncomingMessage, response: ServerResponse, site: TabSite): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://tab');
  const answer = (type: string, body: string): unknown =>
    response.writeHead(200, { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-store' }).end(body);
  if (pathname === '/') answer('text/html', pageOf(site));
  else if (pathname === '/token') answer('text/plain', await site.token());
  else answer('text/javascript', await readFile(new URL(`.${pathname}`, DIST), 'utf8'));
}

const PONG = 0x8a;

/** Counts the pongs among a client's frames, whose bytes come in any pieces. */
function frames(): (chunk: Buffer) => number {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    let found = 0;
    for (;;) {
      const short = (rest[1] ?? 0) & 0x7f;
      const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
      if (rest.length < 2 + lengthBytes) return found;
      const length = lengthBytes === 0 ? short : lengthBytes === 2 ? rest.readUInt16BE(2) : Number(rest.readBigUInt64BE(2));
      // What a client sends is masked by four bytes.
      const end = 2 + lengthBytes + 4 + length;
      if (rest.length < end) return found;
      if (rest[0] === PONG) found++;
      rest = rest.subarray(end);
    }
  };
}
