import fc from 'fast-check';
import { expect, test } from 'vitest';
import { framesOf } from './frames.ts';

const bytesOf = (frames: string | Uint8Array): Buffer => (typeof frames === 'string' ? Buffer.from(frames, 'latin1') : Buffer.from(frames));

/** Reads unmasked text frames (RFC 6455 §5.2), strictly. */
function read(bytes: Buffer): string[] {
  const messages: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    expect(bytes[at]).toBe(0x81);
    const short = bytes[at + 1] as number;
    const [length, start] =
      short < 126 ? [short, at + 2] : short === 126 ? [bytes.readUInt16BE(at + 2), at + 4] : [Number(bytes.readBigUInt64BE(at + 2)), at + 10];
    // The shortest form is the only one allowed.
    expect(short < 126 || (short === 126 ? length > 125 : length > 0xffff)).toBe(true);
    messages.push(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(start, start + length)));
    expect(start + length).toBeLessThanOrEqual(bytes.length);
    at = start + length;
  }
  return messages;
}

test('messages come out as they went in, whatever their script and length', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme-ascii', maxLength: 300 })), { maxLength: 8 }), (messages) => {
      expect(read(bytesOf(framesOf(messages)))).toEqual(messages);
    }),
  );
});

test.each([0, 1, 125, 126, 127, 0xffff, 0x1_0000, 0x1_0001, 1_000_000])('a payload of %i bytes, in one byte a character and in two', (bytes) => {
  const ascii = 'x'.repeat(bytes);
  const wide = `${'é'.repeat(bytes >> 1)}${'x'.repeat(bytes & 1)}`;
  expect(typeof framesOf([ascii])).toBe('string');
  expect(read(bytesOf(framesOf([ascii, wide, ascii])))).toEqual([ascii, wide, ascii]);
});
