import type { StreamKey } from '../../ports/store.ts';
import type { ThreadId, UserId } from '../../protocol/ids.ts';
import { type Keys, readUser, spellUser } from './keys.ts';

/** Keys of one stream and its thread, all in the user's slot. What each holds stands in docs/redis.md and in the scripts. */
export interface StreamKeys {
  readonly stream: string;
  readonly log: string;
  readonly bytes: string;
  readonly open: string;
  readonly order: string;
  readonly messages: string;
  readonly sends: string;
  /** Channel for news. */
  readonly news: string;
  readonly user: UserKeys;
}
/** Keys of one user's threads. */
export interface UserKeys {
  readonly threads: string;
  readonly titles: string;
  readonly runs: string;
  /** Epoch of streams that are not there yet. */
  readonly new: string;
  /** What a thread's own keys begin with, its id behind it. */
  readonly thread: string;
}

export function userKeys(keys: Keys, user: UserId): UserKeys {
  const base = keys.user(user);
  return { threads: `${base}:threads`, titles: `${base}:titles`, runs: `${base}:runs`, new: `${base}:new`, thread: `${base}:th:` };
}

export const STREAM_PART = ':stream';

export function streamKeys(keys: Keys, { user, thread }: StreamKey): StreamKeys {
  const ofUser = userKeys(keys, user);
  const base = `${ofUser.thread}${thread}`;
  return {
    stream: `${base}${STREAM_PART}`,
    log: `${base}:log`,
    bytes: `${base}:bytes`,
    open: `${base}:open`,
    order: `${base}:order`,
    messages: `${base}:messages`,
    sends: `${base}:sends`,
    news: `${base}:news`,
    user: ofUser,
  };
}

/** A stream's name where those of all users stand together. */
export const nameOf = ({ user, thread }: StreamKey): string => `${spellUser(user)}:${thread}`;

/** Reads what `nameOf` wrote. */
export function keyOf(name: string): StreamKey {
  const colon = name.indexOf(':');
  return { user: readUser(name.slice(0, colon)), thread: name.slice(colon + 1) as ThreadId };
}
