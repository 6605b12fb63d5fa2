import type { Clock } from '../ports/clock.ts';
import type { AppendAnswer, AppendRequest, Store } from '../ports/store.ts';
import type { Telemetry } from '../ports/telemetry.ts';

/** What a stream offers to the group commit. */
export interface Committable {
  /** The next request, or null when nothing waits. Until it is answered the same request comes again, to the letter: a store
   *  whose answer was lost may have applied it. */
  due(): AppendRequest | null;
  /** The answer to what was due. What waits still is wanted anew. */
  answered(answer: AppendAnswer): void;
}

const RETRY_MIN_MS = 50;
const RETRY_MAX_MS = 1_000;

/** Group commit over all streams: an idle log writes at once; while one batch is under way, the next one gathers. A store
 *  that fails is asked again for as long as it takes: what waits is late, never lost. */
export class Commit {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #waiting = new Set<Committable>();
  #running = false;
  #failing = false;
  #closed = false;

  constructor(store: Store, clock: Clock, telemetry: Telemetry) {
    this.#store = store;
    this.#clock = clock;
    this.#telemetry = telemetry;
  }

  /** True while the store does not take what it is given. */
  get failing(): boolean {
    return this.#failing;
  }

  want(stream: Committable): void {
    this.#waiting.add(stream);
    if (this.#running || this.#closed) return;
    this.#running = true;
    // What one turn of the event loop appends leaves in one batch: ticks come when all its promises have gone on.
    process.nextTick(() => {
      this.#run().catch((error: unknown) => this.#telemetry.record({ severity: 'ERROR', event: 'commit-broken', message: String(error) }));
    });
  }

  close(): void {
    this.#closed = true;
  }

  async #run(): Promise<void> {
    let backoffMs = RETRY_MIN_MS;
    while (this.#waiting.size > 0 && !this.#closed) {
      const streams: Committable[] = [];
      const requests: AppendRequest[] = [];
      for (const stream of this.#waiting) {
        const request = stream.due();
        if (request === null) continue;
        streams.push(stream);
        requests.push(request);
      }
      this.#waiting.clear();
      if (requests.length === 0) break;
      let answers: readonly AppendAnswer[];
      try {
        answers = await this.#store.log.append(requests);
        if (this.#failing)
          this.#telemetry.record({ severity: 'INFO', event: 'store-recovered', message: 'The log is written again; what had waited is on its way.' });
        this.#failing = false;
        backoffMs = RETRY_MIN_MS;
      } catch (error) {
        if (!this.#failing) {
          this.#telemetry.record({
            severity: 'ERROR',
            event: 'store-failing',
            message: `The log cannot be written: ${error instanceof Error ? error.message : String(error)}`,
          });
        }
        this.#failing = true;
        for (const stream of streams) this.#waiting.add(stream);
        const wait = backoffMs;
        await new Promise<void>((resolve) => this.#clock.after(wait, resolve));
        backoffMs = Math.min(backoffMs * 2, RETRY_MAX_MS);
        continue;
      }
      for (let i = 0; i < streams.length; i++) this.#answer(streams[i] as Committable, answers[i] as AppendAnswer);
    }
    this.#running = false;
  }

  /** What one stream's listeners do with the news must not keep it from the others. */
  #answer(stream: Committable, answer: AppendAnswer): void {
    try {
      stream.answered(answer);
    } catch (error) {
      this.#telemetry.record({
        severity: 'ERROR',
        event: 'commit-broken',
        message: `News of the log was not taken: ${error instanceof Error ? error.message : String(error)}`,
      });
    }
  }
}
