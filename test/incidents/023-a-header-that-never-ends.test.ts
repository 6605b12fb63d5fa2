// `spillway serve` left a connection that never finished its first request to the defaults of Node.js: a header sent byte by byte, or a
// connection without a byte, was closed after 60 to 90 seconds. Ten were promised.
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { openListener } from '../../src/cli/listener.ts';

const PROMISED_MS = 10_000;
const CLOSED_WITHIN_MS = 15_000;

test('who does not finish its header is closed on time, whatever it sends', async () => {
  const listener = await openListener('listen', { host: '127.0.0.1', port: 0 });
  try {
    expect(listener.server.headersTimeout).toBe(PROMISED_MS);
    const silent = connect(listener.address.port, '127.0.0.1').resume();
    const slow = connect(listener.address.port, '127.0.0.1').resume();
    // A closed connection may take one byte more.
    for (const socket of [silent, slow]) socket.on('error', () => {});
    slow.write('GET / HTTP/1.1\r\nHost: gateway\r\nX-Slow: ');
    const drip = setInterval(() => slow.write('x'), 500);
    slow.once('close', () => clearInterval(drip));
    const signal = AbortSignal.timeout(CLOSED_WITHIN_MS);
    await Promise.all([once(silent, 'close', { signal }), once(slow, 'close', { signal })]);
  } finally {
    await listener.close();
  }
});
