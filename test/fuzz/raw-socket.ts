/** One TCP connection that writes what it likes, and reads what comes back: as HTTP first, as WebSocket after the upgrade. */

import { connect, type Socket } from 'node:net';

export interface RawEnd {
  /** HTTP status; null if the server said nothing. */
  readonly status: number | null;
  /** Code of the server's close frame; null without one. */
  readonly code: number | null;
}

const HEAD_END = Buffer.from('\r\n\r\n');

export class RawSocket {
  status: number | null = null;
  code: number | null = null;
  isClosed = false;
  /** Text frames so far, parsed. */
  readonly types: string[] = [];
  /** What it read that no gateway may say. */
  readonly faults: string[] = [];
  readonly #socket: Socket;
  #data: Buffer = Buffer.alloc(0);
  #pongs = 0;
  #isUpgraded = false;
  #wake: () => void = () => {};

  constructor(port: number, localAddress: string) {
    this.#socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true });
    this.#socket.on('data', (chunk) => {
      this.#data = this.#data.length === 0 ? chunk : Buffer.concat([this.#data, chunk]);
      if (!this.#isUpgraded) this.#readHead();
      if (this.#isUpgraded) this.#readFrames();
      this.#wake();
    });
    // A reset is one of the answers that such a peer may get.
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => {
      this.isClosed = true;
      this.#wake();
    });
  }

  write(bytes: Uint8Array): void {
    if (!this.isClosed) this.#socket.write(bytes);
  }

  /** Resolves when `is` holds, the connection has closed, or after `deadlineMs`; tells whether `is` holds. */
  async until(is: () => boolean, deadlineMs: number): Promise<boolean> {
    if (is() || this.isClosed) return is();
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, deadlineMs);
      this.#wake = () => {
        if (is() || this.isClosed) resolve();
      };
    });
    clearTimeout(timer);
    this.#wake = () => {};
    return is();
  }

  get isUpgraded(): boolean {
    return this.#isUpgraded;
  }

  /** Pongs so far: a ping behind what was written shows that all of it was read. */
  get pongs(): number {
    return this.#pongs;
  }

  async reset(): Promise<void> {
    this.#socket.resetAndDestroy();
    await this.until(() => this.isClosed, 5_000);
  }

  #readHead(): void {
    const end = this.#data.indexOf(HEAD_END);
    if (end < 0) return;
    this.status ??= Number(/^HTTP\/1\.1 (\d{3}) /.exec(this.#data.subarray(0, 32).toString('latin1'))?.[1] ?? 0);
    if (this.status === 0) this.faults.push(`it answered ${JSON.stringify(this.#data.subarray(0, 60).toString('latin1'))}`);
    if (this.status !== 101) return;
    this.#isUpgraded = true;
    this.#data = this.#data.subarray(end + HEAD_END.length);
  }

  #readFrames(): void {
    for (;;) {
      const data = this.#data;
      if (data.length < 2) return;
      const short = (data[1] as number) & 0x7f;
      const headBytes = short === 126 ? 4 : short === 127 ? 10 : 2;
      if (data.length < headBytes) return;
      const length = short === 126 ? data.readUInt16BE(2) : short === 127 ? Number(data.readBigUInt64BE(2)) : short;
      if (data.length < headBytes + length) return;
      this.#take((data[0] as number) & 0x0f, data.subarray(headBytes, headBytes + length));
      this.#data = data.subarray(headBytes + length);
    }
  }

  #take(opcode: number, payload: Buffer): void {
    if (opcode === 10) this.#pongs += 1;
    else if (opcode === 8) this.code = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
    else if (opcode === 1) {
      try {
        this.types.push(String((JSON.parse(payload.toString()) as { type?: unknown }).type));
      } catch {
        this.faults.push(`it sent text that is no JSON: ${payload.subarray(0, 60).toString()}`);
      }
    } else if (opcode !== 9) this.faults.push(`it sent a frame of opcode ${opcode}`);
  }
}
