import { connect, type Socket } from 'node:net';
import { nowUs } from '../tokens.ts';
import { TokenChecker } from './checker.ts';
import { clientFrame, FrameReader, OPCODE } from './frames.ts';
import type { Wire } from './wire.ts';

/** What the generator counts over all its connections since the last `begin`. */
export interface Traffic {
  reads: number;
  frames: number;
  tokens: number;
  bytes: number;
  /** When the last token came, monotonic microseconds. */
  lastUs: number;
  latency(us: number): void;
}

const HEAD_END = '\r\n\r\n';
const KEY = Buffer.from('the sample nonce').toString('base64');
/** One for all connections: it is read to its end before the next one is filled. */
const SHARED = Buffer.allocUnsafeSlow(64 * 1024);
/** A port range holds about 28,000 connections from one address to one listener, and servers bound upgrades an address. */
const ADDRESSES = 24;

/** One client on raw TCP. */
export class Connection {
  readonly index: number;
  readonly checker = new TokenChecker();
  readonly traffic: Traffic;
  readonly socket: Socket;
  /** Resolves when the wire says that it is ready, with what the wire learned. Rejects if the connection ends before. */
  readonly ready: Promise<void>;
  /** Resolves when the socket is gone. */
  readonly gone: Promise<void>;
  /** Why it ended before its time; null while it lives or if we ended it. */
  broken: string | null = null;
  /** The time of the read that is being handled, monotonic microseconds. */
  readAtUs = 0;
  readonly #wire: Wire;
  readonly #reader: FrameReader;
  #head = '';
  #isOpen = false;
  #leaving = false;
  #isReady: () => void = () => {};
  #failed: (error: Error) => void = () => {};

  constructor(index: number, port: number, wire: Wire, traffic: Traffic) {
    this.index = index;
    this.traffic = traffic;
    this.#wire = wire;
    this.#reader = new FrameReader((opcode, payload) => this.#message(opcode, payload));
    this.ready = new Promise((resolve, reject) => {
      this.#isReady = resolve;
      this.#failed = reject;
    });
    // Whoever waits for `ready` hears of it; where nobody waits any more, `broken` tells.
    this.ready.catch(() => {});
    this.socket = connect({
      port,
      host: '127.0.0.1',
      localAddress: `127.0.0.${2 + (index % ADDRESSES)}`,
      noDelay: true,
      onread: {
        buffer: SHARED,
        callback: (bytes) => {
          this.#read(SHARED.subarray(0, bytes));
          return true;
        },
      },
    });
    this.socket.once('connect', () => this.#upgrade());
    this.socket.on('error', (error) => this.#end(error.message));
    this.gone = new Promise((resolve) => {
      this.socket.once('close', () => {
        this.#end('the server closed it');
        resolve();
      });
    });
  }

  /** Told by the wire: the conversation stands. */
  isReady(): void {
    this.#isReady();
  }

  fail(why: string): void {
    this.#end(why);
    this.socket.destroy();
  }

  sendText(text: string): void {
    this.socket.write(clientFrame(OPCODE.text, text));
  }

  /** Ends it as a client that goes away: without a word if `abruptly`, else with a close frame. */
  leave(abruptly: boolean): void {
    this.#leaving = true;
    if (!abruptly) {
      this.#wire.farewell?.(this);
      this.socket.write(clientFrame(OPCODE.close, Buffer.from([0x03, 0xe8])));
      this.socket.end();
    } else this.socket.destroy();
  }

  #end(why: string): void {
    if (this.#leaving || this.broken !== null) return;
    this.broken = why;
    this.#failed(new Error(`Expected connection ${this.index} to stay, but: ${why}.`));
  }

  #upgrade(): void {
    const { path, protocol } = this.#wire.request(this.index);
    const offer = protocol === undefined ? '' : `Sec-WebSocket-Protocol: ${protocol}\r\n`;
    this.socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n${offer}${HEAD_END.slice(2)}`,
    );
  }

  #read(chunk: Buffer): void {
    this.readAtUs = nowUs();
    this.traffic.reads++;
    this.traffic.bytes += chunk.length;
    try {
      if (this.#isOpen) this.#reader.push(chunk);
      else this.#readHead(chunk);
    } catch (error) {
      this.fail(error instanceof Error ? error.message : String(error));
    }
  }

  #readHead(chunk: Buffer): void {
    this.#head += chunk.toString('latin1');
    const end = this.#head.indexOf(HEAD_END);
    if (end === -1) return;
    if (!this.#head.startsWith('HTTP/1.1 101')) {
      this.fail(`the upgrade was refused: ${this.#head.slice(0, 200)}`);
      return;
    }
    const rest = Buffer.from(this.#head.slice(end + HEAD_END.length), 'latin1');
    this.#head = '';
    this.#isOpen = true;
    this.#wire.opened(this);
    if (rest.length > 0) this.#reader.push(rest);
  }

  #message(opcode: number, payload: Buffer): void {
    if (opcode === OPCODE.text) this.#wire.text(this, payload);
    else if (opcode === OPCODE.ping) this.socket.write(clientFrame(OPCODE.pong, payload));
    else if (opcode === OPCODE.close) this.#end(`it was closed: ${payload.length < 2 ? '' : `${payload.readUInt16BE(0)} ${payload.toString('utf8', 2)}`}`);
  }
}
