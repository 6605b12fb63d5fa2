/** Texts that are no frames, or not quite: what somebody sends who means harm, or whose code is broken. */

import fc from 'fast-check';
import { anyJson, rightText } from './frames.ts';

/** Pieces that parsers have stumbled over. */
const STUMBLING_BLOCKS = [
  '"__proto__"',
  '"constructor":{"prototype":{"polluted":1}}',
  '\\ud800',
  '\u0000',
  '1e999',
  '-0',
  '9007199254740993',
  '{"type":"hello"',
  ']}',
  '"type":',
  '\u2028',
  '\ufeff',
  '\\u0022',
  '[[[[[[[[',
  'NaN',
  '//',
  ',',
];

/** A right frame after a few accidents: cut off, a character changed, a piece doubled or put in. */
const damaged = fc
  .tuple(rightText, fc.array(fc.tuple(fc.nat(3), fc.nat(10_000), fc.constantFrom(...STUMBLING_BLOCKS), fc.nat(0xffff)), { minLength: 1, maxLength: 4 }))
  .map(([{ text }, accidents]) =>
    accidents.reduce((wire, [kind, where, block, unit]) => {
      const at = wire.length === 0 ? 0 : where % wire.length;
      if (kind === 0) return wire.slice(0, at);
      if (kind === 1) return wire.slice(0, at) + String.fromCharCode(unit) + wire.slice(at + 1);
      return kind === 2 ? wire.slice(0, at) + wire.slice(at, at + 20) + wire.slice(at) : wire.slice(0, at) + block + wire.slice(at);
    }, text),
  );

const TYPES = ['hello', 'send', 'ack', 'subscribe', 'token', 'user_message', 'chat', 'start_agent', 'constructor', '__proto__', 'toString', 'wave', ''];
const KEYS = [
  'sub',
  'thread',
  'offset',
  'n',
  'id',
  'data',
  'from',
  'codec',
  'token',
  'client',
  'intent',
  'v',
  'resume',
  'payload',
  'message',
  'thread_id',
  '__proto__',
];
/** An object that knows the right words and puts anything behind them. */
const worded = fc
  .tuple(fc.constantFrom(...TYPES), fc.array(fc.tuple(fc.constantFrom(...KEYS), anyJson), { maxLength: 6 }))
  .map(([type, fields]) => `{"type":${JSON.stringify(type)}${fields.map(([key, value]) => `,${JSON.stringify(key)}:${JSON.stringify(value)}`).join('')}}`);

const nested = fc
  .tuple(fc.integer({ min: 50, max: 3_000 }), fc.constantFrom('[', '{"a":'), fc.boolean())
  .map(([depth, open, closes]) => `{"type":"wave","x":${open.repeat(depth)}1${(closes ? (open === '[' ? ']' : '}') : '').repeat(depth)}}`);

const LARGE = [
  (n: number) => `{"type":"wave","x":"${'x'.repeat(n)}"}`,
  (n: number) => `{"type":"send","id":"i","thread":"t","data":{"text":"${'é'.repeat(n / 2)}"}}`,
  (n: number) => `{"type":"wave","x":[${'[],'.repeat(n / 3)}0]}`,
  (n: number) => `{"type":"ack","sub":1,"offset":${'9'.repeat(n)}}`,
  (n: number) => `{${'"a":1,'.repeat(n / 6)}"type":"check","n":1}`,
  (n: number) => '"\\'.repeat(n / 2),
  (n: number) => `{"type":"${'\\u0061'.repeat(n / 6)}"}`,
  (n: number) => ' '.repeat(n),
  (n: number) => '{'.repeat(n),
] as const;
/** Around the bound of 262,144 bytes, and far beyond it. */
const large = fc.tuple(fc.constantFrom(...LARGE), fc.constantFrom(60_000, 261_000, 262_144, 270_000, 1_000_000)).map(([make, n]) => make(n));

const noise = fc.oneof(fc.string({ unit: 'binary', maxLength: 60 }), fc.json(), fc.string({ maxLength: 60 }));

export const anyText: fc.Arbitrary<string> = fc.oneof(
  { weight: 40, arbitrary: damaged },
  { weight: 35, arbitrary: worded },
  { weight: 20, arbitrary: noise },
  { weight: 4, arbitrary: nested },
  { weight: 1, arbitrary: large },
);
