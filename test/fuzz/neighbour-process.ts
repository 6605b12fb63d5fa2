// Somebody who works while strangers storm: a process of its own, so that what it measures is the gateway's doing. Its address, token and
// thread are the arguments; on `tell` it says what it has seen.
import { WireClient, type WireFrame } from '../support/wire-client.ts';
import type { NeighbourSaid } from './neighbour.ts';

const CHECK_EVERY_MS = 250;
const ASK_EVERY_MS = 2_000;
const [url = '', hello = '{}', thread = ''] = process.argv.slice(2);
process.once('disconnect', () => process.exit(0));

const client = await WireClient.open(url, { deadlineMs: 20_000 });
client.sendFrame(hello);
await client.next('ready');
client.sendFrame({ type: 'subscribe', sub: 1, thread, from: 'start' });
await client.next('replayed');

let applied = 0;
let events = 0;
let answers = 0;
const holes: string[] = [];
const problems: string[] = [];
const checkedMs: number[] = [];
const asked = new Map<number, number>();
let checks = 0;
let questions = 0;
let ended: string | null = null;

client.behave();
client.hear((frame: WireFrame) => {
  if (frame.type === 'event') {
    const first = (frame.from as number | undefined) ?? (frame.offset as number);
    if (first !== applied + 1) holes.push(`${first} after ${applied}`);
    applied = frame.offset as number;
    events += 1;
    const data = [frame.data].flat() as { type?: string }[];
    answers += data.filter(({ type }) => type === 'agent_completed').length;
  } else if (frame.type === 'check-ok') {
    checkedMs.push(performance.now() - (asked.get(frame.n as number) ?? Number.NEGATIVE_INFINITY));
    asked.delete(frame.n as number);
  } else if (frame.type === 'error' || frame.type === 'bye' || frame.type === 'gap') problems.push(JSON.stringify(frame).slice(0, 200));
  // A life of many minutes, of which only what comes next is of interest.
  client.frames.length = 0;
  client.texts.length = 0;
});
void client.closed.then(({ code }) => {
  ended = `close ${code}`;
});
setInterval(() => {
  const n = ++checks;
  asked.set(n, performance.now());
  client.sendFrame({ type: 'check', n });
}, CHECK_EVERY_MS);
setInterval(() => {
  questions += 1;
  client.sendFrame({ type: 'send', id: `q-${questions}`, thread, data: { text: 'how are you?' } });
}, ASK_EVERY_MS);

process.on('message', (ask: 'tell' | 'rest') => {
  process.send?.({ events, answers, questions, holes, problems, checkedMs: [...checkedMs], unansweredChecks: asked.size, ended } satisfies NeighbourSaid);
  if (ask === 'rest') checkedMs.length = 0;
});
process.send?.('ready');
