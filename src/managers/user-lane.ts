import type { UserId } from '../protocol/ids.ts';

/** One thing at a time for each user, users side by side. A chain of promises a user; nobody else's work is waited for. */
export class UserLanes {
  readonly #tails = new Map<UserId, Promise<unknown>>();

  run<T>(user: UserId, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(user) ?? Promise.resolve();
    const mine = before.then(work, work);
    // The chain goes on after a failure; whoever called sees it.
    const tail = mine.catch(() => {});
    this.#tails.set(user, tail);
    void tail.then(() => {
      if (this.#tails.get(user) === tail) this.#tails.delete(user);
    });
    return mine;
  }
}
