// Many light clients in a process of its own, which is killed as a whole. They dial in one turn of the event loop, apply what they follow,
// and acknowledge it. What they shall do comes as one message; what becomes of them goes back.
import { openSync, writeSync } from 'node:fs';
import { WebSocket } from 'ws';
import { nowMs } from '../../support/lab/time.ts';
import { numberedEvents } from '../../support/lossless/numbered.ts';
import type { Line } from '../../support/lossless/records.ts';
import type { StormClient, StormOrder, StormSaid } from './storm-messages.ts';

const HANDSHAKE_MS = 60_000;
const say = (said: StormSaid): void => void process.send?.(said);

// biome-ignore lint/suspicious/noExplicitAny: fields of many frames.
type Frame = any;

function live(url: string, o: StormClient): void {
  const dialledAt = nowMs();
  const file = openSync(o.file, 'a');
  const write = (line: Line): void => void writeSync(file, `${JSON.stringify(line)}\n`);
  const socket = new WebSocket(url, ['spillway.v1'], { perMessageDeflate: false, localAddress: o.from, handshakeTimeout: HANDSHAKE_MS });
  const tell = (frame: object): void => socket.send(JSON.stringify(frame));
  let { epoch, offset } = o.resume ?? { epoch: '', offset: 0 };
  let hasEnded = false;
  const closed = (code: number, reason: string): void => {
    if (!hasEnded) say({ client: o.name, is: 'closed', at: nowMs(), code, reason });
    hasEnded = true;
  };
  socket.on('open', () => {
    const subs = [{ sub: 1, thread: o.thread, epoch, offset }];
    const resume = o.resume === undefined ? {} : { resume: { manager: o.resume.manager, token: o.resume.token, subs } };
    const intent = o.resume === undefined ? 'user' : 'auto';
    tell({ type: 'hello', v: 1, token: o.token, client: { name: 'storm', version: '1.0' }, intent, visibility: 'visible', ...resume });
    if (o.resume === undefined) tell({ type: 'subscribe', sub: 1, thread: o.thread, from: 'start' });
  });
  const hear: Readonly<Record<string, (frame: Frame) => void>> = {
    ready: ({ manager, resumeToken, resume }) => say({ client: o.name, is: 'seated', at: nowMs(), dialledAt, manager, token: resumeToken, how: resume }),
    queued: () => say({ client: o.name, is: 'queued', at: nowMs() }),
    probe: ({ n }) => tell({ type: 'probe-ok', n }),
    bye: ({ code, reason }) => closed(code, reason),
    subscribed: (frame) => ({ epoch, offset } = frame),
    event: (frame) => {
      // A range is applied whole or not at all.
      if (frame.offset <= offset) return;
      offset = frame.offset;
      write({ is: 'applied', life: o.life, epoch, from: frame.from ?? offset, to: offset, events: numberedEvents(frame.data) });
      write({ is: 'ack', life: o.life, sub: 1, offset });
      tell({ type: 'ack', sub: 1, offset });
    },
    gap: ({ from, to, reason }) => write({ is: 'gap', life: o.life, epoch, from, to, reason }),
  };
  socket.on('message', (data) => {
    const frame = JSON.parse(String(data)) as Frame;
    hear[frame.type]?.(frame);
  });
  socket.on('error', (error) => closed(0, error.message));
  socket.on('close', (code, reason) => closed(code, reason.toString()));
}

process.once('disconnect', () => process.exit(0));
process.once('message', ({ url, clients }: StormOrder) => {
  for (const client of clients) live(url, client);
});
