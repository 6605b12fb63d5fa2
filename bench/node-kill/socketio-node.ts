/** One node of the peer: Socket.IO with connection state recovery over the Redis streams adapter, with both makers' defaults but for the
 *  length of the stream, which holds all of a run. Whoever asks is answered by the node that was asked, into the conversation's room.
 *    node socketio-node.ts REDIS_PORT PORT */
import { createServer } from 'node:http';
import { createAdapter } from '@socket.io/redis-streams-adapter';
import { Redis } from 'ioredis';
import { Server } from 'socket.io';

export interface Ask {
  readonly room: string;
  readonly run: number;
  readonly pieces: number;
  readonly perSecond: number;
}

const [redisPort, port] = process.argv.slice(2).map(Number) as [number, number];
const STREAM_LENGTH = 1_000_000;

const redis = new Redis({ port: redisPort, host: '127.0.0.1' });
const server = createServer();
const io = new Server(server, {
  transports: ['websocket'],
  serveClient: false,
  connectionStateRecovery: {},
  adapter: createAdapter(redis, { maxLen: STREAM_LENGTH }),
});

io.on('connection', (socket) => {
  // What was recovered is in its rooms already; to join twice changes nothing.
  void socket.join(String(socket.handshake.auth.room));
  socket.on('ask', (asked: Ask, taken: () => void) => {
    taken();
    answer(asked);
  });
});

function answer({ room, run, pieces, perSecond }: Ask): void {
  let piece = 0;
  const timer = setInterval(() => {
    piece++;
    io.to(room).emit('piece', { run, piece, text: 'a few words, about as many ' });
    if (piece === pieces) clearInterval(timer);
  }, 1_000 / perSecond);
}

process.once('disconnect', () => process.exit(0));
server.listen(port, '127.0.0.1', 4_096, () => process.send?.('listening'));
