import type { Connection } from './connection.ts';
import { takeTokens, type Wire } from './wire.ts';

const HANDSHAKE = 0x30;
const PING = 0x32;
const MESSAGE = 0x34;
const CONNECTED = 0x30;
const EVENT = 0x32;

/** Engine.IO 4 and Socket.IO 5 as text over a WebSocket. */
export function socketIoWire(): Wire {
  return {
    request: (index) => ({ path: `/socket.io/?EIO=4&transport=websocket&i=${index}` }),
    opened() {},
    text(connection, payload) {
      if (payload[0] === MESSAGE && payload[1] === EVENT) takeTokens(connection, payload);
      else if (payload[0] === PING) connection.sendText('3');
      else if (payload[0] === HANDSHAKE) connection.sendText('40');
      else if (payload[0] === MESSAGE && payload[1] === CONNECTED) connection.isReady();
      else connection.fail(`it said ${payload.toString()}`);
    },
    ask: (connection: Connection, text) => connection.sendText(`42${JSON.stringify(['ask', { text }])}`),
  };
}
