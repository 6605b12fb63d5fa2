/** Many strangers at once: each opens a TCP connection, writes what nobody should, and vanishes. */

import { HELLO } from '../support/gateway.ts';
import { between, type Seeded, weighted } from '../support/lab/seeded.ts';
import { RawSocket } from './raw-socket.ts';
import { anyRequest, upgradeRequest } from './requests.ts';
import { encode, OPCODE, type PieceMaker, textFrame } from './wire-bytes.ts';

export type Place = 'request' | 'before hello' | 'after ready';

export interface StormReport {
  /** Things written, by where in a connection's life they came. Whatever came after the server's close is not counted. */
  readonly inputs: Record<Place, number>;
  connections: number;
  /** Answers, by what they were: `HTTP 400`, `close 4500`, `reset`, `still open`. */
  readonly answers: Record<string, number>;
  /** What no gateway may answer, and connections that it left without an answer. */
  readonly faults: string[];
}

export interface StormOptions {
  readonly port: number;
  readonly inputs: number;
  readonly random: Seeded;
  readonly pieces: PieceMaker;
  /** Tokens of the strangers who log in. */
  readonly tokens: readonly string[];
  /** Connections at once. */
  readonly width: number;
  /** The gateway is gone. */
  isOver(): boolean;
}

const SHARES: readonly (readonly [Place, number])[] = [
  ['request', 0.2],
  ['before hello', 0.25],
  ['after ready', 0.55],
];
const ANSWER_WITHIN_MS = 5_000;
/** For what may rightly stay without an answer: the beginning of something. */
const SILENCE_MS = 30;
const PIECES_MAX = 24;
const FAULTS_MAX = 20;
const PING = encode({ opcode: OPCODE.ping, payload: Buffer.from('seen?') });

export async function storm(o: StormOptions): Promise<StormReport> {
  const report: StormReport = { inputs: { request: 0, 'before hello': 0, 'after ready': 0 }, connections: 0, answers: {}, faults: [] };
  const left = new Map(SHARES.map(([place, share]) => [place, Math.round(o.inputs * share)]));
  const next = (): Place | null => {
    const open = [...left].filter(([, count]) => count > 0);
    return open.length === 0 ? null : weighted(o.random, Object.fromEntries(open) as Record<Place, number>);
  };
  const stranger = async (): Promise<void> => {
    for (let place = next(); place !== null && !o.isOver() && report.faults.length < FAULTS_MAX; place = next()) {
      // Addresses of their own, since one address has no more ports than 28,000.
      const socket = new RawSocket(o.port, `127.0.1.${1 + (report.connections++ % 250)}`);
      const written = await (place === 'request' ? ask(socket, o) : talk(socket, place, left.get(place) ?? 1, o));
      left.set(place, (left.get(place) ?? 0) - written);
      report.inputs[place] += written;
      const answer =
        socket.code !== null
          ? `close ${socket.code}`
          : socket.status !== null && socket.status !== 101
            ? `HTTP ${socket.status}`
            : socket.isClosed
              ? 'reset'
              : 'still open';
      report.answers[answer] = (report.answers[answer] ?? 0) + 1;
      for (const fault of socket.faults) report.faults.push(`${place}: ${fault}`);
      if (socket.status === 500 || socket.code === 4009) report.faults.push(`${place}: ${answer}`);
      await socket.reset();
    }
  };
  await Promise.all(Array.from({ length: o.width }, stranger));
  return report;
}

async function ask(socket: RawSocket, o: StormOptions): Promise<number> {
  socket.write(anyRequest(o.random));
  await socket.until(() => socket.status !== null, SILENCE_MS);
  return 1;
}

/** Writes pieces until the server has had enough of it. Tells how many it wrote. */
async function talk(socket: RawSocket, place: Place, leftPieces: number, o: StormOptions): Promise<number> {
  const { random, pieces, tokens } = o;
  socket.write(upgradeRequest(`127.0.0.1:${o.port}`));
  if (!(await socket.until(() => socket.isUpgraded, ANSWER_WITHIN_MS))) {
    socket.faults.push(`a right upgrade got ${socket.status ?? 'no answer'}`);
    return 1;
  }
  if (place === 'after ready') {
    const token = tokens[between(random, 0, tokens.length - 1)];
    socket.write(textFrame(JSON.stringify({ ...HELLO, token })));
    // Half of them do not wait for their seat.
    if (random() < 0.5 && !(await socket.until(() => socket.types.includes('ready'), ANSWER_WITHIN_MS))) {
      socket.faults.push(`a right hello got ${socket.types.join(' ') || 'no answer'}, close ${socket.code}`);
      return 1;
    }
  }
  const count = Math.min(leftPieces, place === 'before hello' ? between(random, 1, 3) : between(random, 1, PIECES_MAX));
  let written = 0;
  let swallowed = false;
  while (written < count && !socket.isClosed && socket.code === null && !swallowed) {
    const isLast = written === count - 1;
    const piece = isLast || (place === 'before hello' && random() < 0.5) ? pieces.unlikely() : pieces.likely();
    written += 1;
    swallowed = piece.swallowsTheRest;
    const cut = random() < 0.1 ? between(random, 0, piece.bytes.length) : piece.bytes.length;
    socket.write(piece.bytes.subarray(0, cut));
    if (cut < piece.bytes.length) {
      await new Promise((resolve) => setImmediate(resolve));
      socket.write(piece.bytes.subarray(cut));
    }
    if (random() < 0.3) await new Promise((resolve) => setImmediate(resolve));
  }
  if (random() < 0.02) return written;
  // All of it was read when this is answered, unless the connection was ended for something in it.
  socket.write(PING);
  const isAnswered = await socket.until(() => socket.pongs > 0 || socket.code !== null, swallowed ? SILENCE_MS : ANSWER_WITHIN_MS);
  if (!isAnswered && !swallowed && !socket.isClosed) socket.faults.push('it was left without an answer');
  return written;
}
