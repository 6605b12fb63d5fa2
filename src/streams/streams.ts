import type { Clock } from '../ports/clock.ts';
import type { Store, StreamKey } from '../ports/store.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { Commit } from './commit.ts';
import { Stream } from './stream.ts';

/** User ids hold no control characters, so that no two keys are spelled alike. */
const nameOf = (key: StreamKey): string => `${key.user}\u0000${key.thread}`;

/** The streams that somebody here reads or writes. Others are in the store alone. */
export class Streams {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #commit: Commit;
  readonly #open = new Map<string, Stream>();
  readonly #opening = new Map<string, Promise<Stream>>();

  constructor(store: Store, clock: Clock, telemetry: Telemetry) {
    this.#store = store;
    this.#clock = clock;
    this.#commit = new Commit(store, clock, telemetry);
  }

  /** True while the store does not take what it is given. */
  get storeFailing(): boolean {
    return this.#commit.failing;
  }

  /** How many streams are held in memory. */
  get size(): number {
    return this.#open.size;
  }

  /** The one object of a stream; give it back with `release`. Rejects while the store cannot be read. */
  async hold(key: StreamKey): Promise<Stream> {
    const name = nameOf(key);
    const open = this.#open.get(name);
    if (open) {
      open.holders++;
      return open;
    }
    let opening = this.#opening.get(name);
    if (!opening) {
      opening = this.#load(key, name).finally(() => this.#opening.delete(name));
      this.#opening.set(name, opening);
    }
    const stream = await opening;
    // Between its loading and this turn the last holder may have given it back.
    this.#open.set(name, stream);
    stream.holders++;
    return stream;
  }

  async #load(key: StreamKey, name: string): Promise<Stream> {
    const stream = new Stream({ user: key.user, thread: key.thread }, await this.#store.log.state(key), this.#store, this.#commit, this.#clock);
    this.#open.set(name, stream);
    return stream;
  }

  release(stream: Stream): void {
    stream.holders--;
    if (stream.holders > 0) return;
    if (!stream.idle) {
      // Entries are still on their way to the store: forgotten only when they are confirmed.
      void this.#commit.settled().then(() => this.#forget(stream));
      return;
    }
    this.#forget(stream);
  }

  #forget(stream: Stream): void {
    if (stream.holders > 0 || !stream.idle) return;
    const name = nameOf(stream.key);
    if (this.#open.get(name) === stream) this.#open.delete(name);
  }

  /** Applies retention to the store and to what is open. */
  async trim(o: { keepMs: number; streamBytes: number }): Promise<void> {
    for (const { key, first } of await this.#store.log.trim({ ...o, streams: 100 })) this.#open.get(nameOf(key))?.trimmed(first);
  }

  /** Resolves when everything appended so far is in the store. */
  settled(): Promise<void> {
    return this.#commit.settled();
  }

  close(): void {
    this.#commit.close();
  }
}
