import { Redis } from 'ioredis';
import type { UserId } from '../../../src/protocol/ids.ts';
import { keysOf } from '../../../src/stores/redis/keys.ts';
import { DEFAULT_PREFIX } from '../../../src/stores/redis/options.ts';

/** Counts a user's seats in the store itself, again and again, past all gateways. */
export class SeatSampler implements AsyncDisposable {
  readonly #redis: Redis;
  readonly #key: string;
  readonly #everyMs: number;
  #most = 0;
  #samples = 0;
  #isOver = false;
  readonly #done: Promise<void>;

  constructor(url: string, user: string, everyMs: number) {
    this.#redis = new Redis(url);
    this.#key = keysOf(DEFAULT_PREFIX).user(user as UserId, 's');
    this.#everyMs = everyMs;
    this.#done = this.#run();
  }

  /** The most seats that were ever there at once, of all samples. */
  get most(): number {
    return this.#most;
  }
  get samples(): number {
    return this.#samples;
  }

  async count(): Promise<number> {
    return await this.#redis.zcard(this.#key);
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      this.#most = Math.max(this.#most, await this.count());
      this.#samples++;
      await new Promise((resolve) => setTimeout(resolve, this.#everyMs));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.#done;
    this.#redis.disconnect();
  }
}
