import { setTimeout as delay } from 'node:timers/promises';
import type { FaultGateway } from '../faults/fault-gateway.ts';
import { between, pick, type Seeded } from '../support/lab/seeded.ts';
import { WireClient } from '../support/wire-client.ts';

const STAYS_MS = [2_000, 20_000] as const;
const OPEN_WITHIN_MS = 10_000;

const hello = (token: string): object => ({ type: 'hello', v: 1, token, client: { name: 'raw', version: '1.0' }, intent: 'user', visibility: 'visible' });
const follow = (thread: string): object => ({ type: 'subscribe', sub: 1, thread, from: 'start' });

/** What peers do that no client should. */
const MANNERS: Readonly<Record<string, (wire: WireClient, token: string, thread: string) => void>> = {
  'says nothing': () => {},
  'says garbage': (wire) => wire.sendFrame('{"type":'),
  'sends bytes that are no WebSocket': (wire) => wire.sendRaw(Buffer.from('GET / HTTP/1.1\r\n\r\n')),
  'sends binary': (wire, token) => {
    wire.sendFrame(hello(token));
    wire.sendBinary(Buffer.alloc(64));
  },
  'follows and never answers': (wire, token, thread) => {
    wire.sendFrame(hello(token));
    wire.sendFrame(follow(thread));
  },
  'follows and never reads': (wire, token, thread) => {
    wire.sendFrame(hello(token));
    wire.sendFrame(follow(thread));
    wire.stopReading();
  },
  'acknowledges what it never got': (wire, token, thread) => {
    wire.sendFrame(hello(token));
    wire.sendFrame(follow(thread));
    wire.sendFrame({ type: 'ack', sub: 1, offset: 1_000_000 });
  },
  'floods with questions': (wire, token) => {
    wire.sendFrame(hello(token));
    for (let n = 0; n < 500; n++) wire.sendFrame({ type: 'check', n });
  },
  'resets at once': (wire, token) => {
    wire.sendFrame(hello(token));
    wire.reset();
  },
};

/** Raw peers with bad manners, among users of their own and among those of everybody. Resolves when it has gone again. */
export async function rawPeer(gateway: FaultGateway, users: readonly string[], random: Seeded, stop: AbortSignal): Promise<string> {
  const manner = pick(random, Object.keys(MANNERS));
  const user = pick(random, [...users, 'stranger-1', 'stranger-2']);
  const staysMs = between(random, ...STAYS_MS);
  const isReset = random() < 0.5;
  try {
    const token = await gateway.token(user);
    const answersPings = random() < 0.7;
    const wire = await WireClient.open(gateway.wsUrl, { deadlineMs: OPEN_WITHIN_MS, answersPings });
    MANNERS[manner]?.(wire, token, `thread-of-${user}`);
    await Promise.race([wire.closed, delay(staysMs, undefined, { signal: stop }).catch(() => {})]);
    if (isReset) wire.reset();
    await wire[Symbol.asyncDispose]();
  } catch (error) {
    // The gateway may be dead just now.
    if (!(error instanceof Error)) throw error;
  }
  return `raw: ${manner}`;
}
