import { attentiveMs, nowMs, type Stall } from '../support/lab/time.ts';

export type Intent = 'user' | 'auto';

/** How an attempt ended. `left`, `superseded`: by an act of its own client. `told`: an automatic reconnect was given a time. */
export type Outcome = 'seated' | 'left' | 'superseded' | 'told' | 'over';

/** What is held against the gateway. */
export interface Violation {
  readonly what: string;
  readonly attempt: Attempt;
}

interface AttemptOptions {
  readonly name: string;
  readonly user: string;
  readonly intent: Intent;
  /** What a person waits in a queue at most. */
  readonly waitMs: number;
  /** Times that do not count: the gateway or this process was held up, or the user's store failed. */
  readonly excuses: () => readonly Stall[];
  readonly violated: (violation: Violation) => void;
}

/** A decision of ours that lies between a `hello` and its ticket. */
const DECISION_MS = 500;
/** From this many answers "this node is full" in a row on, somebody is locked out. */
const NODE_CHAIN_MAX = 12;

/** One act of a person (or of a page by itself): from dialling to a seat, over redials and retry times. */
export class Attempt {
  readonly name: string;
  readonly user: string;
  readonly intent: Intent;
  readonly startedAt = nowMs();
  readonly trace: { readonly at: number; readonly text: string }[] = [];
  /** What it may wait for an answer: the queue's time, and what a decision takes. */
  readonly boundMs: number;
  outcome: Outcome | null = null;
  /** Answers "come back at that time" so far, in a row. */
  refusals = 0;
  nodeRefusals = 0;
  redials = 0;
  /** Whether it stood in a queue. */
  queued = false;
  /** The longest it waited for an answer, redials included, without what is excused. */
  longestMs = 0;
  /** When the wait began that is running now. */
  #waitingSince = nowMs();
  /** When it got the answer whose wait is still to be judged. */
  #answeredAt: number | null = null;
  /** It was told a time that has not come. */
  #isAway = false;
  /** Whether this dial answers a retry time that has come. */
  #isPromised = false;
  readonly #excuses: () => readonly Stall[];
  readonly #violated: (violation: Violation) => void;

  constructor(o: AttemptOptions) {
    this.name = o.name;
    this.user = o.user;
    this.intent = o.intent;
    this.boundMs = o.waitMs + DECISION_MS;
    this.#excuses = o.excuses;
    this.#violated = o.violated;
  }

  /** The longest wait as a share of what it may be. */
  get share(): number {
    return this.longestMs / this.boundMs;
  }

  note(text: string): void {
    this.trace.push({ at: nowMs(), text });
  }

  #fail(what: string): void {
    this.note(`VIOLATION: ${what}`);
    this.end('over');
    this.#violated({ what, attempt: this });
  }

  #waitedTo(to: number): number {
    return attentiveMs(this.#waitingSince, to, this.#excuses());
  }

  /** Called again and again. `knownTo`: up to then it is known what is excused, so that nobody is accused before. */
  check(knownTo: number): void {
    if (this.#answeredAt !== null && this.#answeredAt <= knownTo) {
      const waitedMs = this.#waitedTo(this.#answeredAt);
      this.#answeredAt = null;
      this.longestMs = Math.max(this.longestMs, waitedMs);
      if (this.intent === 'user' && waitedMs > this.boundMs) this.#fail(`an answer only after ${Math.round(waitedMs)} ms (bound ${this.boundMs} ms)`);
    }
    if (this.outcome !== null || this.intent !== 'user' || this.#isAway) return;
    const waitedMs = this.#waitedTo(knownTo);
    if (waitedMs > this.boundMs) this.#fail(`no seat and no retry time after ${Math.round(waitedMs)} ms (bound ${this.boundMs} ms)`);
  }

  /** It comes back at the time it was told, with the token that says so or without. */
  returnsNow(hasToken: boolean): void {
    this.#isAway = false;
    // A full node tells an estimate; a full queue keeps a place.
    this.#isPromised = hasToken && this.nodeRefusals === 0;
    this.#answeredAt = null;
    this.#waitingSince = nowMs();
    this.note(`comes back at the time it was told${hasToken ? '' : ', and has lost its token'}`);
  }

  inQueue(text: string): void {
    this.queued = true;
    this.#isPromised = false;
    this.note(text);
  }

  seated(text: string): void {
    if (this.outcome !== null) return;
    this.#answeredAt = nowMs();
    this.note(text);
    this.end('seated');
  }

  /** It was told to come back in `afterMs`. False: it may not. */
  refused(reason: string, afterMs: number): boolean {
    this.#answeredAt = nowMs();
    this.note(`told to come back in ${afterMs} ms: ${reason}`);
    if (this.intent === 'auto') return true;
    this.refusals++;
    this.nodeRefusals = reason === 'node-overloaded' ? this.nodeRefusals + 1 : 0;
    if (reason !== 'queue-full' && reason !== 'node-overloaded') this.#fail(`a person was sent away with ${reason}`);
    else if (!(afterMs >= 0)) this.#fail(`sent away with no time that works: ${afterMs}`);
    else if (reason === 'queue-full' && this.#isPromised) this.#fail('the retry time was not kept: sent away again at the first try');
    else if (this.nodeRefusals > NODE_CHAIN_MAX) this.#fail(`${this.nodeRefusals} times in a row told that the node is full`);
    this.#isAway = true;
    return this.outcome === null;
  }

  /** It was sent away as a person must not be. */
  locked(what: string): void {
    if (this.outcome !== null) return;
    if (this.intent === 'user') this.#fail(what);
    else this.end('told');
  }

  end(outcome: Outcome): void {
    if (this.outcome !== null) return;
    this.outcome = outcome;
  }
}
