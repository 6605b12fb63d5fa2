// A page of page-process.ts: a recording client, whose socket another thread has. It can block, and then nothing in it runs.
import { parentPort, workerData } from 'node:worker_threads';
import { Recorder } from '../../support/lossless/recorder.ts';
import { fileSink } from '../../support/lossless/sink.ts';
import { clientSettings } from './client-settings.ts';
import type { HostCommand } from './host-messages.ts';
import { CELL, type ToPage } from './page-messages.ts';
import { remoteWebSocket } from './remote-websocket.ts';

const TICK_MS = 10;
const network = parentPort;
if (network === null) throw new Error('Expected to be a worker.');
const { open, cells, said } = workerData as {
  readonly open: Extract<HostCommand, { do: 'open' }>;
  readonly cells: Int32Array;
  readonly said: MessagePort;
};

setInterval(() => Atomics.add(cells, CELL.ticks, 1), TICK_MS);
const recorder = new Recorder({
  url: open.url,
  tokens: [open.token],
  thread: open.thread,
  sink: fileSink(open.file),
  label: open.thread,
  settings: clientSettings(open.divisor),
  webSocket: remoteWebSocket(network),
  onProgress: (progress) => said.postMessage({ client: open.client, is: 'progress', progress }),
});

function freeze(awakeMs: number, cycleMs: number): void {
  if (Atomics.load(cells, CELL.wakes) === 1) return;
  Atomics.wait(cells, CELL.wakes, 0, cycleMs === 0 ? Number.POSITIVE_INFINITY : cycleMs - awakeMs);
  if (cycleMs > 0) setTimeout(() => freeze(awakeMs, cycleMs), awakeMs);
}

network.on('message', (message: ToPage) => {
  if (message.is === 'freeze') freeze(message.awakeMs, message.cycleMs);
  if (message.is === 'leave') void recorder.close().then(() => said.postMessage({ client: open.client, is: 'closed' }));
});
