import { gunzip, gzip } from 'node:zlib';
import type { AdminAnswer } from '../../../../ports/node-letters.ts';
import type { Random } from '../../../../ports/random.ts';
import { spellRandom } from '../../../../protocol/ids.ts';

/** Answers of this many characters fit into a letter as they are, whatever they hold. */
const PLAIN_CHARACTERS = 60_000;
/** Of a packed answer, in base64. */
const PART_CHARACTERS = 180_000;
/** One more makes the oldest be forgotten: whoever asked for it has most likely given up. */
const KEPT = 32;
/** Longer ones are not sent at all, so that no question fills the store. */
const PARTS_MOST = 24;
const ID_LENGTH = 16;

/** Answers that are longer than a letter: packed, cut, and kept until their other parts are fetched. */
export class LongAnswers {
  readonly #random: Random;
  readonly #kept = new Map<string, string>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** @throws Error for one that is far too long. */
  async put(status: number, text: string): Promise<AdminAnswer> {
    if (text.length <= PLAIN_CHARACTERS) return { status, text, more: null };
    const packed = (await pack(Buffer.from(text))).toString('base64');
    const parts = Math.ceil(packed.length / PART_CHARACTERS);
    if (parts > PARTS_MOST) throw new Error(`An answer of ${text.length} characters is too long for letters between nodes. Ask for less at a time.`);
    const id = spellRandom(this.#random.bytes(ID_LENGTH), ID_LENGTH);
    if (parts > 1) {
      this.#kept.set(id, packed);
      for (const old of [...this.#kept.keys()].slice(0, -KEPT)) this.#kept.delete(old);
    }
    return { status, text: packed.slice(0, PART_CHARACTERS), more: { id, parts } };
  }

  /** Null: it was forgotten. The last part takes it away. */
  part(id: string, part: number): string | null {
    const packed = this.#kept.get(id);
    if (packed === undefined || !Number.isInteger(part) || part < 0) return null;
    if ((part + 1) * PART_CHARACTERS >= packed.length) this.#kept.delete(id);
    return packed.slice(part * PART_CHARACTERS, (part + 1) * PART_CHARACTERS);
  }
}

/** The text of a packed answer whose parts are all there. */
export async function unpacked(parts: readonly string[]): Promise<string> {
  return await new Promise((resolve, reject) => {
    gunzip(Buffer.from(parts.join(''), 'base64'), (error, text) => (error === null ? resolve(text.toString()) : reject(error)));
  });
}

const pack = (bytes: Buffer): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    gzip(bytes, { level: 1 }, (error, packed) => (error === null ? resolve(packed) : reject(error)));
  });
