/** Frames of a client as arbitraries: right ones, and right ones with one thing wrong whose price PROTOCOL.md names. */

import fc from 'fast-check';

export type RawFrame = Readonly<Record<string, unknown>> & { readonly type: string };
/** What a parser must make of a text: take it, end the connection with this code, or answer it with an `error`. */
export type Price = number | 'refused';

const THREAD_LETTERS = 'ABCXYZabcxyz0189._:-';
const EPOCH_LETTERS = '0189abcxyz';
const utf8Bytes = (text: string): number => Buffer.byteLength(text);

const lettersOf = (letters: string, min: number, max: number): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 9, arbitrary: fc.string({ unit: fc.constantFrom(...letters), minLength: min, maxLength: Math.min(max, 12) }) },
    fc.constant(letters[0]?.repeat(max) ?? ''),
  );

/** Well-formed text of at most `max` UTF-8 bytes, often exactly as long as it may be. */
const boundedText = (min: number, max: number): fc.Arbitrary<string> =>
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc
        .string({ unit: 'grapheme', minLength: min, maxLength: 8 })
        .map((text) => (utf8Bytes(text) <= max && utf8Bytes(text) >= min ? text : 'x'.repeat(min))),
    },
    fc.constant('x'.repeat(max)),
    fc.constant('é'.repeat(Math.floor(max / 2))).filter((text) => utf8Bytes(text) >= min),
  );

const optional = (name: string, value: fc.Arbitrary<unknown>): fc.Arbitrary<Record<string, unknown>> =>
  fc.oneof(
    fc.constant({}),
    value.map((v) => ({ [name]: v })),
  );
/** An object of these parts, in this order. */
const merged = (...parts: fc.Arbitrary<object>[]): fc.Arbitrary<RawFrame> => fc.tuple(...parts).map((all) => Object.assign({}, ...all) as RawFrame);

const sub = fc.oneof(fc.integer({ min: 1, max: 65_535 }), fc.constantFrom(1, 65_535));
const whole = fc.oneof(fc.maxSafeNat(), fc.constantFrom(0, 1, Number.MAX_SAFE_INTEGER));
const thread = lettersOf(THREAD_LETTERS, 1, 128);
const epoch = lettersOf(EPOCH_LETTERS, 1, 16);
const codec = fc.constant('agent-events');
const visibility = fc.constantFrom('visible', 'hidden', 'frozen');
const opaque = boundedText(1, 64);
/** Any text that JSON can carry, half a character too. */
const anyText = fc.string({
  unit: fc.oneof(
    { weight: 6, arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }) },
    fc.constantFrom('\ud800', '\udc00', '\u0000', '"', '\\'),
  ),
  maxLength: 20,
});
export const anyJson: fc.Arbitrary<unknown> = fc.jsonValue({ maxDepth: 4 });

const part = fc.oneof(
  fc.record({ type: fc.constantFrom('text', 'reasoning'), text: anyText }),
  fc.record({ type: fc.constant('file'), url: anyText, mediaType: anyText }),
  fc.record(
    { type: fc.constant('tool'), executionId: opaque, toolName: opaque, parameters: anyJson, success: fc.boolean(), results: anyJson },
    { requiredKeys: ['type', 'executionId', 'toolName'] },
  ),
);
const data = fc.oneof(
  fc.record({ text: anyText }),
  fc.record(
    {
      parts: fc.array(part, { minLength: 1, maxLength: 4 }),
      metadata: fc.dictionary(fc.string({ maxLength: 8 }), anyJson, { maxKeys: 3, noNullPrototype: true }),
    },
    { requiredKeys: ['parts'] },
  ),
);
const from = fc.oneof(fc.constantFrom('start', 'run', 'now'), fc.record({ epoch, offset: whole }));
const resumeSub = merged(fc.record({ sub, thread, epoch, offset: whole }), optional('codec', codec));

