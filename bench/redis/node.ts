// One node at work on a shared Redis: node.ts URL NAME WORK. Says `ready`, works from `go` until `stop`, then says what it did.
import { redisStore } from '../../src/stores/redis/store.ts';
import { LIMITS, requestOf, Writer } from './people.ts';
import type { NodesFigures } from './rows.ts';

const [url = '', name = '', work = ''] = process.argv.slice(2);
/** Admissions under way, as of so many people who come at once; streams that a group commit writes. */
const PEOPLE = 64;
const STREAMS = 64;
const WARM_MS = 1_000;
const store = await redisStore({ url, deadlineMs: 5_000 });
let done = 0;
let isOn = true;

/** Takes a seat and gives it back: two calls, one admission. */
async function person(index: number): Promise<void> {
  for (let i = 0; isOn; i++) {
    const request = requestOf(`${name}-${index}`, `m${i % LIMITS.soft}`, name, `attach ${i}`);
    const answer = await store.seats.admit(request);
    if (answer.is !== 'ok') throw new Error('Expected a seat.');
    await store.seats.release(request.user, request.manager, answer.token, LIMITS);
    done += 1;
  }
}

/** One batch of the log after the other, as `streams/commit.ts` writes them. */
async function commits(eventsOfEach: number): Promise<void> {
  const writers = Array.from({ length: STREAMS }, (_, i) => new Writer(`${name}-${i}`));
  for (const writer of writers) await writer.claim(store.log);
  while (isOn) {
    const answers = await store.log.append(writers.map((writer) => writer.next(eventsOfEach)));
    const refused = answers.find((answer) => answer.is !== 'ok');
    if (refused !== undefined) throw new Error(`Expected the events to be taken, got ${refused.is}.`);
    done += STREAMS * eventsOfEach;
  }
}

const kinds: Record<NodesFigures['work'], () => Promise<unknown>> = {
  admissions: () => Promise.all(Array.from({ length: PEOPLE }, (_, i) => person(i))),
  events: () => commits(1),
  'events in eights': () => commits(8),
};
const working = kinds[work as NodesFigures['work']]();
await new Promise((resolve) => setTimeout(resolve, WARM_MS));
process.on('message', (said: 'go' | 'stop') => {
  if (said === 'go') {
    done = 0;
    started = process.cpuUsage();
    process.send?.('going');
    return;
  }
  const { user, system } = process.cpuUsage(started);
  process.send?.({ done, cpuMs: (user + system) / 1_000 });
  isOn = false;
  void working.then(() => store[Symbol.asyncDispose]()).then(() => process.exit(0));
});
let started = process.cpuUsage();
process.send?.('ready');
