import { takeTokens, type Wire } from './wire.ts';

/** JSON text over a WebSocket, and nothing else. */
export function wsWire(): Wire {
  return {
    request: (index) => ({ path: `/?i=${index}` }),
    opened: (connection) => connection.isReady(),
    text: (connection, payload) => takeTokens(connection, payload),
    ask: (connection, text) => connection.sendText(JSON.stringify({ type: 'ask', text })),
  };
}
