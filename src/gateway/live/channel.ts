import type { Clock } from '../../ports/clock.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { ErrorCode } from '../../protocol/errors.ts';
import { SpillwayError } from '../../protocol/errors.ts';
import type { Source } from './source.ts';

/** A page as its watches see it. */
export interface Page {
  /** False while it does not read what it was written. */
  readonly isReading: boolean;
  /** `data`: the JSON of an update. */
  update(id: number, data: string): void;
  problem(id: number | null, code: ErrorCode, detail: string): void;
}

/** One watch of one page. */
export class Watch {
  readonly id: number;
  readonly page: Page;
  /** It has nothing yet, or missed something: what it is told next is everything. */
  isBehind = true;
  told: number | null = null;
  isWarned = false;

  constructor(id: number, page: Page) {
    this.id = id;
    this.page = page;
  }
}

/** One topic and everybody who watches it: looked at once for all of them, and only while there are any. */
export class Channel {
  readonly #source: Source;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #watches = new Set<Watch>();
  #isLooking = false;
  #isOver = false;
  #cancel: () => void = () => {};

  constructor(source: Source, clock: Clock, telemetry: Telemetry) {
    this.#source = source;
    this.#clock = clock;
    this.#telemetry = telemetry;
  }

  get isEmpty(): boolean {
    return this.#watches.size === 0;
  }

  /** Tells it everything at once if that is known; else as soon as it is. */
  join(watch: Watch): void {
    this.#watches.add(watch);
    if (this.#isLooking) return;
    if (this.#watches.size === 1) this.#look();
    else this.#tell(watch, null);
  }

  leave(watch: Watch): void {
    this.#watches.delete(watch);
    if (!this.isEmpty) return;
    this.#isOver = true;
    this.#cancel();
    this.#source.end();
  }

  #look(): void {
    this.#isLooking = true;
    const again = (): void => {
      this.#isLooking = false;
      if (!this.#isOver) this.#cancel = this.#clock.after(this.#source.everyMs, () => this.#look());
    };
    this.#round().then(again, (error: unknown) => {
      this.#failed(error);
      again();
    });
  }

  async #round(): Promise<void> {
    await this.#source.look();
    if (this.#isOver) return;
    const news = this.#source.news();
    for (const watch of this.#watches) {
      watch.isWarned = false;
      this.#tell(watch, news);
    }
  }

  /** Told to whoever watches, once until a look succeeds. */
  #failed(error: unknown): void {
    const isStore = SpillwayError.is(error) && error.code === 'SPILLWAY_STORE_UNAVAILABLE';
    const text = error instanceof Error ? error.message : String(error);
    if (!isStore) this.#telemetry.record({ severity: 'ERROR', event: 'live-failed', message: `A live topic could not be looked at: ${text}` });
    for (const watch of this.#watches) {
      if (watch.isWarned) continue;
      watch.isWarned = true;
      if (isStore) watch.page.problem(watch.id, 'store-unavailable', `${text} It is tried again by itself.`);
      else watch.page.problem(watch.id, 'internal', 'This could not be looked at, by an error of ours; the log says why. It is tried again by itself.');
    }
  }

  #tell(watch: Watch, news: string | null): void {
    if (!watch.page.isReading) {
      watch.isBehind ||= news !== null;
      return;
    }
    const data = watch.isBehind ? this.#source.whole(watch.told) : news;
    if (data === null) return;
    watch.isBehind = false;
    watch.told = this.#source.stamp;
    watch.page.update(watch.id, data);
  }
}
