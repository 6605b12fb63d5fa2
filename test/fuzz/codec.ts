/** The codec under a flood of inputs, in this process: what it may take, what it must refuse, and at what cost. */

import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { explainEnd } from '../../src/client/disconnect.ts';
import { normalise } from '../../src/codecs/agent-events.ts';
import { CLOSE, closeReason, retryAfterOf, returnOf } from '../../src/protocol/close-codes.ts';
import { BOUNDS } from '../../src/protocol/frames.ts';
import type { Epoch, MessageId, RunId, ThreadId } from '../../src/protocol/ids.ts';
import { type ParsedFrame, parseClientFrame } from '../../src/protocol/parse.ts';
import { parsePosition, writePosition } from '../../src/protocol/position.ts';
import { END_REASONS, EVICT_REASONS, PEOPLE_REASONS, RETRY_REASONS, TRANSPORT_REASONS } from '../../src/protocol/reasons.ts';
import { writeEventFrame } from '../../src/protocol/write.ts';
import { anyJson, CANARY, rightText, wrongFrame } from './frames.ts';
import { depthOf, faultsOf } from './oracle.ts';
import { anyText } from './texts.ts';
import { anyYield } from './yields.ts';

/** One input may take this long, however it is made. It holds for the best of three, since the machine is shared. */
const SLOW_MS = 100;
const SAID_MAX = 1_000;

export interface CodecPart {
  readonly name: string;
  readonly inputs: number;
  readonly tookMs: number;
  readonly slowestMs: number;
}

class Wrong extends Error {}
function must(holds: boolean, what: string): void {
  if (!holds) throw new Wrong(what);
}

let slowestMs = 0;
/** Runs `work` and holds it to its time. */
function timed<T>(work: () => T): T {
  let bestMs = Number.POSITIVE_INFINITY;
  for (let i = 0; ; i++) {
    const startedAt = performance.now();
    const answer = work();
    bestMs = Math.min(bestMs, performance.now() - startedAt);
    if (bestMs < SLOW_MS || i === 2) {
      slowestMs = Math.max(slowestMs, bestMs);
      must(bestMs < SLOW_MS, `it took ${Math.round(bestMs)} ms`);
      return answer;
    }
  }
}

const said = (parsed: ParsedFrame): string => (parsed.is === 'violation' ? parsed.detail : parsed.is === 'refused' ? parsed.message : '');

const right = fc.property(rightText, ({ frame, text }) => {
  const parsed = timed(() => parseClientFrame(text));
  must(parsed.is === 'frame', `a right frame was not taken: ${said(parsed)}`);
  if (parsed.is === 'frame') deepStrictEqual({ ...parsed.frame }, JSON.parse(JSON.stringify(frame)));
});

const wrong = fc.property(wrongFrame, ({ text, price }) => {
  const parsed = timed(() => parseClientFrame(text));
  const cost = parsed.is === 'violation' ? parsed.close.code : parsed.is;
  must(cost === price, `it cost ${cost} instead of ${price}`);
  if (parsed.is === 'refused') must(parsed.code === 'bad-request' && parsed.ref.type === JSON.parse(text).type, 'the refusal names something else');
  must(!said(parsed).includes(CANARY) && said(parsed).length <= SAID_MAX, 'the refusal repeats what came');
});

const junk = fc.property(anyText, (text) => {
  const parsed = timed(() => parseClientFrame(text));
  must(said(parsed).length <= SAID_MAX, 'the answer grows with the question');
  if (parsed.is === 'frame') deepStrictEqual(faultsOf(text, parsed.frame as unknown as Record<string, unknown>), []);
  const isLong = Buffer.byteLength(text) > BOUNDS.frameBytes;
  if (isLong) must(parsed.is === 'violation' && parsed.close === CLOSE.messageTooBig, 'a frame over the limit was not ended');
  else if (parsed.is !== 'violation') must(depthOf(JSON.parse(text)) <= BOUNDS.depth, 'it is nested too deep');
  must(({} as { polluted?: unknown }).polluted === undefined, 'a prototype was changed');
});

const eventFrame = fc.record(
  {
    sub: fc.integer({ min: 1, max: 65_535 }),
    from: fc.maxSafeNat(),
    offset: fc.maxSafeNat(),
    kind: fc.constant('message' as const),
    at: fc.maxSafeNat(),
    ack: fc.boolean(),
    data: anyJson,
  },
  { requiredKeys: ['sub', 'offset', 'data'] },
);
const written = fc.property(eventFrame, ({ data, ack, from, ...rest }) => {
  const text = timed(() => writeEventFrame({ ...rest, ack, from, data: JSON.stringify(data) }));
  const expected = {
    type: 'event',
    ...rest,
    ...(from === undefined || from === rest.offset ? {} : { from }),
    ...(ack === true ? { ack } : {}),
    data: JSON.parse(JSON.stringify(data)),
  };
  deepStrictEqual(JSON.parse(text), expected);
});