const of = (type: string, ...parts: fc.Arbitrary<object>[]): fc.Arbitrary<RawFrame> => merged(fc.constant({ type }), ...parts);
const RIGHT: Readonly<Record<string, fc.Arbitrary<RawFrame>>> = {
  hello: of(
    'hello',
    fc.record({ v: fc.integer({ min: 1, max: 99 }) }),
    optional('minV', fc.constant(1)),
    optional('token', boundedText(1, 8_192)),
    fc.record({
      client: merged(fc.record({ name: boundedText(1, 64), version: boundedText(1, 32) }), optional('label', boundedText(0, 128))),
      intent: fc.constantFrom('user', 'auto'),
    }),
    optional('visibility', visibility),
    optional('waitMs', whole),
    optional('resume', fc.record({ manager: opaque, token: boundedText(1, 512), subs: fc.array(resumeSub, { maxLength: 5 }) })),
    optional('traceparent', boundedText(0, 128)),
  ),
  subscribe: of('subscribe', fc.record({ sub, thread }), optional('from', from), optional('codec', codec)),
  unsubscribe: of('unsubscribe', fc.record({ sub })),
  ack: of('ack', fc.record({ sub, offset: whole })),
  send: of('send', fc.record({ id: opaque, thread, data }), optional('agent', boundedText(1, 64))),
  cancel: of('cancel', fc.record({ run: opaque })),
  'probe-ok': of('probe-ok', fc.record({ n: whole }), optional('visibility', visibility)),
  check: of('check', fc.record({ n: whole })),
  visibility: of('visibility', fc.record({ state: visibility })),
  token: of('token', fc.record({ token: boundedText(1, 8_192) })),
  bye: of('bye', fc.record({ reason: fc.constantFrom('left', 'parked') })),
};

export const rightFrame: fc.Arbitrary<RawFrame> = fc.oneof(...Object.values(RIGHT));

/** The frame's own text in one of the ways in which JSON may be written: other order, white space, fields of later versions, a key that
 *  comes twice (the last one counts). */
export const rightText: fc.Arbitrary<{ readonly frame: RawFrame; readonly text: string }> = fc
  .tuple(rightFrame, fc.integer({ min: 0, max: 15 }), fc.string({ maxLength: 6 }), anyJson)
  .map(([frame, how, name, value]) => {
    const isNew = !(name in frame) && !['__proto__', 'minV', 'token', 'from', 'codec', 'agent', 'visibility', 'waitMs', 'resume', 'traceparent'].includes(name);
    const entries = Object.entries(frame);
    if (how & 1) entries.reverse();
    if (how & 2 && isNew) entries.push([name, value]);
    const text = JSON.stringify(Object.fromEntries(entries), null, how & 4 ? '\t' : undefined);
    return { frame, text: how & 8 ? `{"type":0,"__proto__":{"polluted":1},${text.trimStart().slice(1)}` : text };
  });

const ABSENT = Symbol('absent');
const NO_TEXT = [null, true, 0, 5, [], {}, ['x']] as const;
const notText = (min: number, max: number, isNeeded = true): readonly unknown[] => [
  ...NO_TEXT,
  'x'.repeat(max + 1),
  'é'.repeat(Math.floor(max / 2) + 1),
  '\ud800',
  'a\udc00',
  ...(min > 0 ? [''] : []),
  ...(isNeeded ? [ABSENT] : []),
];
const NO_WHOLE = [null, true, '0', '1', [], {}, [1], -1, 0.5, 2 ** 53, 1e308, -1e308] as const;
const NO_SUB = [...NO_WHOLE, 0, 65_536, ABSENT] as const;
const NO_THREAD = [...NO_TEXT, '', 'x'.repeat(129), 'a b', 'ü', 'a/b', 'a\n', '\u0000', ABSENT] as const;
const NO_EPOCH = ['', 'x'.repeat(17), 'K3', 'k-3', 3, null] as const;
const NO_CHOICE = [null, 0, '', 'Visible', 'visible ', [], {}, 'constructor', '__proto__'] as const;
const position = { epoch: 'k3', offset: 1 };
const aSub = { sub: 1, thread: 't', ...position };

