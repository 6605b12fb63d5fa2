/** Messages of clients from before this protocol, read as what they meant. */

import { isObject } from './rules.ts';

export const OLD_SEND_TYPES: readonly string[] = ['user_message', 'chat', 'start_agent'];

type Raw = Readonly<Record<string, unknown>>;

/** An old client's message as the `send` that it meant, still to be checked. Its fields may lie at the root, under `data` or under
 *  `payload`. Null for any other type. */
export function readOldSend(raw: Raw): Raw | null {
  if (typeof raw.type !== 'string' || !OLD_SEND_TYPES.includes(raw.type)) return null;
  const places = [raw, raw.data, raw.payload].filter(isObject);
  const find = (...names: readonly string[]): unknown => {
    for (const name of names) {
      const place = places.find((p) => p[name] !== undefined);
      if (place !== undefined) return place[name];
    }
    return undefined;
  };
  return { type: 'send', id: find('id', 'message_id'), thread: find('thread', 'thread_id'), data: { text: find('message', 'content', 'text') } };
}
