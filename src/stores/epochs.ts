import type { Random } from '../ports/random.ts';
import { type Epoch, spellRandom } from '../protocol/ids.ts';

/** 12 characters (62 bits): unlikely to meet again among the epochs that one client can have seen. */
export const newEpoch = (random: Random): Epoch => spellRandom(random.bytes(12), 12) as Epoch;
