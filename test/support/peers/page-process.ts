// Pages whose sockets live in another thread than they do, as in a browser: protocol pings are answered below the page. This thread has
// the sockets, each page is a worker. Is told what to do, and says what happens, in JSON lines that name a page by its number. On
// `freeze` a page's own thread blocks for good.
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';
import { WebSocket } from 'ws';

interface Told {
  readonly client: number;
  readonly open?: { readonly url: string; readonly token: string; readonly thread: string };
  readonly freeze?: true;
}

const pages = new Map<number, Worker>();

function open(number: number, { url, token, thread }: NonNullable<Told['open']>): void {
  const say = (line: object): void => void process.stdout.write(`${JSON.stringify({ client: number, ...line })}\n`);
  const ticks = new Int32Array(new SharedArrayBuffer(4));
  const page = new Worker(new URL('./page.ts', import.meta.url), { workerData: { token, thread, ticks } });
  pages.set(number, page);
  const socket = new WebSocket(url, ['spillway.v1'], { perMessageDeflate: false });
  let port = 0;
  let frozenAt: number | null = null;
  let pongs = 0;
  socket.on('upgrade', (response) => {
    port = response.socket.localPort ?? 0;
  });
  socket.on('open', () => page.postMessage({ opened: true }));
  socket.on('message', (data) => page.postMessage({ text: data.toString() }));
  socket.on('ping', () => {
    // Only while the page's own clock stands still.
    if (frozenAt !== null && ticks[0] === frozenAt) say({ pongsWhileFrozen: ++pongs });
  });
  socket.on('close', (code) => say({ closed: code }));
  // What an error has to say comes with 'close'.
  socket.on('error', () => {});
  page.on('message', (message: { readonly send?: string; readonly seated?: string; readonly freezes?: number }) => {
    if (message.send !== undefined) socket.send(message.send);
    if (message.seated !== undefined) say({ seated: message.seated, port });
    if (message.freezes === undefined) return;
    frozenAt = message.freezes;
    say({ frozen: true });
  });
}

createInterface(process.stdin)
  .on('line', (line) => {
    const told = JSON.parse(line) as Told;
    if (told.open) open(told.client, told.open);
    if (told.freeze) pages.get(told.client)?.postMessage({ freeze: true });
  })
  // Whoever started it is gone.
  .on('close', () => process.exit(0));
