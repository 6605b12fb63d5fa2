/** Clients of the peer in a process of their own, with their maker's defaults:  node socketio-clients.ts URL FIRST COUNT TOGETHER */
import { io, type Socket } from 'socket.io-client';
import { nowMs } from '../../test/support/lab/time.ts';
import { answer } from '../helper.ts';
import type { Ask } from './socketio-node.ts';

/** What one client saw of one run. */
export interface Seen {
  readonly room: string;
  readonly pieces: readonly number[];
  /** Of its connection, on the clock that all processes share; null where nothing happened. */
  readonly lostAt: number | null;
  readonly backAt: number | null;
  readonly recovered: boolean;
}

interface Kept {
  readonly room: string;
  readonly socket: Socket;
  readonly asks: boolean;
  pieces: number[];
  lostAt: number | null;
  backAt: number | null;
}

const [url = '', ...numbers] = process.argv.slice(2);
const [first = 0, count = 0, together = 1] = numbers.map(Number);
let run = 0;

const clients: readonly Kept[] = Array.from({ length: count }, (_, i) => {
  const room = `room-${Math.floor((first + i) / together)}`;
  const socket = io(url, { transports: ['websocket'], auth: { room }, forceNew: true });
  const kept: Kept = { room, socket, asks: (first + i) % together === 0, pieces: [], lostAt: null, backAt: null };
  socket.on('piece', (told: { readonly run: number; readonly piece: number }) => {
    if (told.run === run) kept.pieces.push(told.piece);
  });
  socket.on('disconnect', () => {
    kept.lostAt = nowMs();
    kept.backAt = null;
  });
  socket.on('connect', () => {
    if (kept.lostAt !== null) kept.backAt = nowMs();
  });
  return kept;
});

answer({
  connected: () => clients.filter(({ socket }) => socket.connected).length,
  begin({ run: next, pieces, perSecond }: Omit<Ask, 'room'>) {
    run = next;
    for (const kept of clients) {
      Object.assign(kept, { pieces: [], lostAt: null, backAt: null });
    }
    const asked = clients.filter(({ asks }) => asks).map(({ socket, room }) => socket.timeout(10_000).emitWithAck('ask', { room, run, pieces, perSecond }));
    return Promise.all(asked).then(() => null);
  },
  begun: () => clients.filter(({ pieces }) => pieces.length > 0).length,
  /** A part of them leaves and comes anew, as reloaded pages do. */
  reload({ share }: { readonly share: number }) {
    for (const { socket } of clients) if (Math.random() < share) socket.disconnect().connect();
  },
  seen: (): readonly Seen[] =>
    clients.map(({ room, pieces, lostAt, backAt, socket }) => ({ room, pieces, lostAt, backAt, recovered: lostAt !== null && socket.recovered })),
});
