import type { Mono } from '../../core/clocks.ts';
import type { Tier } from '../../protocol/ids.ts';
import type { Context } from '../context.ts';
import type { FactoryEvents } from '../events.ts';
import type { AdmissionRun } from './admission-run.ts';

/** By how much a person may wait longer than the queue's patience before we count it as locked out. */
const LATE_MS = 500;

interface Wait {
  readonly since: Mono;
  at: 'queue' | 'gate';
  /** Ends the watch over its patience. */
  readonly cancel: () => void;
}

/** Who waits, in users' queues and at the gate: tells when it begins and when it ends, and counts. One that changes from one to the
 *  other goes on waiting. */
export class WaitLog {
  readonly #context: Context;
  readonly #waits = new Map<AdmissionRun, Wait>();
  readonly #byTier = new Map<Tier, number>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** Admissions that wait. */
  get size(): number {
    return this.#waits.size;
  }

  /** The same by tier, without those of which there are none. */
  get byTier(): readonly { readonly tier: Tier; readonly count: number }[] {
    return [...this.#byTier].map(([tier, count]) => ({ tier, count }));
  }

  /** It has a place, or still has one. */
  holds(run: AdmissionRun, position: number): void {
    const at = run.ticket?.at ?? 'queue';
    const known = this.#waits.get(run);
    if (known !== undefined) {
      known.at = at;
      return;
    }
    const { clock, options, events, mono } = this.#context;
    const { tier } = run.applicant;
    const cancel = isPersons(run) ? clock.after(options.queue.waitMs + LATE_MS, () => this.#lockedOut(run, 'waited-too-long')) : () => {};
    this.#waits.set(run, { since: mono(), at, cancel });
    this.#count(tier, 1);
    events.emit('queue-entered', { ...of(run), at, position });
  }

  /** It does not wait any more, if it did. */
  ended(run: AdmissionRun, end: FactoryEvents['queue-left']['end']): void {
    const wait = this.#waits.get(run);
    if (wait === undefined) return;
    wait.cancel();
    this.#waits.delete(run);
    this.#count(run.applicant.tier, -1);
    this.#context.events.emit('queue-left', { ...of(run), at: wait.at, waitedMs: Math.round(this.#context.mono() - wait.since), end });
  }

  /** A person is sent away, with a time (`promise`: the place that is kept for it) or without an answer. */
  sentAway(run: AdmissionRun, reason: 'queue-full' | 'no-seat-yet' | 'node-overloaded' | 'failed'): void {
    if (!isPersons(run)) return;
    if (run.isPromiseBroken) this.#lockedOut(run, 'promise-broken');
    // A full queue names the time at which a place is kept, a full node the time at which it is worth trying again.
    else if (reason === 'no-seat-yet' || reason === 'failed') this.#lockedOut(run, 'refused');
  }

  #lockedOut(run: AdmissionRun, why: FactoryEvents['lockout']['why']): void {
    this.#context.events.emit('lockout', { ...of(run), why });
  }

  #count(tier: Tier, by: 1 | -1): void {
    const count = (this.#byTier.get(tier) ?? 0) + by;
    if (count === 0) this.#byTier.delete(tier);
    else this.#byTier.set(tier, count);
  }

  stop(): void {
    for (const { cancel } of this.#waits.values()) cancel();
  }
}

/** Beyond `displacement.perMinute` a claim counts as an automatic one. */
const isPersons = ({ applicant, ticket }: AdmissionRun): boolean => applicant.intent === 'user' && ticket?.class !== 'auto';

const of = ({ applicant: { manager, user, tier } }: AdmissionRun) => ({ managerId: manager, user, tier });
