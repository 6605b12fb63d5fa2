// The worker of page-process.ts that owns the socket. It hands every message to the page and answers pings by itself.
import { writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { WebSocket } from 'ws';

const STDOUT = 1;
const page = parentPort;
if (page === null) throw new Error('Expected to be a worker.');
const socket = new WebSocket((workerData as { url: string }).url, ['spillway.v1'], { perMessageDeflate: false });
const starter = process.ppid;
let isFrozen = false;
let pongs = 0;

socket.on('open', () => page.postMessage({ opened: true }));
socket.on('message', (data) => page.postMessage({ text: data.toString() }));
// The page's thread is blocked, so what happens here is told past it.
socket.on('ping', () => {
  if (isFrozen) writeSync(STDOUT, `${JSON.stringify({ pongsWhileFrozen: ++pongs })}\n`);
});
socket.on('close', (code) => writeSync(STDOUT, `${JSON.stringify({ closed: code })}\n`));
// What an error has to say comes with 'close'.
socket.on('error', () => {});
page.on('message', (message: { readonly send?: string; readonly pageFreezes?: true }) => {
  if (message.pageFreezes) isFrozen = true;
  else if (message.send !== undefined) socket.send(message.send);
});
// A blocked page cannot notice that whoever started it is gone.
setInterval(() => {
  if (process.ppid !== starter) process.kill(process.pid, 'SIGKILL');
}, 1_000).unref();
