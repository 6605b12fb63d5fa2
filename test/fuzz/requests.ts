/** HTTP requests that ask for a WebSocket, or for something else, or for nothing that anybody could answer. */

import { between, pick, type Seeded } from '../support/lab/seeded.ts';

const METHODS = ['GET', 'GET', 'GET', 'POST', 'HEAD', 'OPTIONS', 'PUT', 'CONNECT', 'get', 'BREW', ''] as const;
const PATHS = [
  '/v1/ws',
  '/v1/ws',
  '/v1/ws',
  '/v1/ws?intent=auto',
  '/v1/ws?ticket=x',
  '/v1/ws?ticket=%zz&ticket=',
  '/v1/ws/',
  '/v1//ws',
  '/v1/ws#x',
  '//v1/ws',
  '/%76%31/ws',
  '/v1/ws?%',
  'http://other/v1/ws',
  '*',
  '/',
  '/v1/auth/me',
  '/v1/threads/t/messages',
  '/v1/me/sessions',
  '/readyz',
  '/admin/api/v1/status',
  '/v1/threads/%ff/events',
  '/../../etc/passwd',
  `/${'a'.repeat(5_000)}`,
  '/v1/ws?x=\u0007',
] as const;
const HOSTS = ['127.0.0.1', '127.0.0.1', 'localhost:80', '', 'a b', 'user:secret@host', '[::1]', '[', 'h\u00fcst', 'x'.repeat(300), '127.0.0.1:99999'] as const;
const CONNECTIONS = ['Upgrade', 'Upgrade', 'Upgrade', 'keep-alive, Upgrade', 'close', 'upgrade', ''] as const;
const UPGRADES = ['websocket', 'websocket', 'websocket', 'WebSocket', 'h2c', 'websocket, h2c', ''] as const;
const KEYS = ['dGhlIHNhbXBsZSBub25jZQ==', 'dGhlIHNhbXBsZSBub25jZQ==', '', 'short', '====', 'x'.repeat(200)] as const;
const VERSIONS = ['13', '13', '13', '8', '7', '0', '-1', '13, 8', 'x', ''] as const;
const PROTOCOLS = [
  'spillway.v1',
  'spillway.v1',
  'spillway.v1, bearer.x.y.z',
  'bearer.x',
  'spillway.v2',
  'spillway.v1,spillway.v1',
  ',',
  'a b',
  '',
  `spillway.v1, bearer.${'x'.repeat(9_000)}`,
] as const;
const MORE = [
  'Origin: http://127.0.0.1',
  'Origin: null',
  'Origin: https://other.example',
  'Origin: \u00ff',
  'Cookie: spillway_session=x; spillway_session=y',
  'Cookie: =; ;;; spillway_session',
  'Authorization: Bearer x.y.z',
  'Authorization: Bearer',
  'Content-Length: 5',
  'Content-Length: -1',
  'Transfer-Encoding: chunked',
  'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=99',
  'Sec-WebSocket-Extensions: ;;,=,',
  'X-Forwarded-Proto: https',
  'X-Forwarded-For: 1.2.3.4, \u00e9',
  'Expect: 100-continue',
  'User-Agent: \u0080\u0081',
  ' folded: line',
  'No colon here',
  `X-Long: ${'x'.repeat(17_000)}`,
  'Host: twice',
] as const;

/** One request as bytes; some characters of it are none of HTTP's. */
export function anyRequest(random: Seeded): Buffer {
  const lines = [`${pick(random, METHODS)} ${pick(random, PATHS)} ${random() < 0.95 ? 'HTTP/1.1' : pick(random, ['HTTP/1.0', 'HTTP/2.0', 'HTTP/9', ''])}`];
  const header = (name: string, value: string): void => {
    if (random() < 0.95) lines.push(`${name}: ${value}`);
  };
  header('Host', pick(random, HOSTS));
  header('Connection', pick(random, CONNECTIONS));
  header('Upgrade', pick(random, UPGRADES));
  header('Sec-WebSocket-Key', pick(random, KEYS));
  header('Sec-WebSocket-Version', pick(random, VERSIONS));
  header('Sec-WebSocket-Protocol', pick(random, PROTOCOLS));
  for (let more = between(random, 0, 2); more > 0; more--) lines.push(pick(random, MORE));
  const text = `${lines.join(random() < 0.97 ? '\r\n' : '\n')}\r\n\r\n`;
  const bytes = Buffer.from(`${text}${random() < 0.1 ? '{"text":"a body"}' : ''}`, 'latin1');
  if (random() < 0.2) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
  return random() < 0.05 ? bytes.subarray(0, Math.floor(random() * bytes.length)) : bytes;
}

/** The request that is right. */
export const upgradeRequest = (host: string): Buffer =>
  Buffer.from(
    `GET /v1/ws HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: spillway.v1\r\n\r\n`,
  );
