// A client of another server, as its README writes it; it comes back by itself whenever it learns that it was cut off.
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { io } from 'socket.io-client';
import { WebSocket } from 'ws';
import type { ClientConfig, ClientSaid } from './messages.ts';

const config = (isMainThread ? JSON.parse(process.argv[2] ?? '{}') : workerData.config) as ClientConfig;
const say = (said: ClientSaid): void => (isMainThread ? void process.send?.(said) : parentPort?.postMessage(said));
/** “Plus a conservative assumption of the latency”, as the README of `ws` has it. */
const PING_LATE_MS = 10_000;
const HANDSHAKE_MS = 8_000 / config.divisor;
const REDIAL_MS = 1_000 / config.divisor;
const FREEZE_CELL = 0;

if (isMainThread) {
  process.once('disconnect', () => process.exit(0));
  if (config.isPage) page();
  else client();
} else if (config.server === 'ws') {
  // Its socket is in the other thread, which answers pings.
  parentPort?.on('message', (message: number | 'freeze') => {
    if (message === 'freeze') block();
    else say({ is: 'got', number: message });
  });
} else {
  parentPort?.on('message', block);
  client();
}

function block(): void {
  Atomics.wait(workerData.cells as Int32Array, FREEZE_CELL, 0);
}

/** Blocks and frees the thread that handles events. */
function page(): void {
  const cells = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL(import.meta.url), { workerData: { config, cells } });
  worker.on('message', (said: ClientSaid) => say(said));
  process.on('message', (command) => {
    if (command === 'freeze') worker.postMessage('freeze');
    else {
      Atomics.store(cells, FREEZE_CELL, 1);
      Atomics.notify(cells, FREEZE_CELL);
    }
  });
  if (config.server === 'ws') bareWs((number) => worker.postMessage(number));
}

function client(): void {
  if (config.server === 'ws') bareWs((number) => say({ is: 'got', number }));
  else {
    const socket = io(config.url, {
      transports: ['websocket'],
      auth: { user: config.user },
      reconnectionDelay: REDIAL_MS,
      reconnectionDelayMax: 5 * REDIAL_MS,
    });
    socket.on('connect', () => say({ is: 'connected' }));
    socket.on('disconnect', () => say({ is: 'ended' }));
    socket.on('event', (number: number) => say({ is: 'got', number }));
  }
}

function bareWs(got: (number: number) => void): void {
  const socket = new WebSocket(`${config.url.replace('http', 'ws')}/?user=${config.user}`, { handshakeTimeout: HANDSHAKE_MS });
  let timer: NodeJS.Timeout | undefined;
  const heard = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => socket.terminate(), (30_000 + PING_LATE_MS) / config.divisor);
  };
  socket.on('open', () => {
    heard();
    say({ is: 'connected' });
  });
  socket.on('ping', heard);
  socket.on('message', (data) => got(Number(data.toString())));
  // What an error has to say comes with 'close'.
  socket.on('error', () => {});
  socket.on('close', () => {
    clearTimeout(timer);
    say({ is: 'ended' });
    setTimeout(() => bareWs(got), REDIAL_MS);
  });
}
