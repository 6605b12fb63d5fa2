import type { Attentive, Mono } from '../../core/clocks.ts';
import { applicationAt, type Evidence, isVoid } from '../../core/evidence.ts';
import { onProbeVoided } from '../../core/gather.ts';
import { silentFrom } from '../../core/judge.ts';
import type { Options } from '../../core/options.ts';
import { CORRELATION_WINDOW_MS, isCorrelatedIn, type ProbeResult, type Silence, sumUp } from '../../core/self-health.ts';
import type { ProbeResult as ProbeEnd } from '../../ports/events.ts';
import type { UserId } from '../../protocol/ids.ts';

/** Who is asked. `WebSocketManager` is one. */
export interface Probed {
  readonly user: { readonly userId: UserId };
  readonly evidence: Evidence;
  observe(change: (e: Evidence) => Evidence): void;
}

interface Result extends ProbeResult {
  readonly at: Attentive;
}

/** What a window needs of its factory. */
interface WindowDeps<M> {
  readonly options: Options;
  now(): Attentive;
  mono(): Mono;
  /** Score of our own health. */
  score(): number;
  pressure(user: UserId): number;
  /** The silence of these managers was voided: they are to be asked again. */
  voided(managers: readonly M[]): void;
  /** A question to `manager` has its end: once for each. */
  ended(manager: M, result: ProbeEnd, durationMs: number): void;
}

/** How probes ended, counted when they did. */
export interface ProbeCounts {
  readonly answered: number;
  /** Nothing came until the end of the patience. */
  readonly missed: number;
  /** Nothing came, and it counted for nothing: we stalled, or many fell silent together. */
  readonly voided: number;
}

/** What became of all probes of a node in the last two seconds. Where many peers of many users fall silent together, the network or
 *  we have failed and not they: their silence is voided once, and the question is asked again. */
export class ProbeWindow<M extends Probed> {
  readonly #deps: WindowDeps<M>;
  /** Questions that have no end yet, and when they were asked. Asking again meanwhile does not make it another one. */
  readonly #open = new Map<M, Mono>();
  /** Questions that left and have no answer yet, and when the silence begins to count. */
  readonly #out = new Map<M, Attentive>();
  /** The question whose end was noted, by the instant at which it left: asking again does not make it another one. */
  readonly #noted = new WeakMap<M, Attentive>();
  readonly #silentBefore = new WeakSet<M>();
  /** The last result of each manager, oldest first. */
  readonly #results = new Map<M, Result>();
  #sum: Silence | null = null;
  #nextAt = Number.POSITIVE_INFINITY;
  #answered = 0;
  #missed = 0;
  #voided = 0;

  constructor(deps: WindowDeps<M>) {
    this.#deps = deps;
  }

