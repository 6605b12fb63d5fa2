import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CLOSE } from './close-codes.ts';
import { BOUNDS, type ClientFrameType } from './frames.ts';
import { parseClientFrame } from './parse.ts';

const textOf = (min: number, max: number) => fc.string({ unit: 'grapheme-ascii', minLength: min, maxLength: max });
const sub = fc.integer({ min: 1, max: BOUNDS.maxSub });
const thread = fc.stringMatching(/^[A-Za-z0-9._:-]{1,128}$/);
const epoch = fc.stringMatching(/^[0-9a-z]{1,16}$/);
const offset = fc.maxSafeNat();
const visibility = fc.constantFrom('visible', 'hidden', 'frozen');
const codec = fc.constant('agent-events');
const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
const part = fc.oneof(
  fc.record({ type: fc.constant('text'), text: fc.string() }),
  fc.record({ type: fc.constant('reasoning'), text: fc.string() }),
  fc.record(
    { type: fc.constant('tool'), executionId: textOf(1, 64), toolName: textOf(1, 64), parameters: json, success: fc.boolean(), results: json },
    { requiredKeys: ['type', 'executionId', 'toolName'] },
  ),
  fc.record({ type: fc.constant('file'), url: fc.webUrl(), mediaType: fc.constant('image/png') }),
);

/** One arbitrary a frame type: every frame that a conforming client may send. */
const VALID: { readonly [T in ClientFrameType]: fc.Arbitrary<unknown> } = {
  hello: fc.record(
    {
      type: fc.constant('hello'),
      v: fc.integer({ min: 3, max: 9 }),
      minV: fc.integer({ min: 1, max: 3 }),
      token: textOf(1, 200),
      client: fc.record({ name: textOf(1, 64), version: textOf(1, 32), label: textOf(0, 128) }, { requiredKeys: ['name', 'version'] }),
      intent: fc.constantFrom('user', 'auto'),
      visibility,
      waitMs: fc.nat(),
      resume: fc.record({
        manager: textOf(1, 64),
        token: textOf(1, 512),
        subs: fc.array(fc.record({ sub, thread, epoch, offset, codec }, { requiredKeys: ['sub', 'thread', 'epoch', 'offset'] }), { maxLength: 4 }),
      }),
      traceparent: textOf(0, 64),
    },
    { requiredKeys: ['type', 'v', 'client', 'intent'] },
  ),
  subscribe: fc.record(
    { type: fc.constant('subscribe'), sub, thread, from: fc.oneof(fc.constantFrom('start', 'run', 'now'), fc.record({ epoch, offset })), codec },
    { requiredKeys: ['type', 'sub', 'thread'] },
  ),
  unsubscribe: fc.record({ type: fc.constant('unsubscribe'), sub }),
  ack: fc.record({ type: fc.constant('ack'), sub, offset }),
  send: fc.record(
    {
      type: fc.constant('send'),
      id: textOf(1, 64),
      thread,
      data: fc.oneof(
        fc.record({ text: fc.string() }),
        fc.record({ parts: fc.array(part, { minLength: 1, maxLength: 4 }), metadata: fc.dictionary(fc.string(), json) }, { requiredKeys: ['parts'] }),
      ),
      agent: textOf(1, 64),
    },
    { requiredKeys: ['type', 'id', 'thread', 'data'] },
  ),
  cancel: fc.record({ type: fc.constant('cancel'), run: textOf(1, 64) }),
  'probe-ok': fc.record({ type: fc.constant('probe-ok'), n: offset, visibility }, { requiredKeys: ['type', 'n'] }),
  check: fc.record({ type: fc.constant('check'), n: offset }),
  visibility: fc.record({ type: fc.constant('visibility'), state: visibility }),
  token: fc.record({ type: fc.constant('token'), token: textOf(1, 200) }),
  bye: fc.record({ type: fc.constant('bye'), reason: fc.constantFrom('left', 'parked') }),
};
const anyValid = fc.oneof(...Object.values(VALID));

const parse = (value: unknown) => parseClientFrame(typeof value === 'string' ? value : JSON.stringify(value));
const closeOf = (value: unknown): number | string => {
  const parsed = parse(value);
  return parsed.is === 'violation' ? parsed.close.code : parsed.is;
};

