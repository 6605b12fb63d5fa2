/** WebSocket framing (RFC 6455) for the load generator: it reads in place, out of a buffer that all connections share. */

export const OPCODE = { continuation: 0x0, text: 0x1, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa } as const;

/** Called with a whole message or control frame. `payload` is valid only during the call. */
export type OnMessage = (opcode: number, payload: Buffer) => void;

const EMPTY = Buffer.alloc(0);

/** Takes what comes from a server, in pieces of any size, and hands on whole messages. */
export class FrameReader {
  readonly #onMessage: OnMessage;
  /** The beginning of a frame whose rest has not come. */
  #rest: Buffer = EMPTY;
  #parts: Buffer[] = [];
  #opcode = 0;

  constructor(onMessage: OnMessage) {
    this.#onMessage = onMessage;
  }

  /** `chunk` may be reused by the caller afterwards. Throws for what no server may send. */
  push(chunk: Buffer): void {
    const data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (;;) {
      const end = this.#frame(data, at);
      if (end === -1) break;
      at = end;
    }
    this.#rest = at === data.length ? EMPTY : Buffer.from(data.subarray(at));
  }

  /** Reads the frame at `at` and returns where it ends, or -1 while it is not whole. */
  #frame(data: Buffer, at: number): number {
    if (data.length - at < 2) return -1;
    const first = data[at] as number;
    const second = data[at + 1] as number;
    if ((first & 0x70) !== 0) throw new Error(`Expected a frame without extensions, got first byte 0x${first.toString(16)}.`);
    if ((second & 0x80) !== 0) throw new Error('Expected an unmasked frame from a server, got a masked one.');
    let length = second & 0x7f;
    let start = at + 2;
    if (length === 126) {
      if (data.length - at < 4) return -1;
      length = data.readUInt16BE(at + 2);
      start = at + 4;
    } else if (length === 127) {
      if (data.length - at < 10) return -1;
      length = data.readUInt32BE(at + 2) * 2 ** 32 + data.readUInt32BE(at + 6);
      start = at + 10;
    }
    const end = start + length;
    if (end > data.length) return -1;
    this.#whole((first & 0x80) !== 0, first & 0x0f, data.subarray(start, end));
    return end;
  }

  #whole(isLast: boolean, opcode: number, payload: Buffer): void {
    const isPart = opcode === OPCODE.continuation;
    if (isPart !== this.#parts.length > 0 && opcode < OPCODE.close)
      throw new Error(`Expected ${isPart ? 'a first' : 'a next'} fragment, got opcode ${opcode}.`);
    if (opcode >= OPCODE.close || (isLast && !isPart)) {
      this.#onMessage(opcode, payload);
      return;
    }
    if (!isPart) this.#opcode = opcode;
    this.#parts.push(Buffer.from(payload));
    if (!isLast) return;
    const message = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#onMessage(this.#opcode, message);
  }
}

/** Not zero: servers skip unmasking for a key of zeros, which would make them look cheaper than they are. */
const MASK = [0x37, 0xfa, 0x21, 0x3d] as const;

/** A whole frame as clients send it: masked. */
export function clientFrame(opcode: number, payload: string | Buffer): Buffer {
  const body = typeof payload === 'string' ? Buffer.from(payload) : payload;
  const extra = body.length < 126 ? 0 : body.length < 65_536 ? 2 : 8;
  const frame = Buffer.allocUnsafe(6 + extra + body.length);
  frame[0] = 0x80 | opcode;
  frame[1] = 0x80 | (extra === 0 ? body.length : extra === 2 ? 126 : 127);
  if (extra === 2) frame.writeUInt16BE(body.length, 2);
  if (extra === 8) frame.writeBigUInt64BE(BigInt(body.length), 2);
  frame.set(MASK, 2 + extra);
  const start = 6 + extra;
  for (let i = 0; i < body.length; i++) frame[start + i] = (body[i] as number) ^ (MASK[i & 3] as number);
  return frame;
}