  get counts(): ProbeCounts {
    return { answered: this.#answered, missed: this.#missed, voided: this.#voided };
  }

  /** `manager` is being asked. */
  opened(manager: M): void {
    if (!this.#open.has(manager)) this.#open.set(manager, this.#deps.mono());
  }

  /** The question could not be written. One that was written before is out still. */
  failed(manager: M): void {
    if (!this.#out.has(manager)) this.#end(manager, 'failed');
  }

  #end(manager: M, result: ProbeEnd): void {
    const askedAt = this.#open.get(manager);
    if (!this.#open.delete(manager) || askedAt === undefined) return;
    this.#deps.ended(manager, result, this.#deps.mono() - askedAt);
  }

  /** A probe to `manager` has left our process. */
  asked(manager: M): void {
    const flushedAt = manager.evidence.probe?.flushedAt ?? null;
    if (flushedAt === null || this.#out.has(manager) || this.#noted.get(manager) === flushedAt) return;
    const at = this.#silentFrom(manager);
    if (at !== null) this.#await(manager, at);
  }

  /** An answer that counts has come, however late. */
  answered(manager: M): void {
    this.#out.delete(manager);
    this.#answered++;
    this.#note(manager, true);
    this.#end(manager, 'answered');
  }

  /** Its transport is gone: nobody can answer on it any more. */
  forget(manager: M): void {
    this.#out.delete(manager);
    this.#open.delete(manager);
    this.#silentBefore.delete(manager);
    if (this.#results.delete(manager)) this.#sum = null;
  }

  /** Whether so many others fell silent just now that the silence of `judged` says nothing. */
  isCorrelated(judged: UserId): boolean {
    if (this.#deps.now() >= this.#nextAt) this.settle();
    if (this.#results.size === 0) return false;
    this.#sum ??= sumUp(this.#results.values());
    return isCorrelatedIn(this.#sum, judged);
  }

  /** Notes whose patience is over, and voids what is correlated. */
  settle(): void {
    const now = this.#deps.now();
    this.#forgetOld(now);
    const silent: M[] = [];
    this.#nextAt = Number.POSITIVE_INFINITY;
    for (const manager of this.#out.keys()) {
      const { probe } = manager.evidence;
      const at = this.#silentFrom(manager);
      if (probe === null || at === null) {
        this.#out.delete(manager);
        // An acknowledgement answers too.
        if (probe !== null && applicationAt(manager.evidence) > (probe.flushedAt ?? now)) {
          this.#note(manager, true);
          this.#end(manager, 'answered');
        }
      } else if (at > now) this.#await(manager, at);
      else {
        this.#out.delete(manager);
        this.#noted.set(manager, probe.flushedAt as Attentive);
        if (isVoid(probe, this.#deps.options.health.stallGapMs)) {
          this.#voided++;
          this.#end(manager, probe.failed ? 'failed' : probe.standing === 'voided' ? 'correlated_voided' : 'stall_voided');
        } else {
          this.#note(manager, false);
          silent.push(manager);
        }
      }
    }
    if (silent.length > 0) this.#void();
    for (const manager of silent) {
      if (manager.evidence.probe?.standing === 'voided') {
        this.#voided++;
        this.#end(manager, 'correlated_voided');
      } else {
        this.#missed++;
        this.#end(manager, 'timeout');
      }
    }
  }

  #silentFrom(manager: M): Attentive | null {
    const { options, now, score, pressure } = this.#deps;
    return silentFrom(manager.evidence, score(), pressure(manager.user.userId), options, now());
  }

  #await(manager: M, at: Attentive): void {
    this.#out.set(manager, at);
    if (at < this.#nextAt) this.#nextAt = at;
  }

  #note(manager: M, answered: boolean): void {
    const answeredBefore = !this.#silentBefore.has(manager);
    if (answered) this.#silentBefore.delete(manager);
    else this.#silentBefore.add(manager);
    // Set anew, so that the order stays that of time.
    this.#results.delete(manager);
    this.#results.set(manager, { userId: manager.user.userId, answered, answeredBefore, at: this.#deps.now() });
    this.#sum = null;
  }

  #forgetOld(now: Attentive): void {
    for (const [manager, { at }] of this.#results) {
      if (now - at <= CORRELATION_WINDOW_MS) return;
      this.#results.delete(manager);
      this.#sum = null;
    }
  }

  /** Once for each question; whoever fell silent first, before it could be seen that it was not alone, is among them. */
  #void(): void {
    const sum = sumUp(this.#results.values());
    this.#sum = sum;
    const correlated = new Set<UserId>();
    for (const user of sum.byUser.keys()) if (isCorrelatedIn(sum, user)) correlated.add(user);
    const voided: M[] = [];
    for (const [manager, { answered, userId }] of this.#results) {
      const { probe } = manager.evidence;
      if (answered || !correlated.has(userId) || probe?.standing !== 'first' || probe.flushedAt !== this.#noted.get(manager)) continue;
      manager.observe(onProbeVoided);
      voided.push(manager);
    }
    if (voided.length > 0) this.#deps.voided(voided);
  }
}
