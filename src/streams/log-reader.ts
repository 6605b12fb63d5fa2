import type { Clock } from '../ports/clock.ts';
import type { LogEntry, LogStore, StreamKey } from '../ports/store.ts';
import type { Epoch } from '../protocol/ids.ts';
import type { LogView } from './log-view.ts';

/** How soon a read that failed is tried again. */
const READ_RETRY_MS = 250;

export interface LogReaderDeps {
  readonly key: StreamKey;
  readonly log: LogStore;
  readonly clock: Clock;
  /** Whether other nodes may write. */
  readonly isShared: boolean;
}

/** Reads what followers want: from what is at hand, else from the store. */
export class LogReader {
  readonly #view: LogView;
  readonly #deps: LogReaderDeps;
  #refreshing: Promise<void> | null = null;

  constructor(view: LogView, deps: LogReaderDeps) {
    this.#view = view;
    this.#deps = deps;
  }

  /** Entries from `from` up to the mark, at most `maxBytes` of them but at least one: at once from what is at hand, where they are
   *  reckoned as frames, else by a promise from the store. */
  read(from: number, maxBytes: number): readonly LogEntry[] | Promise<readonly LogEntry[]> {
    if (from > this.#view.mark) return [];
    return this.#view.atHand(from, maxBytes) ?? this.#fetch(from, maxBytes);
  }

  async #fetch(from: number, maxBytes: number): Promise<readonly LogEntry[]> {
    const { key, log, isShared } = this.#deps;
    const { epoch, mark } = this.#view;
    const entries = (await log.read(key, from, maxBytes)).filter((e) => e.offset <= mark);
    // Another node may have begun a new epoch, of which they are then.
    if (isShared && (await log.state(key)).epoch !== epoch) return [];
    return entries;
  }

  /** Whether the log reaches to `offset`, by the store's word. Rejects while it cannot be asked. */
  async reaches(epoch: Epoch, offset: number): Promise<boolean> {
    const state = await this.#deps.log.state(this.#deps.key);
    return state.epoch === epoch && state.head >= offset;
  }

  /** Calls `wake` a little later: the store did not answer a read. */
  retry(wake: () => void): void {
    this.#deps.clock.after(READ_RETRY_MS, wake);
  }

  /** The log has nothing where it should have something: somebody else has trimmed it. Looks what is left, then calls `wake`. */
  refresh(wake: () => void): void {
    const { key, log } = this.#deps;
    this.#refreshing ??= log
      .state(key)
      .then(
        ({ epoch, first }) => {
          if (epoch === this.#view.epoch) this.#view.trimmed(first);
        },
        // It cannot be asked now; whoever reads asks again.
        () => {},
      )
      .finally(() => {
        this.#refreshing = null;
      });
    this.retry(wake);
  }
}
