import { createHash, timingSafeEqual } from 'node:crypto';
import { SpillwayError } from '../protocol/errors.ts';

/** Fewer characters could be tried out. */
const MIN_LENGTH = 16;

export const ADMIN_KEY_RULE = `a key of at least ${MIN_LENGTH} characters without spaces`;

/** Whether a text may serve as the key of the admin API: long enough, and such that a header can carry it. */
export const isAdminKey = (text: string): boolean => text.length >= MIN_LENGTH && /^[\x21-\x7e]+$/.test(text);

/** Answers whether somebody presented the key. How long that takes tells nothing of the key.
 *  @throws SpillwayError `SPILLWAY_BAD_OPTION` for a text that may not be one. */
export function adminKeyCheck(key: string): (presented: string) => boolean {
  if (!isAdminKey(key)) throw new SpillwayError('SPILLWAY_BAD_OPTION', `Expected \`adminKey\` to be ${ADMIN_KEY_RULE}, got ${key.length} characters.`);
  const expected = digest(key);
  // Digests have one length, which the comparison needs.
  return (presented) => timingSafeEqual(digest(presented), expected);
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