type Wrongs = Readonly<Record<string, readonly unknown[]>>;
/** Fields by the path to them, and values that each of them must not have. */
const WRONG: Readonly<Record<string, { readonly price: Price; readonly fields: Wrongs }>> = {
  hello: {
    price: 4500,
    fields: {
      v: [...NO_WHOLE, 0, ABSENT],
      minV: [...NO_WHOLE, 0, 100],
      token: notText(1, 8_192, false),
      client: [null, 'x', [], ABSENT],
      'client.name': notText(1, 64),
      'client.version': notText(1, 32),
      'client.label': notText(0, 128, false),
      intent: [...NO_CHOICE, 'robot', ABSENT],
      visibility: NO_CHOICE,
      waitMs: NO_WHOLE,
      resume: [
        null,
        [],
        'x',
        {},
        { manager: 'm', token: 't' },
        { manager: 'm', token: 't', subs: {} },
        { manager: 'm', token: 't', subs: Array(65).fill(aSub) },
        { manager: 'm', token: 't', subs: [{ ...aSub, sub: 0 }] },
        { manager: 'm', token: 't', subs: [{ ...aSub, offset: -1 }] },
        { manager: 'm', token: 't', subs: [null] },
      ],
      traceparent: notText(0, 128, false),
    },
  },
  subscribe: {
    price: 'refused',
    fields: {
      sub: NO_SUB,
      thread: NO_THREAD,
      codec: NO_CHOICE,
      from: [null, 0, 'begin', [], {}, { epoch: 'k' }, ...NO_EPOCH.map((e) => ({ epoch: e, offset: 1 })), ...NO_WHOLE.map((o) => ({ epoch: 'k', offset: o }))],
    },
  },
  unsubscribe: { price: 'refused', fields: { sub: NO_SUB } },
  ack: { price: 4500, fields: { sub: NO_SUB, offset: [...NO_WHOLE, ABSENT] } },
  send: {
    price: 'refused',
    fields: {
      id: notText(1, 64),
      thread: NO_THREAD,
      agent: notText(1, 64, false),
      data: [
        null,
        'x',
        [],
        {},
        { text: 5 },
        { text: null },
        { parts: [] },
        { parts: {} },
        { parts: [{}] },
        { parts: [{ type: 'text' }] },
        { parts: [{ type: 'toString', text: '' }] },
        { parts: [null] },
        { text: 'x', parts: [] },
        { parts: [{ type: 'text', text: '' }], metadata: [] },
        ABSENT,
      ],
    },
  },
  cancel: { price: 'refused', fields: { run: notText(1, 64) } },
  'probe-ok': { price: 4500, fields: { n: [...NO_WHOLE, ABSENT], visibility: NO_CHOICE } },
  check: { price: 'refused', fields: { n: [...NO_WHOLE, ABSENT] } },
  visibility: { price: 'refused', fields: { state: [...NO_CHOICE, ABSENT] } },
  token: { price: 4501, fields: { token: notText(1, 8_192) } },
  bye: { price: 'refused', fields: { reason: [...NO_CHOICE, 'LEFT', ABSENT] } },
};
const EVERY_WRONG = Object.entries(WRONG).flatMap(([type, { price, fields }]) =>
  Object.entries(fields).flatMap(([path, values]) => values.map((value) => ({ type, price, path, value }))),
);

/** Never repeated to anybody: what is wrong may stand in a credential. */
export const CANARY = 'canary-7f3a';

/** A right frame with one thing wrong, and what that must cost. */
export const wrongFrame: fc.Arbitrary<{ readonly text: string; readonly price: Price }> = fc
  .constantFrom(...EVERY_WRONG)
  .chain(({ type, price, path, value }) =>
    (RIGHT[type] as fc.Arbitrary<RawFrame>).map((frame) => ({ price, text: JSON.stringify(withAt({ note: CANARY, ...frame }, path.split('.'), value)) })),
  );

function withAt(target: Readonly<Record<string, unknown>>, [key = '', ...rest]: readonly string[], value: unknown): Record<string, unknown> {
  if (rest.length > 0) return { ...target, [key]: withAt(target[key] as Record<string, unknown>, rest, value) };
  const { [key]: _gone, ...others } = target;
  return value === ABSENT ? others : { ...target, [key]: value };
}
