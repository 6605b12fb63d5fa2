// A page of page-process.ts: it follows one thread, acknowledges each event as it applies it, and answers probes, until it is told to
// freeze. Another thread has its socket.
import { parentPort, workerData } from 'node:worker_threads';

const TICK_MS = 10;
const network = parentPort;
if (network === null) throw new Error('Expected to be a worker.');
const { token, thread, ticks } = workerData as { readonly token: string; readonly thread: string; readonly ticks: Int32Array };
const send = (frame: object): void => network.postMessage({ send: JSON.stringify(frame) });

setInterval(() => Atomics.add(ticks, 0, 1), TICK_MS);

network.on('message', (message: { readonly opened?: true; readonly text?: string; readonly freeze?: true }) => {
  if (message.freeze) {
    network.postMessage({ freezes: Atomics.load(ticks, 0) });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  }
  if (message.opened) send({ type: 'hello', v: 1, token, client: { name: 'peer', version: '1.0', label: thread }, intent: 'user', visibility: 'visible' });
  if (message.text === undefined) return;
  const frame = JSON.parse(message.text) as { type: string; manager?: string; sub?: number; offset?: number; n?: number };
  if (frame.type === 'ready') {
    network.postMessage({ seated: frame.manager });
    send({ type: 'subscribe', sub: 1, thread, from: 'start' });
  } else if (frame.type === 'event') send({ type: 'ack', sub: frame.sub, offset: frame.offset });
  else if (frame.type === 'probe') send({ type: 'probe-ok', n: frame.n });
});
