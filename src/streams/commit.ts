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

interface Asked {
  readonly stream: Committable;
  readonly answer: AppendAnswer;
}

/** Group commit over all streams: an idle log writes at once; while one batch is under way, the next one gathers. A store
 *  that fails is asked again for as long as it takes: what waits is late, never lost. Where it fails for some streams alone, those are asked
 *  for apart, and keep nobody waiting. */
export class Commit {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #waiting = new Set<Committable>();
  /** Asked for apart. */
  readonly #apart = new Set<Committable>();
  #running = false;
  #isAskingApart = false;
  #failing = false;
  #closed = false;

  constructor(store: Store, clock: Clock, telemetry: Telemetry) {
    this.#store = store;
    this.#clock = clock;
    this.#telemetry = telemetry;
  }

  /** True while the store does not take what it is given, whoever gives it. */
  get failing(): boolean {
    return this.#failing;
  }

  want(stream: Committable): void {
    if (this.#apart.has(stream)) return;
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
      const streams = [...this.#waiting];
      this.#waiting.clear();
      let asked: readonly Asked[];
      try {
        asked = await this.#ask(streams);
      } catch (error) {
        if (!this.#failing) this.#tellFailing(`The log cannot be written: ${error instanceof Error ? error.message : String(error)}`);
        this.#failing = true;
        for (const stream of streams) this.#waiting.add(stream);
        const wait = backoffMs;
        await new Promise<void>((resolve) => this.#clock.after(wait, resolve));
        backoffMs = Math.min(backoffMs * 2, RETRY_MAX_MS);
        continue;
      }
      if (asked.length === 0) continue;
      if (this.#failing) this.#tellRecovered('The log is written again; what had waited is on its way.');
      this.#failing = false;
      backoffMs = RETRY_MIN_MS;
      for (const { stream, answer } of asked)
        if (isPassing(answer)) this.#setApart(stream, answer.error);
        else this.#answer(stream, answer);
    }
    this.#running = false;
  }

  /** Asks for what is due of these streams; those of which nothing is are not among the answers. */
  async #ask(streams: readonly Committable[]): Promise<readonly Asked[]> {
    const due: Committable[] = [];
    const requests: AppendRequest[] = [];
    for (const stream of streams) {
      const request = stream.due();
      if (request === null) continue;
      due.push(stream);
      requests.push(request);
    }
    if (requests.length === 0) return [];
    const answers = await this.#store.log.append(requests);
    return due.map((stream, i) => ({ stream, answer: answers[i] as AppendAnswer }));
  }

  // ---- what only some streams suffer from

  #setApart(stream: Committable, error: Error): void {
    this.#waiting.delete(stream);
    this.#apart.add(stream);
    if (this.#isAskingApart) return;
    this.#isAskingApart = true;
    this.#tellFailing(`The log of some conversations cannot be written, that of others can: ${error.message}`);
    this.#askApart().catch((broken: unknown) => this.#telemetry.record({ severity: 'ERROR', event: 'commit-broken', message: String(broken) }));
  }

  async #askApart(): Promise<void> {
    for (let waitMs = RETRY_MIN_MS; this.#apart.size > 0 && !this.#closed; waitMs = Math.min(waitMs * 2, RETRY_MAX_MS)) {
      const wait = waitMs;
      await new Promise<void>((resolve) => this.#clock.after(wait, resolve));
      const streams = [...this.#apart];
      // Null: they are asked for again.
      const asked = await this.#ask(streams).catch(() => null);
      if (asked === null) continue;
      const left = new Set(asked.filter(({ answer }) => isPassing(answer)).map(({ stream }) => stream));
      for (const stream of streams) if (!left.has(stream)) this.#apart.delete(stream);
      for (const { stream, answer } of asked) if (!left.has(stream)) this.#answer(stream, answer);
    }
    this.#isAskingApart = false;
    if (!this.#closed) this.#tellRecovered('The log of all conversations is written again; what had waited is on its way.');
  }

  #tellFailing(message: string): void {
    this.#telemetry.record({ severity: 'ERROR', event: 'store-failing', message });
  }

  #tellRecovered(message: string): void {
    this.#telemetry.record({ severity: 'INFO', event: 'store-recovered', message });
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

/** The part of the store that has this stream is away. */
const isPassing = (answer: AppendAnswer): answer is Extract<AppendAnswer, { readonly is: 'failed' }> =>
  answer.is === 'failed' && answer.error.code === 'SPILLWAY_STORE_UNAVAILABLE';
