import type { Clock } from '../ports/clock.ts';
import type { Store, StreamKey } from '../ports/store.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { Commit } from './commit.ts';
import type { Sharing } from './sharing.ts';
import { Stream } from './stream.ts';

/** User ids hold no control characters, so that no two keys are spelled alike. */
const nameOf = (key: StreamKey): string => `${key.user}\u0000${key.thread}`;

/** Streams a call of retention, so that none holds up the store for long. */
const TRIMMED_AT_ONCE = 100;

/** The streams that somebody here reads or writes. Others are in the store alone. */
export class Streams {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #commit: Commit;
  readonly #sharing: Sharing | null;
  readonly #open = new Map<string, Stream>();
  readonly #opening = new Map<string, Promise<Stream>>();

  /** `sharing`: this node's name and chance, where others share the store. */
  constructor(store: Store, clock: Clock, telemetry: Telemetry, sharing: Sharing | null = null) {
    this.#store = store;
    this.#sharing = sharing;
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
      opening = this.#load(key).finally(() => this.#opening.delete(name));
      this.#opening.set(name, opening);
    }
    const loaded = await opening;
    // Another holder may have been quicker, and may have given it back already: there is one object at any time.
    const stream = this.#open.get(name) ?? loaded;
    this.#open.set(name, stream);
    stream.holders++;
    return stream;
  }

  async #load(key: StreamKey): Promise<Stream> {
    return new Stream({ user: key.user, thread: key.thread }, await this.#store.log.state(key), this.#store, this.#commit, this.#clock, this.#sharing);
  }

  release(stream: Stream): void {
    stream.holders--;
    this.#forget(stream);
  }

  /** Once nothing of it is on its way to the store any more. */
  #forget(stream: Stream): void {
    if (stream.holders > 0) return;
    if (stream.isOwed) void stream.settled().then(() => this.#forget(stream));
    if (!stream.idle) return;
    const name = nameOf(stream.key);
    if (this.#open.get(name) === stream) this.#open.delete(name);
  }

  /** Applies retention to the store and to what is open. */
  async trim(o: { keepMs: number; streamBytes: number }): Promise<void> {
    let dropped: Awaited<ReturnType<Store['log']['trim']>>;
    do {
      dropped = await this.#store.log.trim({ ...o, streams: TRIMMED_AT_ONCE });
      for (const { key, first } of dropped) this.#open.get(nameOf(key))?.trimmed(first);
    } while (dropped.length === TRIMMED_AT_ONCE);
  }

  /** Resolves when everything appended so far is in the store. */
  async settled(): Promise<void> {
    await Promise.all([...this.#open.values()].map((stream) => stream.confirmed()));
  }

  close(): void {
    this.#commit.close();
  }
}
