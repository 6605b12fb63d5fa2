/** Names of everything that is kept in Redis. All of one user lies in one slot, so that one script sees it whole. */

import type { NodeId, UserId } from '../../protocol/ids.ts';

/** What a prefix may be: it stands before every key, and in patterns of access rules. */
const PREFIX = /^[A-Za-z0-9_.-]{1,64}$/;
const PLAIN = /^[A-Za-z0-9_.-]*$/;

export const isKeyPrefix = (text: string): boolean => PREFIX.test(text);

/** A user's id as it stands in keys: bytes outside `[A-Za-z0-9_.-]` percent-encoded, as braces would break the slot. Half a character, of
 *  which no UTF-8 can be made, is `%u` and its code. */
export function spellUser(user: UserId): string {
  if (PLAIN.test(user)) return user;
  const parts = user.split(/([\ud800-\udfff])/u).map((part, i) => (i % 2 === 1 ? `%u${part.charCodeAt(0).toString(16)}` : encodeURIComponent(part)));
  return parts.join('').replace(/[!~*'()]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Reads what `spellUser` wrote. */
export const readUser = (spelled: string): UserId =>
  spelled
    .split(/%u([0-9a-f]{4})/)
    .map((part, i) => (i % 2 === 1 ? String.fromCharCode(Number.parseInt(part, 16)) : decodeURIComponent(part)))
    .join('') as UserId;

export interface Keys {
  readonly prefix: string;
  /** `PREFIX:{USER}:PART`: something of one user. */
  user(user: UserId, ...part: readonly string[]): string;
  /** `PREFIX:PART`: something of all, in a slot of its own. */
  shared(...part: readonly string[]): string;
  /** The nodes that share this store, and the name of its data set. */
  readonly nodes: string;
  /** Letters to a node. */
  box(node: NodeId): string;
}

export function keysOf(prefix: string): Keys {
  const shared = (...part: readonly string[]): string => [prefix, ...part].join(':');
  return {
    prefix,
    user: (user, ...part) => [prefix, `{${spellUser(user)}}`, ...part].join(':'),
    shared,
    nodes: shared('nodes'),
    box: (node) => shared('box', spellUser(node as string as UserId)),
  };
}
