/** Text messages as WebSocket frames (RFC 6455 §5.2): whole, unmasked and uncompressed, as a server sends them. */

const TEXT_FRAME = 0x81;
/** Payload lengths up to here stand in the second byte. */
const SHORT_MAX = 125;
/** Up to here in the two bytes behind `MEDIUM`; longer ones in the eight behind `LONG`. */
const MEDIUM_MAX = 0xffff;
const MEDIUM = 126;
const LONG = 127;

function headerOf(payloadBytes: number): string {
  if (payloadBytes <= SHORT_MAX) return String.fromCharCode(TEXT_FRAME, payloadBytes);
  const low = [(payloadBytes >> 8) & 0xff, payloadBytes & 0xff] as const;
  if (payloadBytes <= MEDIUM_MAX) return String.fromCharCode(TEXT_FRAME, MEDIUM, ...low);
  // Of 64 bits no message here needs more than the lower 32.
  return String.fromCharCode(TEXT_FRAME, LONG, 0, 0, 0, 0, payloadBytes >>> 24, (payloadBytes >> 16) & 0xff, ...low);
}

/** All of `messages` as one chunk for a socket: text whose characters are the bytes (encoding `latin1`) where every message is
 *  ASCII, since that is written without a buffer of its own, else the bytes. */
export function framesOf(messages: readonly string[]): string | Uint8Array {
  let text = '';
  for (const message of messages) {
    const bytes = Buffer.byteLength(message);
    if (bytes !== message.length) return bytesOf(messages);
    text += headerOf(bytes) + message;
  }
  return text;
}

function bytesOf(messages: readonly string[]): Uint8Array {
  const headers = messages.map((message) => headerOf(Buffer.byteLength(message)));
  const size = messages.reduce((sum, message, i) => sum + (headers[i] as string).length + Buffer.byteLength(message), 0);
  const frames = Buffer.allocUnsafe(size);
  let at = 0;
  for (const [i, message] of messages.entries()) {
    at += frames.write(headers[i] as string, at, 'latin1');
    at += frames.write(message, at, 'utf8');
  }
  return frames;
}
