/** Identities. Each is made once and carried; none is ever rebuilt from parts of another. */

declare const brand: unique symbol;
type Branded<B extends string> = string & { readonly [brand]: B };

/** An authenticated identity, as the issuer of its credentials spells it. Compared exactly, never by prefix. */
export type UserId = Branded<'user'>;
/** A conversation. Chosen by the client and unique within its user only: the store's key is (user, thread). */
export type ThreadId = Branded<'thread'>;
/** One agent execution, `run_` and 20 characters. */
export type RunId = Branded<'run'>;
/** One logical client session, `mgr_` and 20 characters. It survives its sockets. */
export type ManagerId = Branded<'manager'>;
/** One stored message, `msg_` and 20 characters. */
export type MessageId = Branded<'message'>;
/** One gateway process. */
export type NodeId = Branded<'node'>;
/** Names one life of a stream's offsets: `[0-9a-z]{1,16}`. */
export type Epoch = Branded<'epoch'>;

/** Rank of a user among users who wait for a full node. Configurable by name; these four are the default ones. */
export type Tier = string;

export const USER_ID_MAX_BYTES = 256;

const THREAD_ID = /^[A-Za-z0-9._:-]{1,128}$/;
const GENERATED = /^[a-z]+_[0-9a-z]{20}$/;
const EPOCH = /^[0-9a-z]{1,16}$/;

export const isThreadId = (text: unknown): text is ThreadId => typeof text === 'string' && THREAD_ID.test(text);
export const isEpoch = (text: unknown): text is Epoch => typeof text === 'string' && EPOCH.test(text);

/** True for 1…256 UTF-8 bytes of well-formed text without control characters: what an issuer may put into `sub`. Bytes, because
 *  a resume token of 512 bytes spells the id out. */
export function isUserId(text: unknown): text is UserId {
  if (typeof text !== 'string' || text.length === 0 || text.length > USER_ID_MAX_BYTES) return false;
  let bytes = 0;
  for (const character of text) {
    const point = character.codePointAt(0) as number;
    if (point < 0x20 || point === 0x7f || (point >= 0xd800 && point <= 0xdfff)) return false;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return bytes <= USER_ID_MAX_BYTES;
}

export type IdPrefix = 'mgr' | 'run' | 'msg' | 'cln' | 'pln';

/** True for an id that this gateway could have made with `prefix`. It says nothing about whether such a thing exists. */
export function isGeneratedId(prefix: IdPrefix, text: unknown): boolean {
  return typeof text === 'string' && text.startsWith(`${prefix}_`) && GENERATED.test(text);
}

const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';

/** Spells random bytes as `length` characters of `[0-9a-z]`. `bytes` holds at least `length` bytes of a cryptographic
 *  source; the slight bias of 256 mod 36 costs less than a tenth of a bit a character. */
export function spellRandom(bytes: Uint8Array, length: number): string {
  const codes: number[] = [];
  for (let i = 0; i < length; i++) codes.push(ALPHABET.charCodeAt((bytes[i] as number) % 36));
  // In one piece: added up character by character an id takes 480 bytes for as long as it is kept instead of 40 (measured).
  return String.fromCharCode(...codes);
}