describe('what a conforming client sends', () => {
  for (const [type, valid] of Object.entries(VALID)) {
    test(`every valid ${type} is read as it was meant`, () => {
      fc.assert(
        fc.property(valid, (frame) => {
          expect(parse(frame)).toEqual({ is: 'frame', frame: JSON.parse(JSON.stringify(frame)) });
        }),
      );
    });
  }

  test('fields of a later version are left out, not refused', () => {
    expect(parse({ type: 'ack', sub: 1, offset: 2, colour: 'red', __proto__x: 1 })).toEqual({ is: 'frame', frame: { type: 'ack', sub: 1, offset: 2 } });
  });

  test('a type of a later version is told apart from a violation', () => {
    for (const type of ['wave', '', '__proto__', 'constructor', 'toString']) expect(parse({ type })).toEqual({ is: 'unknown', type });
  });

  test('a doubled key counts by its last value, and __proto__ is a name like any other', () => {
    expect(parse('{"type":"ack","sub":1,"sub":2,"offset":0}')).toEqual({ is: 'frame', frame: { type: 'ack', sub: 2, offset: 0 } });
    const parsed = parse('{"type":"ack","sub":1,"offset":0,"__proto__":{"polluted":true}}');
    expect(parsed.is === 'frame' && Object.getPrototypeOf(parsed.frame)).toBe(Object.prototype);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    const stored = parse('{"type":"send","id":"a","thread":"t","data":{"parts":[{"type":"text","text":"x"}],"metadata":{"__proto__":{"polluted":true}}}}');
    expect(stored.is).toBe('frame');
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe('clients from before this protocol', () => {
  test.each([
    { type: 'user_message', id: 'a', thread_id: 't', message: 'hi' },
    { type: 'chat', thread: 't', data: { message_id: 'a', content: 'hi' } },
    { type: 'start_agent', payload: { id: 'a', thread_id: 't', text: 'hi' } },
  ])('$type counts as send', (old) => {
    expect(parse(old)).toEqual({ is: 'frame', frame: { type: 'send', id: 'a', thread: 't', data: { text: 'hi' } } });
  });

  test('what it left out is told', () => {
    expect(parse({ type: 'chat', message: 'hi' })).toMatchObject({ is: 'refused', message: expect.stringContaining('`id`') });
  });
});

const HELLO = { type: 'hello', v: 1, client: { name: 'test', version: '1' }, intent: 'user' };

describe('what ends a connection', () => {
  test.each([
    ['no JSON', '{"type":'],
    ['an empty message', ''],
    ['JSON with more behind it', '{"type":"check","n":1}{'],
    ['an array', '[]'],
    ['a string', '"hello"'],
    ['null', 'null'],
    ['a number', '7'],
    ['no type', '{}'],
    ['a type that is no string', '{"type":1}'],
  ])('%s is no frame', (_name, wire) => expect(closeOf(wire)).toBe(4500));

  test.each<[string, object]>([
    ['v as text', { ...HELLO, v: '1' }],
    ['v of nought', { ...HELLO, v: 0 }],
    ['v with a fraction', { ...HELLO, v: 1.5 }],
    ['minV above v', { ...HELLO, minV: 2 }],
    ['no client', { ...HELLO, client: undefined }],
    ['a client without a name', { ...HELLO, client: { name: '', version: '1' } }],
    ['a client name of 65 bytes', { ...HELLO, client: { name: `${'é'.repeat(32)}x`, version: '1' } }],
    ['a label of 129 bytes', { ...HELLO, client: { name: 'a', version: '1', label: 'x'.repeat(129) } }],
    ['no intent', { ...HELLO, intent: undefined }],
    ['another intent', { ...HELLO, intent: 'robot' }],
    ['an empty token', { ...HELLO, token: '' }],
    ['a null token', { ...HELLO, token: null }],
    ['a token of 8193 bytes', { ...HELLO, token: 'x'.repeat(8_193) }],
    ['another visibility', { ...HELLO, visibility: 'blurred' }],
    ['a negative wait', { ...HELLO, waitMs: -1 }],
    ['a resume that is no object', { ...HELLO, resume: 'mgr' }],
    [
      '65 resumed subscriptions',
      { ...HELLO, resume: { manager: 'm', token: 't', subs: Array.from({ length: 65 }, (_, i) => ({ sub: i + 1, thread: 't', epoch: 'e', offset: 0 })) } },
    ],
    ['a resumed offset below nought', { ...HELLO, resume: { manager: 'm', token: 't', subs: [{ sub: 1, thread: 't', epoch: 'e', offset: -1 }] } }],
    ['a resumed epoch in capitals', { ...HELLO, resume: { manager: 'm', token: 't', subs: [{ sub: 1, thread: 't', epoch: 'E', offset: 1 }] } }],
    ['an ack without offset', { type: 'ack', sub: 1 }],
    ['an ack of text', { type: 'ack', sub: 1, offset: '3' }],
    ['an ack below nought', { type: 'ack', sub: 1, offset: -1 }],
    ['an ack beyond exact numbers', { type: 'ack', sub: 1, offset: 2 ** 53 }],
    ['an ack of sub 0', { type: 'ack', sub: 0, offset: 1 }],
    ['an ack of sub 65536', { type: 'ack', sub: 65_536, offset: 1 }],
    ['a probe-ok without n', { type: 'probe-ok' }],
    ['a probe-ok with another visibility', { type: 'probe-ok', n: 1, visibility: 1 }],
  ])('%s is a protocol error', (_name, frame) => expect(closeOf(frame)).toBe(4500));

  test.each([{ type: 'token' }, { type: 'token', token: 7 }, { type: 'token', token: 'x'.repeat(8_193) }])('a malformed token is no credential', (frame) => {
    expect(closeOf(frame)).toBe(4501);
  });

  test('depth is counted before anything is built: 64 is read, 65 is not', () => {
    const nested = (depth: number) => `{"type":"wave","x":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
    expect(closeOf(nested(BOUNDS.depth))).toBe('unknown');
    expect(closeOf(nested(BOUNDS.depth + 1))).toBe(4500);
    expect(closeOf(`{"type":"wave","x":${'['.repeat(100_000)}`)).toBe(4500);
    expect(closeOf(`{"type":"wave","x":"${'['.repeat(500)}\\"${'{'.repeat(500)}"}`)).toBe('unknown');
  });

  test('size is counted in UTF-8 bytes: 262144 are read, one more is not', () => {
    const frame = (bytes: number, fill: string) => {
      const around = '{"type":"wave","x":""}';
      const room = bytes - around.length;
      const wide = new TextEncoder().encode(fill).length;
      return around.replace('""', () => `"${fill.repeat(Math.floor(room / wide))}${'x'.repeat(room % wide)}"`);
    };
    for (const fill of ['x', 'é', '€', '😀']) {
      expect(closeOf(frame(BOUNDS.frameBytes, fill))).toBe('unknown');
      expect(closeOf(frame(BOUNDS.frameBytes + 1, fill))).toBe(CLOSE.messageTooBig.code);
    }
  });

  test('the finding names the field and never repeats its value', () => {
    const parsed = parse({ ...HELLO, token: 'secret'.repeat(2_000) });
    expect(parsed).toEqual({
      is: 'violation',
      close: CLOSE.protocolError,
      detail: 'hello: Expected `token` to be a string of 1 to 8192 bytes, got a string of 12000 characters.',
    });
    const garbled = parse('{"type":"hello","token":"secret…');
    expect(JSON.stringify(garbled)).not.toContain('secret');
    const deep = parse({ ...HELLO, resume: { manager: 'm', token: 't', subs: [{ sub: 1, thread: '', epoch: 'e', offset: 1 }] } });
    expect(deep.is === 'violation' && deep.detail).toContain('`resume.subs.0.thread`');
  });
});

describe('what is answered and costs nothing else', () => {
  test.each<[string, object, object]>([
    ['a subscribe to a thread with a space', { type: 'subscribe', sub: 3, thread: 'a b' }, { type: 'subscribe', sub: 3 }],
    ['a subscribe without a number', { type: 'subscribe', thread: 't' }, { type: 'subscribe' }],
    ['a subscribe with sub 65536', { type: 'subscribe', sub: 65_536, thread: 't' }, { type: 'subscribe', sub: 65_536 }],
    ['a subscribe from tomorrow', { type: 'subscribe', sub: 1, thread: 't', from: 'tomorrow' }, { type: 'subscribe', sub: 1 }],
    ['a subscribe in another vocabulary', { type: 'subscribe', sub: 1, thread: 't', codec: 'morse' }, { type: 'subscribe', sub: 1 }],
    ['a send without text', { type: 'send', id: 'c-1', thread: 't', data: {} }, { type: 'send', id: 'c-1' }],
    ['a send with text and parts', { type: 'send', id: 'c-1', thread: 't', data: { text: 'a', parts: [] } }, { type: 'send', id: 'c-1' }],
    ['a send of no parts', { type: 'send', id: 'c-1', thread: 't', data: { parts: [] } }, { type: 'send', id: 'c-1' }],
    ['a send of a part of unknown type', { type: 'send', id: 'c-1', thread: 't', data: { parts: [{ type: '__proto__' }] } }, { type: 'send', id: 'c-1' }],
    ['a send with an id of 65 bytes', { type: 'send', id: 'x'.repeat(65), thread: 't', data: { text: 'a' } }, { type: 'send' }],
    ['a send whose id has half a character', { type: 'send', id: '\ud800', thread: 't', data: { text: 'a' } }, { type: 'send', id: '\ud800' }],
    ['a cancel without a run', { type: 'cancel' }, { type: 'cancel' }],
    ['an unsubscribe of text', { type: 'unsubscribe', sub: '1' }, { type: 'unsubscribe' }],
    ['a check without n', { type: 'check' }, { type: 'check' }],
    ['a visibility of its own', { type: 'visibility', state: 'dim' }, { type: 'visibility' }],
    ['a bye for another reason', { type: 'bye', reason: 'bored' }, { type: 'bye' }],
  ])('%s', (_name, frame, ref) => {
    expect(parse(frame)).toEqual({ is: 'refused', code: 'bad-request', message: expect.stringMatching(/^Expected `/), ref });
  });

  test('a run id of another shape is left to the look-up, which finds nothing', () => {
    expect(parse({ type: 'cancel', run: 'nobody' })).toEqual({ is: 'frame', frame: { type: 'cancel', run: 'nobody' } });
  });
});

describe('whatever comes', () => {
  test('no text makes the parser throw or answer with something else', () => {
    const outcomes = new Set(['frame', 'violation', 'refused', 'unknown']);
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.json(),
          fc.json().map((text) => `{"type":"send","data":${text}}`),
        ),
        (wire) => outcomes.has(parseClientFrame(wire).is),
      ),
      { numRuns: 5_000 },
    );
  });

  test('100,000 damaged frames are each judged, in bounded time', () => {
    const seeds = fc.sample(anyValid, { numRuns: 400, seed: 7 }).map((frame) => JSON.stringify(frame));
    const alphabet = ['{', '}', '[', ']', '"', '\\', ',', ':', 'null', '-1', '1e999', '0.5', '"type"', '\u0000', '\ud800', '😀', '"__proto__"'];
    let state = 1;
    const next = (below: number): number => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor((state / 2_147_483_648) * below);
    };
    const counts: Record<string, number> = {};
    let slowestMs = 0;
    for (let i = 0; i < 100_000; i++) {
      let wire = seeds[next(seeds.length)] as string;
      for (let blows = 1 + next(3); blows > 0; blows--) {
        const at = next(wire.length + 1);
        const cut = next(3) === 0 ? next(12) : 0;
        wire = wire.slice(0, at) + (alphabet[next(alphabet.length)] as string) + wire.slice(at + cut);
      }
      const before = performance.now();
      const { is } = parseClientFrame(wire);
      slowestMs = Math.max(slowestMs, performance.now() - before);
      counts[is] = (counts[is] ?? 0) + 1;
    }
    // All four outcomes must have been met, or the damage was of one kind only.
    expect(Object.keys(counts).sort()).toEqual(['frame', 'refused', 'unknown', 'violation']);
    expect(slowestMs).toBeLessThan(1_000);
  });

  test('the worst text of the largest size takes no longer than its length asks for', () => {
    const worst = [
      '['.repeat(BOUNDS.frameBytes),
      '"'.repeat(BOUNDS.frameBytes),
      '\\'.repeat(BOUNDS.frameBytes),
      '[]'.repeat(BOUNDS.frameBytes / 2),
      `{"type":"${'\\u0041'.repeat(40_000)}"}`,
    ];
    for (const wire of worst) {
      const before = performance.now();
      parseClientFrame(wire);
      expect(performance.now() - before).toBeLessThan(1_000);
    }
  });
});
