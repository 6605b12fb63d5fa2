/** Looks into Redis while things happen: who holds seats, under which tokens, and whether any token was ever given twice. */

import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { nowMs } from '../support/lab/time.ts';

const LOOK_EVERY_MS = 150;
const AGAIN_WITHIN_MS = 5_000;
const PREFIX = 'sp';

export class StoreWatch implements AsyncDisposable {
  /** What must not be, in words. */
  readonly wrong: string[] = [];
  /** The most seats that were seen at once, by user. */
  readonly most = new Map<string, number>();
  readonly #redis: Redis;
  readonly #users: readonly string[];
  readonly #givenTo = new Map<number, string>();
  readonly #tokenOf = new Map<string, number>();
  readonly #highest = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;
  #isLooking = false;
  #looked = 0;

  /** `port`: of the server, or of what stands before it. */
  constructor(port: number, users: readonly string[]) {
    this.#users = users;
    this.#redis = new Redis({ port, host: '127.0.0.1', maxRetriesPerRequest: 0, enableOfflineQueue: false, commandTimeout: 500, retryStrategy: () => 100 });
    // It comes back when the server does.
    this.#redis.on('error', () => {});
    this.#timer = setInterval(() => void this.#look().catch(() => {}), LOOK_EVERY_MS);
  }

  /** Seats of a user as the store has them now; null while it does not answer. */
  async seats(user: string): Promise<number | null> {
    return await this.#redis.hlen(keyOf(user)).catch(() => null);
  }

  /** The newest token of a user that was ever seen. */
  highestOf(user: string): number {
    return this.#highest.get(user) ?? 0;
  }

  /** Resolves when it has looked once more, or the store did not answer in time. */
  async again(): Promise<void> {
    const wanted = this.#looked + 2;
    for (const until = nowMs() + AGAIN_WITHIN_MS; this.#looked < wanted && nowMs() < until; ) await delay(LOOK_EVERY_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.#redis.disconnect();
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      for (const user of this.#users) this.#judge(user, await this.#redis.hgetall(keyOf(user)));
      this.#looked++;
    } finally {
      this.#isLooking = false;
    }
  }

  #judge(user: string, seats: Readonly<Record<string, string>>): void {
    this.most.set(user, Math.max(this.most.get(user) ?? 0, Object.keys(seats).length));
    for (const [manager, seat] of Object.entries(seats)) {
      const token = Number(/"token":"?(\d+)/.exec(seat)?.[1]);
      if (!Number.isFinite(token)) {
        this.wrong.push(`the seat of ${manager} has no token: ${seat.slice(0, 80)}`);
        continue;
      }
      const owner = this.#givenTo.get(token);
      if (owner !== undefined && owner !== `${user} ${manager}`) this.wrong.push(`token ${token} of ${owner} was given again, to ${user} ${manager}`);
      const before = this.#tokenOf.get(manager);
      if (before !== undefined && token < before) this.wrong.push(`the token of ${manager} fell from ${before} to ${token} at ${Math.round(nowMs())}`);
      this.#givenTo.set(token, `${user} ${manager}`);
      this.#tokenOf.set(manager, token);
    }
    for (const manager of Object.keys(seats)) this.#highest.set(user, Math.max(this.highestOf(user), this.#tokenOf.get(manager) ?? 0));
  }
}

const keyOf = (user: string): string => `${PREFIX}:{${user}}:m`;
