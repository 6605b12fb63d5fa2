// Recording clients whose sockets live in another thread than they do, as in a browser: protocol pings are answered below the page. This
// thread has the sockets, each page is a worker.
import { MessageChannel, Worker } from 'node:worker_threads';
import { WebSocket } from 'ws';
import type { HostCommand, HostSaid } from './host-messages.ts';
import { CELL, type FromPage, type ToPage } from './page-messages.ts';
import { tellStalls } from './stalls.ts';

interface Page {
  readonly worker: Worker;
  readonly cells: Int32Array<SharedArrayBuffer>;
  readonly sockets: Map<number, WebSocket>;
  /** The page's own clock when a ping came last, and pings that came while it stood still. */
  ticks: number;
  pongs: number;
}

const say = (said: HostSaid): void => {
  // Whoever started it may be gone.
  if (process.connected) process.send?.(said);
};
process.once('disconnect', () => process.exit(0));
tellStalls((stall) => say({ client: -1, is: 'stall', stall }));

const pages = new Map<number, Page>();
const tell = ({ worker }: Page, message: ToPage): void => worker.postMessage(message);

function openPage(command: Extract<HostCommand, { do: 'open' }>): void {
  const cells = new Int32Array(new SharedArrayBuffer(8));
  const { port1, port2 } = new MessageChannel();
  port1.on('message', (said: HostSaid) => say(said));
  const worker = new Worker(new URL('./page.ts', import.meta.url), {
    workerData: { open: command, cells, said: port2 },
    transferList: [port2],
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const page: Page = { worker, cells, sockets: new Map(), ticks: 0, pongs: 0 };
  pages.set(command.client, page);
  worker.on('message', (message: FromPage) => {
    if (message.is === 'dial') dial(command.client, page, message);
    else if (message.is === 'send') page.sockets.get(message.socket)?.send(message.text, () => {});
    else page.sockets.get(message.socket)?.close();
  });
}

function dial(client: number, page: Page, { socket: number, url, protocols }: Extract<FromPage, { is: 'dial' }>): void {
  const socket = new WebSocket(url, [...protocols], { perMessageDeflate: false });
  page.sockets.set(number, socket);
  socket.on('upgrade', ({ socket: raw }) => {
    say({ client, is: 'progress', progress: { is: 'socket', address: raw.localAddress ?? '', port: raw.localPort ?? 0 } });
  });
  socket.on('open', () => tell(page, { is: 'opened', socket: number }));
  socket.on('message', (data) => tell(page, { is: 'message', socket: number, text: data.toString() }));
  socket.on('ping', () => {
    const ticks = Atomics.load(page.cells, CELL.ticks);
    if (ticks === page.ticks) say({ client, is: 'frozen', pongs: ++page.pongs });
    page.ticks = ticks;
  });
  socket.on('close', (code, reason) => {
    page.sockets.delete(number);
    tell(page, { is: 'closed', socket: number, code, reason: reason.toString() });
  });
  // What an error has to say comes with 'close'.
  socket.on('error', () => {});
}

process.on('message', (command: HostCommand) => {
  if (command.do === 'open') openPage(command);
  const page = pages.get(command.client);
  if (page === undefined) return;
  if (command.do === 'freeze' && command.on) {
    Atomics.store(page.cells, CELL.wakes, 0);
    page.pongs = 0;
    tell(page, { is: 'freeze', awakeMs: command.awakeMs ?? 0, cycleMs: command.cycleMs ?? 0 });
  } else if (command.do === 'freeze') {
    Atomics.store(page.cells, CELL.wakes, 1);
    Atomics.notify(page.cells, CELL.wakes);
  } else if (command.do === 'close') tell(page, { is: 'leave' });
});