const EPOCH = fc.string({ unit: fc.constantFrom(...'0189abcxyz'), minLength: 1, maxLength: 16 });
const positions = fc.property(
  fc.oneof(
    fc.tuple(EPOCH, fc.maxSafeNat()),
    fc.string({ maxLength: 40 }),
    fc.tuple(EPOCH, fc.string({ unit: fc.constantFrom(...'0189.-+e: '), maxLength: 20 })).map((p) => p.join(':')),
  ),
  (given) => {
    if (typeof given !== 'string') {
      const position = { epoch: given[0] as Epoch, offset: given[1] };
      deepStrictEqual(parsePosition(writePosition(position)), position);
      return;
    }
    const read = timed(() => parsePosition(given));
    if (read !== null) must(writePosition(read) === given && Number.isSafeInteger(read.offset), 'a position has two spellings');
  },
);

const closes = Object.values(CLOSE);
const REASONS = [...END_REASONS, ...EVICT_REASONS, ...PEOPLE_REASONS, ...RETRY_REASONS, ...TRANSPORT_REASONS];
const closing = fc.property(
  fc.nat(closes.length - 1),
  fc.nat(999_999_999),
  fc.constantFrom(undefined, ...REASONS),
  fc.integer({ min: -1, max: 70_000 }),
  fc.string({ maxLength: 130 }),
  (which, ms, reason, code, text) => {
    const close = closes[which] as (typeof closes)[number];
    const spelt = timed(() => closeReason(close, ms, reason));
    must(Buffer.byteLength(spelt) <= 123 && /^[\x20-\x7e]*$/.test(spelt), 'a close reason is too long or no ASCII');
    must(retryAfterOf(spelt) === ms, 'a named time is not read back');
    // Whatever a peer or something on the way to it says, the client knows what to do.
    const end = timed(() => explainEnd({ code, reason: text }));
    must(end.return === returnOf(code) && (end.return !== 'after' || (end.retryAfterMs ?? -1) >= 0), 'an end that says nothing of what comes next');
  },
);

const CONTEXT = {
  thread: 't-own' as ThreadId,
  run: 'run_own' as RunId,
  messageId: 'msg_own' as MessageId,
  eventId: 'own:1',
  timestamp: '2026-01-01T00:00:00.000Z',
};
const yields = fc.property(anyYield, (given) => {
  const taken = timed(() => normalise(given, CONTEXT));
  if (taken.is === 'invalid') {
    must(taken.problem.length > 0 && taken.problem.length <= SAID_MAX, 'a problem without words, or with too many');
    return;
  }
  const read = JSON.parse(taken.text) as Record<string, unknown>;
  must(Buffer.byteLength(taken.text) <= BOUNDS.eventBytes, 'an event is too long');
  must(read.thread_id === CONTEXT.thread && read.run_id === CONTEXT.run, 'a producer speaks for another run');
  must(
    typeof read.type === 'string' && read.type.length > 0 && typeof read.event_id === 'string' && typeof read.timestamp === 'string',
    'an event lacks its own fields',
  );
  must(
    read.message_id === undefined || !['agent_started', 'text_delta'].includes(read.type as string) || read.message_id === CONTEXT.messageId,
    'a producer speaks for another message',
  );
});

/** Each with its share of the inputs. */
const PARTS = [
  { name: 'right frames are taken', share: 0.2, property: right },
  { name: 'one thing wrong costs what it must', share: 0.2, property: wrong },
  { name: 'anything else is survived', share: 0.3, property: junk },
  { name: 'event frames are read as written', share: 0.08, property: written },
  { name: 'positions have one spelling', share: 0.06, property: positions },
  { name: 'ends are explained', share: 0.06, property: closing },
  { name: 'yields become events or problems', share: 0.1, property: yields },
] as const;

/** @throws what fast-check found, shrunk, with its seed and path. */
export function fuzzCodec(inputs: number, seed: number, tell: (part: CodecPart) => void = () => {}): readonly CodecPart[] {
  return PARTS.map(({ name, share, property }) => {
    const numRuns = Math.max(1, Math.round(inputs * share));
    slowestMs = 0;
    const startedAt = performance.now();
    fc.assert(property as fc.IProperty<unknown>, { numRuns, seed });
    const part = { name, inputs: numRuns, tookMs: Math.round(performance.now() - startedAt), slowestMs: Math.round(slowestMs * 10) / 10 };
    tell(part);
    return part;
  });
}
