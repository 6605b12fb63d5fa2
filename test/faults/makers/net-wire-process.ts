// A wire-level client in a process of its own, for networks that change under it: it is told in JSON lines when to dial, and says in JSON
// lines how it was seated. A second dial takes its resume token along and leaves the old transport as it is.
import { createInterface } from 'node:readline';
import { numberedEvents } from '../../support/lossless/numbered.ts';
import { fileSink } from '../../support/lossless/sink.ts';
import { ProvableClient } from '../../support/peers/provable-client.ts';
import type { WireFrame } from '../../support/wire-client.ts';

export interface Dial {
  readonly url: string;
  readonly token: string;
  readonly thread: string;
  readonly file: string;
}
export interface Seated {
  readonly manager: string;
  readonly how: string;
  readonly port: number;
}

let life = 0;
let client: ProvableClient | null = null;

const commands = createInterface(process.stdin);
for await (const line of commands) {
  const { file, ...as } = JSON.parse(line) as Dial;
  const sink = fileSink(file);
  life += 1;
  const { epoch, manager, ready, applied } = client ?? {};
  const resume = epoch !== undefined && manager !== undefined ? { resume: { manager, token: ready?.resumeToken, epoch, offset: applied ?? 0 } } : {};
  const next = await ProvableClient.open(as.url, { ...as, label: as.thread, ...resume });
  const apply = (frame: WireFrame): void => {
    if (frame.type !== 'event') return;
    sink.write({ is: 'applied', life, epoch: next.epoch, from: frame.from ?? frame.offset, to: frame.offset, events: numberedEvents(frame.data) });
  };
  next.wire.frames.forEach(apply);
  next.wire.hear(apply);
  client = next;
  const seated: Seated = { manager: next.manager, how: next.ready.resume, port: next.wire.localPort };
  process.stdout.write(`${JSON.stringify(seated)}\n`);
}
process.exit(0);
