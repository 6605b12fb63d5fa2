import { type Buckets, Histogram } from '../histogram.ts';
import { nowUs, token } from '../tokens.ts';
import { type Checked, NOTHING_CHECKED, together } from './checker.ts';
import { Connection, type Traffic } from './connection.ts';
import { clientFrame, OPCODE } from './frames.ts';
import { socketIoWire } from './socketio-wire.ts';
import { SpillwayWire, type SpillwayWireOptions } from './spillway-wire.ts';
import type { Wire } from './wire.ts';
import { wsWire } from './ws-wire.ts';

export type WireName = 'spillway' | 'ws' | 'socketio';

export interface ConnectInput {
  readonly wire: WireName;
  readonly port: number;
  /** Numbers of the connections: `first`, `first + 1` … */
  readonly first: number;
  readonly count: number;
  /** Connects under way at once. */
  readonly inFlight: number;
  /** For the wire `spillway`. */
  readonly spillway: SpillwayWireOptions;
}

/** What came since the last `begin`. */
export interface TrafficReport {
  readonly reads: number;
  readonly frames: number;
  readonly tokens: number;
  readonly bytes: number;
  /** From the begin to the last token. */
  readonly spanMs: number;
  readonly latency: Buckets;
  readonly cpuMs: number;
  /** Share of the time since the begin in which this process used a core. */
  readonly busyShare: number;
}

export interface ConnectReport {
  readonly wallMs: number;
  readonly perConnect: Buckets;
}

const SETTLE_LOOK_MS = 20;

/** All clients of a run. */
export class Generator {
  readonly #connections: Connection[] = [];
  readonly #counts: Traffic;
  #wire: Wire | null = null;
  #latency = new Histogram();
  #began = { us: nowUs(), cpu: process.cpuUsage() };

  constructor() {
    this.#counts = { reads: 0, frames: 0, tokens: 0, bytes: 0, lastUs: 0, latency: (us) => this.#latency.add(us) };
  }

  /** Gets the credentials for a later `connect` with the same input, so that getting them is no part of what is measured. */
  async prepare(input: ConnectInput): Promise<void> {
    const wire = this.#wireFor(input);
    if (!(wire instanceof SpillwayWire)) return;
    for (let index = input.first; index < input.first + input.count; index++) {
      wire.prepare(index);
      if (input.spillway.credential === 'ticket') await wire.buyTicket(index, input.port);
    }
  }

  /** Connects, and resolves when all are ready. */
  async connect(input: ConnectInput): Promise<ConnectReport> {
    const wire = this.#wireFor(input);
    const perConnect = new Histogram();
    const startedUs = nowUs();
    let next = input.first;
    const worker = async (): Promise<void> => {
      while (next < input.first + input.count) {
        const fromUs = nowUs();
        const connection = new Connection(next++, input.port, wire, this.#counts);
        this.#connections.push(connection);
        await connection.ready;
        perConnect.add(nowUs() - fromUs);
      }
    };
    await Promise.all(Array.from({ length: Math.min(input.inFlight, input.count) }, worker));
    return { wallMs: (nowUs() - startedUs) / 1_000, perConnect: perConnect.buckets };
  }

  #wireFor(input: ConnectInput): Wire {
    if (input.wire !== 'spillway') {
      this.#wire ??= input.wire === 'ws' ? wsWire() : socketIoWire();
      return this.#wire;
    }
    const wire = this.#wire instanceof SpillwayWire ? this.#wire : new SpillwayWire(input.spillway);
    this.#wire = wire;
    wire.options = input.spillway;
    return wire;
  }

