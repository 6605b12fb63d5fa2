/** Measures of text that need no encoder: this folder runs where there is none. */

/** UTF-8 bytes of `text`. A lone surrogate counts as the three bytes of the character that would replace it. */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    if (unit < 0x800) bytes += 1;
    else if (unit >= 0xd800 && unit < 0xdc00 && isLowSurrogate(text.charCodeAt(i + 1))) {
      bytes += 2;
      i += 1;
    } else bytes += 2;
  }
  return bytes;
}

const isLowSurrogate = (unit: number): boolean => unit >= 0xdc00 && unit < 0xe000;

/** Whether `text` takes more than `limit` UTF-8 bytes; counts only where the number of units leaves it open. */
export function isLongerThan(text: string, limit: number): boolean {
  if (text.length > limit) return true;
  return text.length * 3 > limit && utf8Bytes(text) > limit;
}

/** Whether every surrogate of `text` has its partner. One without has no UTF-8 form, so two such texts could become one key. */
export const isWellFormed = (text: string): boolean => !/\p{Surrogate}/u.test(text);

/** At most the first `length` units of `text`, without halves of characters: neither one that is cut here, nor one that came so. */
export const startOf = (text: string, length: number): string => text.slice(0, length).replace(/\p{Cs}/gu, '');

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Whether JSON `text` nests arrays and objects deeper than `limit`, told without building anything. `{}` has depth 1.
 *  Of text that is no JSON the answer means nothing, but it comes in one pass all the same. */
export function isDeeperThan(text: string, limit: number): boolean {
  if (text.length <= limit) return false;
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (quoted) {
      if (unit === BACKSLASH) i += 1;
      else if (unit === QUOTE) quoted = false;
    } else if (unit === QUOTE) quoted = true;
    else if (unit === 0x7b || unit === 0x5b) {
      depth += 1;
      if (depth > limit) return true;
    } else if (unit === 0x7d || unit === 0x5d) depth -= 1;
  }
  return false;
}
