/** WebSocket as bytes, right and wrong: what a peer can write into an open connection. */

import fc from 'fast-check';
import { between, pick, type Seeded, weighted } from '../support/lab/seeded.ts';
import { rightText, wrongFrame } from './frames.ts';
import { anyText } from './texts.ts';

export interface FrameBits {
  readonly opcode: number;
  readonly payload: Uint8Array;
  readonly isFinal?: boolean;
  /** Bits of 0x70. */
  readonly reserved?: number;
  readonly isMasked?: boolean;
  /** In place of the true length. */
  readonly length?: number | bigint;
  /** 7, 16 or 64 bits for it, even where fewer would do. */
  readonly width?: 7 | 16 | 64;
}

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export function encode({ opcode, payload, isFinal = true, reserved = 0, isMasked = true, length = payload.length, width }: FrameBits): Buffer {
  const bits = width ?? (length < 126 ? 7 : length < 65_536 ? 16 : 64);
  const head = Buffer.alloc(2 + (bits === 16 ? 2 : bits === 64 ? 8 : 0) + (isMasked ? 4 : 0));
  head[0] = (isFinal ? 0x80 : 0) | reserved | opcode;
  head[1] = (isMasked ? 0x80 : 0) | (bits === 7 ? Number(length) & 0x7f : bits === 16 ? 126 : 127);
  if (bits === 16) head.writeUInt16BE(Number(length) & 0xffff, 2);
  if (bits === 64) head.writeBigUInt64BE(BigInt.asUintN(64, BigInt(length)), 2);
  const mask = [0x5a, 0xc3, 0x0f, 0x96] as const;
  if (!isMasked) return Buffer.concat([head, payload]);
  head.set(mask, head.length - 4);
  const masked = Buffer.from(payload);
  for (let i = 0; i < masked.length; i++) masked[i] = (masked[i] as number) ^ (mask[i & 3] as number);
  return Buffer.concat([head, masked]);
}

export const textFrame = (text: string): Buffer => encode({ opcode: OPCODE.text, payload: Buffer.from(text) });

const POOL = 4_000;
const NO_UTF8 = [[0xc3, 0x28], [0xff], [0xed, 0xa0, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80], [0xe2, 0x82], [0xc0, 0xaf]].map((bytes) => Buffer.from(bytes));
const LENGTHS = [0, 1, 125, 126, 127, 128, 65_535, 65_536, 262_145, 327_681, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n] as const;
const CLOSE_CODES = [0, 999, 1000, 1001, 1003, 1004, 1005, 1006, 1007, 1011, 1015, 1016, 2999, 3000, 4000, 4500, 4999, 5000, 65_535] as const;

/** One thing that a peer writes: whole frames, or what should have been one. */
export interface Piece {
  readonly bytes: Buffer;
  /** Nothing behind it can be told apart from it. */
  readonly swallowsTheRest: boolean;
}
const whole = (bytes: Buffer): Piece => ({ bytes, swallowsTheRest: false });

/** Makes pieces: frames in the order of thousands are drawn once, then written in all the ways there are. */
export class PieceMaker {
  readonly #random: Seeded;
  readonly #right: readonly string[];
  readonly #wrong: readonly string[];
  readonly #any: readonly string[];

  constructor(random: Seeded, seed: number) {
    this.#random = random;
    const drawn = { numRuns: POOL, seed };
    // A message that is stored stays; the storm must not be told from a leak by what its own messages take.
    const isStored = (text: string): boolean => /"type":\s*"(send|user_message|chat|start_agent)"/.test(text);
    this.#right = fc.sample(rightText, drawn).flatMap(({ text, frame }) => (frame.type === 'send' || frame.type === 'bye' ? [] : [text]));
    this.#wrong = fc.sample(wrongFrame, drawn).map(({ text }) => text);
    this.#any = fc.sample(anyText, drawn).filter((text) => !isStored(text));
  }