  begin(): void {
    Object.assign(this.#counts, { reads: 0, frames: 0, tokens: 0, bytes: 0, lastUs: 0 });
    this.#latency = new Histogram();
    this.#began = { us: nowUs(), cpu: process.cpuUsage() };
  }

  traffic(): TrafficReport {
    const { reads, frames, tokens, bytes, lastUs } = this.#counts;
    const { user, system } = process.cpuUsage(this.#began.cpu);
    const cpuMs = (user + system) / 1_000;
    return {
      reads,
      frames,
      tokens,
      bytes,
      spanMs: Math.max(0, lastUs - this.#began.us) / 1_000,
      latency: this.#latency.buckets,
      cpuMs,
      busyShare: cpuMs / ((nowUs() - this.#began.us) / 1_000),
    };
  }

  /** Connections that did not break. */
  alive(): number {
    return this.#connections.filter(({ broken }) => broken === null).length;
  }

  /** Waits until every connection has what was sent to it, or until nothing came for `quietMs`; then tells what became of it.
   *  Rejects if a connection broke. */
  async settle({ sent, quietMs }: { readonly sent: readonly number[]; readonly quietMs: number }): Promise<Checked> {
    const due = sent.reduce((sum, count) => sum + count, 0);
    let was = -1;
    let quietSince = nowUs();
    for (;;) {
      this.#expectWhole();
      const received = this.#connections.reduce((sum, { checker }) => sum + checker.received, 0);
      if (received >= due) break;
      if (received !== was) quietSince = nowUs();
      else if (nowUs() - quietSince > quietMs * 1_000) break;
      was = received;
      await new Promise((resolve) => setTimeout(resolve, SETTLE_LOOK_MS));
    }
    return this.#connections.reduce((sum, { checker, index }) => together(sum, checker.result(sent[index] ?? 0)), NOTHING_CHECKED);
  }

  #expectWhole(): void {
    const broken = this.#connections.filter((connection) => connection.broken !== null);
    if (broken.length > 0)
      throw new Error(`${broken.length} of ${this.#connections.length} connections broke; number ${broken[0]?.index}: ${broken[0]?.broken}.`);
  }

  /** Asks `perSecond` times a second in all, in turn, for `seconds`; the answers come as tokens, timed from when their question was due.
   *  A connection whose answer is still under way is not asked again before it came. Resolves to how
   *  many each was asked since it connected. */
  async echo({ perSecond, seconds }: { readonly perSecond: number; readonly seconds: number }): Promise<readonly number[]> {
    const wire = this.#wire;
    if (wire === null) throw new Error('Expected connections before an echo.');
    const startUs = nowUs();
    const asked = this.#connections.map(({ checker }) => checker.received);
    const total = perSecond * seconds;
    for (let i = 0; i < total; i++) {
      const dueUs = startUs + Math.round((i * 1_000_000) / perSecond);
      while (nowUs() < dueUs) await new Promise((resolve) => setTimeout(resolve, Math.max(0, (dueUs - nowUs()) / 1_000)));
      const at = i % this.#connections.length;
      const connection = this.#connections[at] as Connection;
      while (connection.checker.received < (asked[at] as number)) await new Promise((resolve) => setImmediate(resolve));
      const sequence = asked[at] as number;
      asked[at] = sequence + 1;
      wire.ask(connection, token(sequence, dueUs));
    }
    return asked;
  }

  /** All clients go away, and their sockets with them. */
  async leave(abruptly: boolean): Promise<void> {
    const leaving = this.#connections.splice(0);
    for (const connection of leaving) connection.leave(abruptly);
    await Promise.all(leaving.map(({ gone }) => gone));
  }

  /** From now on Spillway's clients answer, or do not. */
  answers(isAnswering: boolean): void {
    if (!(this.#wire instanceof SpillwayWire)) return;
    this.#wire.options = { ...this.#wire.options, answers: isAnswering };
    if (isAnswering) for (const connection of this.#connections) this.#wire.catchUp(connection);
  }

  /** Every connection begins a frame of `bytes` and leaves its last byte out. */
  beginFrame(bytes: number): void {
    const frame = clientFrame(OPCODE.text, Buffer.alloc(bytes, ' '));
    for (const { socket } of this.#connections) socket.write(frame.subarray(0, -1));
  }

  /** From now on no connection takes anything from the kernel. */
  stopReading(): void {
    for (const { socket } of this.#connections) socket.pause();
  }

  readAgain(): void {
    for (const { socket } of this.#connections) socket.resume();
  }
}
