import { createHmac } from 'node:crypto';

const CHARACTERS = 16;

/** How a user is named in traces. `hashed`: the same name on every node that has the same key, which nobody without the key can undo. */
export function userNames(kind: 'hashed' | 'plain', key: Uint8Array): (user: string) => string {
  if (kind === 'plain') return (user) => user;
  return (user) => createHmac('sha256', key).update(user).digest('hex').slice(0, CHARACTERS);
}
