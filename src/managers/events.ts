import type { AdmissionStep } from '../core/admission-facts.ts';
import type { SignalId } from '../core/evidence.ts';
import type { CleanupLevel } from '../core/levels.ts';
import type { Trigger } from '../core/victims.ts';
import type { Intent } from '../protocol/frames.ts';
import type { ManagerId, Tier, UserId } from '../protocol/ids.ts';
import type { VerdictName } from '../protocol/messages.ts';
import type { EvictReason, KeepReason, ReasonCode, RetryReason } from '../protocol/reasons.ts';
import type { RegretRecord } from './cleanup/regret.ts';
import type { QuarantinedSocket } from './cleanup/sockets.ts';

export type SeatedHow = 'reattach' | Extract<AdmissionStep, { do: 'seat' }>['how'];

/** What running one level came to. `short`: it freed less than was needed; `failed`: something in it threw. */
export type LevelResult = 'enough' | 'short' | 'failed';

/** How one admission ended, and what it took. */
export interface AdmissionRecord {
  readonly managerId: ManagerId;
  readonly user: UserId;
  readonly tier: Tier;
  readonly intent: Intent;
  readonly outcome: SeatedHow | 'retry-later' | 'abandoned';
  readonly reason: RetryReason | null;
  /** Levels that were tried for it, with what they freed for all admissions of their passes. `skipped`: it was not run, because it threw
   *  three times lately. */
  readonly levels: readonly { readonly level: CleanupLevel; readonly freed: number; readonly result: LevelResult | 'skipped' }[];
  /** Managers that were asked because of it. */
  readonly probed: number;
  readonly durationMs: number;
}

/** Who was evicted, and the evidence at that instant. */
export interface VictimRecord {
  readonly managerId: ManagerId;
  readonly level: CleanupLevel;
  readonly verdict: VerdictName;
  readonly reason: EvictReason;
  readonly evidence: readonly { readonly signal: SignalId; readonly ageMs: number; readonly value?: number }[];
  /** The evidence in a sentence. */
  readonly text: string;
}

/** Who was looked at and keeps its seat, and why. */
export interface KeptRecord {
  readonly managerId: ManagerId;
  readonly verdict: VerdictName;
  readonly because: KeepReason;
  readonly evidence: VictimRecord['evidence'];
  /** The evidence in a sentence. */
  readonly text: string;
}

/** One cleanup pass over one user's managers. */
export interface CleanupReport {
  /** `cln_` and 20 characters. */
  readonly run: string;
  readonly user: UserId;
  readonly trigger: Trigger;
  /** The admissions that it served: those of its user, or of anybody at a full node. */
  readonly admissions: readonly ManagerId[];
  /** Each level that was run, in that order; again where somebody joined. */
  readonly levels: readonly {
    readonly level: CleanupLevel;
    readonly examined: number;
    readonly freed: number;
    readonly result: LevelResult;
    readonly durationMs: number;
  }[];
  /** Seats before and after. */
  readonly before: number;
  readonly after: number;
  readonly victims: readonly VictimRecord[];
  /** Who was examined and stays, as the last level saw them. */
  readonly kept: readonly KeptRecord[];
  readonly result: LevelResult;
  readonly durationMs: number;
}

export interface FactoryEvents {
  'admission-ended': AdmissionRecord;
  'cleanup-finished': CleanupReport;
  /** A seat was given back. */
  'manager-ended': { readonly managerId: ManagerId; readonly user: UserId; readonly reason: ReasonCode };
  /** A socket that was terminated does not close. Its seat is free; it is destroyed again until it has closed. */
  'transport-quarantined': QuarantinedSocket;
  /** A sign of life was read after its manager had been evicted for want of it. Nothing is undone. */
  'eviction-regret': RegretRecord;
}

type Listener<T> = (event: T) => void;

/** Listeners by event. One that throws is reported and harms nobody. */
export class FactoryEmitter {
  readonly #listeners = new Map<keyof FactoryEvents, Set<Listener<never>>>();
  readonly #onError: (error: unknown) => void;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  on<N extends keyof FactoryEvents>(name: N, listener: Listener<FactoryEvents[N]>): () => void {
    const set = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, set);
    set.add(listener as Listener<never>);
    return () => set.delete(listener as Listener<never>);
  }

  emit<N extends keyof FactoryEvents>(name: N, event: FactoryEvents[N]): void {
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        (listener as Listener<FactoryEvents[N]>)(event);
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}
