import { randomBytes } from 'node:crypto';
import { type IdPrefix, spellRandom } from '../protocol/ids.ts';

/** The only source of randomness. */
export interface Random {
  /** A number from 0 to below 1, for jitter. */
  share(): number;
  /** Bytes of a cryptographic source, for ids and credentials. */
  bytes(count: number): Uint8Array;
}

export const systemRandom: Random = {
  share: () => randomBytes(4).readUInt32BE() / 2 ** 32,
  bytes: (count) => randomBytes(count),
};

/** A new id, `<prefix>_` and 20 characters of `[0-9a-z]` (103 bits). */
export const newId = (random: Random, prefix: IdPrefix): string => [prefix, spellRandom(random.bytes(20), 20)].join('_');
