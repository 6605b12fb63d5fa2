// A page whose socket lives in a worker, as a browser's network process does: protocol pings are answered below the page. On the
// line `freeze` the page's own thread blocks for good. Arguments: address, token, thread, label.
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';

const [url, token, thread, label] = process.argv.slice(2) as [string, string, string, string];
const STDOUT = 1;
const socket = new Worker(new URL('./page-socket.ts', import.meta.url), { workerData: { url } });
const send = (frame: object): void => socket.postMessage({ send: JSON.stringify(frame) });

socket.on('message', (message: { readonly opened?: true; readonly text?: string }) => {
  if (message.opened) {
    send({ type: 'hello', v: 1, token, client: { name: 'peer', version: '1.0', label }, intent: 'user', visibility: 'visible' });
    return;
  }
  const frame = JSON.parse(message.text ?? '{}') as { type: string; manager?: string; sub?: number; offset?: number; n?: number };
  if (frame.type === 'ready') {
    writeSync(STDOUT, `${JSON.stringify({ seated: frame.manager })}\n`);
    send({ type: 'subscribe', sub: 1, thread, from: 'start' });
  } else if (frame.type === 'event') send({ type: 'ack', sub: frame.sub, offset: frame.offset });
  else if (frame.type === 'probe') send({ type: 'probe-ok', n: frame.n });
});

createInterface(process.stdin)
  .on('line', (line) => {
    if (line !== 'freeze') return;
    socket.postMessage({ pageFreezes: true });
    writeSync(STDOUT, `${JSON.stringify({ frozen: true })}\n`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  })
  .on('close', () => process.exit(0));
