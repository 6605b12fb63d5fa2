import type { Mono } from '../../core/clocks.ts';
import type { SeatFacts } from '../../ports/store.ts';
import type { CountedSocket } from '../cleanup/sockets.ts';
import type { UserContext } from '../manager.ts';
import type { Admission, AdmissionRequest, Queued, QueuePlace, Retry, Seated } from './admission.ts';
import type { AdmissionRun, StepOutcome } from './admission-run.ts';
import type { Member } from './pass-facts.ts';
import type { Waiting } from './waiting-room.ts';

/** Somebody at the door. */
export interface Guest {
  readonly user: UserContext;
  readonly request: AdmissionRequest;
  readonly socket: CountedSocket | null;
  readonly askedAt: Mono;
}

/** How an admission ends. */
export type Ending = Exclude<StepOutcome, { is: 'queued' }>;

/** Who makes of outcomes what they mean for managers. Nothing of it is awaited: what the store decided and what is known here never
 *  differ for others. */
export interface AttemptOwner {
  ended(attempt: Attempt, end: Ending): Seated | Retry;
  /** It has a place, or still has it. */
  held(attempt: Attempt, facts: SeatFacts, isFirst: boolean): void;
  /** Whoever asked has gone: a pass sees to what it leaves behind. */
  left(attempt: Attempt): void;
  failed(attempt: Attempt): void;
  /** Code of whoever asked, which is told of the place, threw. */
  listenerFailed(error: unknown): void;
}

interface Pending<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

function pending<T>(): Pending<T> {
  let resolve: Pending<T>['resolve'] = () => {};
  let reject: Pending<T>['reject'] = () => {};
  const promise = new Promise<T>((done, failed) => {
    resolve = done;
    reject = failed;
  });
  return { promise, resolve, reject };
}

/** A waiting person hears of their place at least this often, by about this much. */
const TELL_EVERY_MS = 2_000;
const TELL_EARLY_MS = 100;

/** One admission as whoever asked sees it: an answer, and where that is a place in a queue, an outcome later. */
export class Attempt implements Member, Waiting {
  readonly run: AdmissionRun;
  readonly guest: Guest;
  /** Rejects only while the store cannot be asked. */
  readonly answer: Promise<Admission>;
  readonly #owner: AttemptOwner;
  readonly #now: () => Mono;
  readonly #answer = pending<Admission>();
  #outcome: Pending<Seated | Retry> | null = null;
  #place: QueuePlace | null = null;
  #toldAt = Number.NEGATIVE_INFINITY;
  #listener: ((place: QueuePlace) => void) | null = null;
  #isOver = false;

  constructor(run: AdmissionRun, guest: Guest, owner: AttemptOwner, now: () => Mono) {
    this.run = run;
    this.guest = guest;
    this.#owner = owner;
    this.#now = now;
    this.answer = this.#answer.promise;
    const { signal } = guest.request;
    if (signal?.aborted) this.run.hasLeft = true;
    else signal?.addEventListener('abort', this.leave, { once: true });
  }

  get place(): QueuePlace | null {
    return this.#place;
  }

  tell(place: QueuePlace): void {
    const before = this.#place;
    // A position told to a person never gets worse.
    this.#place = before === null ? place : { ...place, position: Math.min(place.position, before.position) };
    const isNews = before === null || this.#place.position !== before.position || place.of !== before.of;
    if (!isNews && this.#now() - this.#toldAt < TELL_EVERY_MS - TELL_EARLY_MS) return;
    this.#toldAt = this.#now();
    try {
      this.#listener?.(this.#place);
    } catch (error) {
      // Whoever cannot show a place keeps it.
      this.#owner.listenerFailed(error);
    }
  }

  readonly leave = (): void => {
    if (this.#isOver || this.run.hasLeft) return;
    this.run.hasLeft = true;
    this.#owner.left(this);
  };

  /** The factory is closed: nobody waits here any more. */
  close(): void {
    this.run.hasLeft = true;
    this.settle({ is: 'left' });
  }

  settle(outcome: StepOutcome): void {
    // Closed while a pass had it in hand.
    if (this.#isOver) return;
    if (outcome.is === 'queued') {
      this.#wait(outcome.facts);
      return;
    }
    this.#over();
    const end = this.#owner.ended(this, outcome);
    if (this.#outcome) this.#outcome.resolve(end);
    else this.#answer.resolve(end);
  }

  fail(error: unknown): void {
    this.#over();
    this.#owner.failed(this);
    (this.#outcome ?? this.#answer).reject(error);
  }

  #over(): void {
    this.#isOver = true;
    this.guest.request.signal?.removeEventListener('abort', this.leave);
  }

  #wait(facts: SeatFacts): void {
    const isFirst = this.#outcome === null;
    this.#owner.held(this, facts, isFirst);
    if (isFirst) {
      this.#outcome = pending();
      this.#answer.resolve(this.#queued(this.#outcome.promise));
    }
    // Whoever has gone by now is not told by an event any more.
    if (this.run.hasLeft) this.#owner.left(this);
  }

  #queued(outcome: Promise<Seated | Retry>): Queued {
    const place = this.#place ?? { position: 1, of: 1, etaMs: 0, deadlineMs: 0 };
    // Whoever only looked at the place and went need not hear of a failure.
    outcome.catch(() => {});
    return {
      kind: 'queued',
      ...place,
      outcome,
      onPlace: (listener) => {
        this.#listener = listener;
      },
      cancel: this.leave,
    };
  }
}