  /** Most keep the connection, so that what follows is heard. */
  likely(): Piece {
    const random = this.#random;
    switch (weighted(random, { right: 55, asked: 20, stored: 2, fragments: 10, control: 13 })) {
      case 'right':
        return whole(textFrame(this.#harmless()));
      case 'asked':
        return whole(textFrame(this.#asked()));
      case 'stored':
        return whole(textFrame(JSON.stringify({ type: 'send', id: `id-${between(random, 1, 10)}`, thread: 't1', data: { text: pick(random, ['hi', 'ho']) } })));
      case 'fragments':
        return whole(this.#fragments(Buffer.from(this.#asked())));
      case 'control':
        return whole(encode({ opcode: pick(random, [OPCODE.ping, OPCODE.pong]), payload: this.#noise(125) }));
    }
  }

  /** Most of them end the connection. */
  unlikely(): Piece {
    const random = this.#random;
    switch (weighted(random, { wrong: 20, any: 20, bits: 15, length: 10, utf8: 6, control: 8, close: 9, fragments: 7, noise: 5 })) {
      case 'wrong':
        return whole(textFrame(pick(random, this.#wrong)));
      case 'any':
        return whole(textFrame(pick(random, this.#any)));
      case 'bits':
        return whole(
          encode({
            opcode: between(random, 0, 15),
            payload: this.#noise(140),
            isFinal: random() < 0.8,
            reserved: random() < 0.5 ? pick(random, [0x10, 0x20, 0x40, 0x70]) : 0,
            isMasked: random() < 0.7,
          }),
        );
      case 'length':
        return {
          bytes: encode({
            opcode: pick(random, [OPCODE.text, OPCODE.binary, OPCODE.ping]),
            payload: this.#noise(300),
            length: pick(random, LENGTHS),
            width: pick(random, [7, 16, 64]),
          }),
          swallowsTheRest: true,
        };
      case 'utf8':
        return whole(encode({ opcode: OPCODE.text, payload: Buffer.concat([Buffer.from('{"type":"'), pick(random, NO_UTF8), Buffer.from('"}')]) }));
      case 'control':
        return whole(encode({ opcode: pick(random, [8, 9, 10]), payload: this.#noise(400), isFinal: random() < 0.5 }));
      case 'close': {
        const code = Buffer.alloc(2);
        code.writeUInt16BE(pick(random, CLOSE_CODES));
        return whole(
          encode({
            opcode: OPCODE.close,
            payload: Buffer.concat([code.subarray(0, between(random, 0, 2)), random() < 0.5 ? this.#noise(130) : Buffer.alloc(0)]),
          }),
        );
      }
      case 'fragments':
        return {
          bytes: Buffer.concat([
            encode({ opcode: OPCODE.text, payload: this.#noise(20), isFinal: false }),
            pick(random, [() => this.unlikely().bytes, () => this.#fragments(this.#noise(60))])(),
          ]),
          swallowsTheRest: true,
        };
      case 'noise':
        return { bytes: this.#noise(2_000), swallowsTheRest: true };
    }
  }

  #harmless(): string {
    // An acknowledgement of what was never sent ends the connection.
    for (;;) {
      const text = pick(this.#random, this.#right);
      if (!/"type":\s*"(hello|ack|token)"/.test(text)) return text;
    }
  }

  /** What a client says at the right time in the wrong order: subscriptions and their numbers collide. */
  #asked(): string {
    const random = this.#random;
    const sub = between(random, 1, 4);
    const thread = `t${between(random, 1, 3)}`;
    return JSON.stringify(
      pick(random, [
        { type: 'subscribe', sub, thread, from: pick(random, ['start', 'run', 'now', { epoch: 'zz', offset: between(random, 0, 9) }]) },
        { type: 'unsubscribe', sub },
        { type: 'ack', sub, offset: 0 },
        { type: 'probe-ok', n: between(random, 0, 3), visibility: 'hidden' },
        { type: 'check', n: between(random, 0, 9) },
        { type: 'cancel', run: `run_${'0'.repeat(20)}` },
        { type: 'visibility', state: pick(random, ['visible', 'hidden', 'frozen']) },
        { type: 'wave', of: 'a later version' },
      ]),
    );
  }

  #fragments(payload: Buffer): Buffer {
    const random = this.#random;
    const count = between(random, 2, 6);
    const cuts = Array.from({ length: count - 1 }, () => between(random, 0, payload.length)).sort((a, b) => a - b);
    const parts = [0, ...cuts].map((from, i) => payload.subarray(from, cuts[i] ?? payload.length));
    const frames = parts.map((part, i) => encode({ opcode: i === 0 ? OPCODE.text : OPCODE.continuation, payload: part, isFinal: i === count - 1 }));
    // Control frames may come between the fragments of a message.
    return Buffer.concat(frames.flatMap((frame, i) => (i > 0 && random() < 0.3 ? [encode({ opcode: OPCODE.ping, payload: this.#noise(5) }), frame] : [frame])));
  }

  #noise(max: number): Buffer {
    const bytes = Buffer.alloc(between(this.#random, 0, max));
    for (let i = 0; i < bytes.length; i++) bytes[i] = Math.floor(this.#random() * 256);
    return bytes;
  }
}
