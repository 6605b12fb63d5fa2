import { randomBytes } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';

/** Checks at once. Each takes 19 MiB and a thread of libuv's pool of four, which file access needs too. */
const PARALLEL = 2;
/** Checks that may wait; at 20 ms each the last one waits about a second. */
const WAITING = 64;

/** Checks passwords, a few at a time, so that a storm of log-ins starves nothing else. */
export interface Passwords {
  /** Whether `password` belongs to `passwordHash`; null, for an unknown name, takes as long and is false. `busy`: too many wait. */
  check(password: string, passwordHash: string | null): Promise<boolean | 'busy'>;
}

export function createPasswords(): Passwords {
  const queue: (() => void)[] = [];
  let running = 0;
  let decoy: Promise<string> | null = null;

  return {
    async check(password, passwordHash) {
      if (running >= PARALLEL) {
        if (queue.length >= WAITING) return 'busy';
        await new Promise<void>((start) => queue.push(start));
      } else {
        running++;
      }
      try {
        decoy ??= hash(randomBytes(32));
        const fits = await verify(passwordHash ?? (await decoy), password);
        return passwordHash !== null && fits;
      } finally {
        // The place goes to the next in line, who does not count anew.
        const next = queue.shift();
        if (next === undefined) running--;
        else next();
      }
    },
  };
}
