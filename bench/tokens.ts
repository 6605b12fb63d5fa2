/** One token of a benchmark: 17 characters of text that say which one it is and when it was due. Texts that were merged on their way can
 *  be taken apart again, so every token stays checkable and timable. */

const SEQUENCE_DIGITS = 6;
const TIME_DIGITS = 10;
export const TOKEN_LENGTH = SEQUENCE_DIGITS + TIME_DIGITS + 1;

/** Monotonic microseconds, the same clock in every process of this machine. */
export function nowUs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1_000_000 + Math.floor(nanoseconds / 1_000);
}

/** The text of token `sequence` (from 0), due at `dueUs`. */
export function token(sequence: number, dueUs: number): string {
  return `${sequence.toString(36).padStart(SEQUENCE_DIGITS, '0')}${dueUs.toString(36).padStart(TIME_DIGITS, '0')} `;
}

const TEXT_FIELD = Buffer.from('"text":"');
const QUOTE = 0x22;
const SPACE = 0x20;

/** Hands on every token in the JSON text in `frame`, in order. Throws where a `text` is anything else than whole tokens. */
export function readTokens(frame: Buffer, each: (sequence: number, dueUs: number) => void): void {
  for (let at = frame.indexOf(TEXT_FIELD); at !== -1; at = frame.indexOf(TEXT_FIELD, at)) {
    at += TEXT_FIELD.length;
    while (frame[at] !== QUOTE) {
      if (at + TOKEN_LENGTH >= frame.length || frame[at + TOKEN_LENGTH - 1] !== SPACE) throw broken(frame, at);
      each(readNumber(frame, at, SEQUENCE_DIGITS), readNumber(frame, at + SEQUENCE_DIGITS, TIME_DIGITS));
      at += TOKEN_LENGTH;
    }
  }
}

function readNumber(frame: Buffer, at: number, digits: number): number {
  let value = 0;
  for (let i = at; i < at + digits; i++) {
    const byte = frame[i] as number;
    const digit = byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : byte >= 0x61 && byte <= 0x7a ? byte - 0x57 : -1;
    if (digit === -1) throw broken(frame, at);
    value = value * 36 + digit;
  }
  return value;
}

const broken = (frame: Buffer, at: number): Error =>
  new Error(`Expected tokens of ${TOKEN_LENGTH} characters, got ${JSON.stringify(frame.toString('latin1', at, at + 2 * TOKEN_LENGTH))}.`);
