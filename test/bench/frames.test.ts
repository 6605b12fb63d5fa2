import fc from 'fast-check';
import { expect, test } from 'vitest';
import { clientFrame, FrameReader, OPCODE } from '../../bench/generator/frames.ts';

/** A frame as a server sends it: whole, or a fragment. */
function serverFrame(opcode: number, payload: Buffer, isLast = true): Buffer {
  const extra = payload.length < 126 ? 0 : payload.length < 65_536 ? 2 : 8;
  const head = Buffer.alloc(2 + extra);
  head[0] = (isLast ? 0x80 : 0) | opcode;
  head[1] = extra === 0 ? payload.length : extra === 2 ? 126 : 127;
  if (extra === 2) head.writeUInt16BE(payload.length, 2);
  if (extra === 8) head.writeBigUInt64BE(BigInt(payload.length), 2);
  return Buffer.concat([head, payload]);
}

function reading(): { readonly reader: FrameReader; readonly seen: (readonly [number, string])[] } {
  const seen: (readonly [number, string])[] = [];
  return { reader: new FrameReader((opcode, payload) => seen.push([opcode, payload.toString('latin1')])), seen };
}

test('frames of every length come out whole, wherever the stream is cut', () => {
  const lengths = fc.constantFrom(0, 1, 125, 126, 127, 1_000, 65_535, 65_536, 70_000);
  fc.assert(
    fc.property(fc.array(lengths, { minLength: 1, maxLength: 4 }), fc.array(fc.nat(), { maxLength: 6 }), (sizes, cuts) => {
      const payloads = sizes.map((size, i) => Buffer.alloc(size, 97 + i));
      const bytes = Buffer.concat(payloads.map((payload) => serverFrame(OPCODE.text, payload)));
      const { reader, seen } = reading();
      // One buffer for all pieces, as the generator's connections share one.
      const shared = Buffer.alloc(bytes.length);
      const edges = [0, ...cuts.map((cut) => cut % bytes.length).toSorted((a, b) => a - b), bytes.length];
      for (let i = 1; i < edges.length; i++) {
        const piece = bytes.subarray(edges[i - 1], edges[i]);
        piece.copy(shared);
        reader.push(shared.subarray(0, piece.length));
      }
      expect(seen).toEqual(payloads.map((payload) => [OPCODE.text, payload.toString('latin1')]));
    }),
    { numRuns: 60 },
  );
});

test('fragments become one message, and a ping between them is heard at once', () => {
  const { reader, seen } = reading();
  reader.push(serverFrame(OPCODE.text, Buffer.from('one '), false));
  reader.push(serverFrame(OPCODE.ping, Buffer.from('nonce')));
  reader.push(serverFrame(OPCODE.continuation, Buffer.from('two '), false));
  reader.push(serverFrame(OPCODE.continuation, Buffer.from('three')));
  expect(seen).toEqual([
    [OPCODE.ping, 'nonce'],
    [OPCODE.text, 'one two three'],
  ]);
});

test('what no server may send is refused', () => {
  expect(() => reading().reader.push(clientFrame(OPCODE.text, 'masked'))).toThrow('masked');
  expect(() => reading().reader.push(Buffer.from([0xc1, 0]))).toThrow('extensions');
  expect(() => reading().reader.push(serverFrame(OPCODE.continuation, Buffer.from('of nothing')))).toThrow('first fragment');
});

test('what clients send is masked with a key that is not zero', () => {
  for (const size of [0, 5, 125, 126, 65_535, 65_536]) {
    const frame = clientFrame(OPCODE.text, 'x'.repeat(size));
    const extra = size < 126 ? 0 : size < 65_536 ? 2 : 8;
    expect((frame[1] as number) & 0x80).toBe(0x80);
    const key = frame.subarray(2 + extra, 6 + extra);
    expect(key.every((byte) => byte !== 0)).toBe(true);
    const body = frame.subarray(6 + extra).map((byte, i) => byte ^ (key[i & 3] as number));
    expect(Buffer.from(body).toString()).toBe('x'.repeat(size));
  }
});
