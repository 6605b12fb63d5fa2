/** Everything that happens and that somebody may want to know of: one typed map. Counters, metrics, logs, the history, the operators'
 *  event stream, `diagnostics_channel` and the tables of docs/events.md derive from it. An event is told at the state change itself,
 *  exactly once. No event holds contents of messages or credentials. */

import type { AdmissionStep } from '../core/admission-facts.ts';
import type { SignalId } from '../core/evidence.ts';
import type { Signal } from '../core/judge.ts';
import type { CleanupLevel } from '../core/levels.ts';
import type { Trigger } from '../core/victims.ts';
import type { Intent } from '../protocol/frames.ts';
import type { ManagerId, NodeId, RunId, ThreadId, Tier, UserId } from '../protocol/ids.ts';
import type { NoticeKind, VerdictName } from '../protocol/messages.ts';
import type { EvictReason, KeepReason, ReasonCode, RetryReason } from '../protocol/reasons.ts';

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
  /** The `traceparent` that the client's `hello` brought. */
  readonly trace?: string;
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
  /** Which node held it, where that was another one than the one that tells of it. */
  readonly node?: NodeId;
}

/** Who was looked at and keeps its seat, and why. */
export interface KeptRecord {
  readonly managerId: ManagerId;
  readonly verdict: VerdictName;
  readonly because: KeepReason;
  readonly evidence: VictimRecord['evidence'];
  /** The evidence in a sentence. */
  readonly text: string;
  /** As in `VictimRecord`. */
  readonly node?: NodeId;
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
  /** The `traceparent` of the first of its admissions that brought one. */
  readonly trace?: string;
}

/** An eviction that its victim's own sign of life contradicts: it had come before the seat was taken and was read only after. Nothing
 *  is undone, because the seat is somebody else's; the session comes back with all its story. */
export interface RegretRecord {
  readonly managerId: ManagerId;
  readonly user: UserId;
  readonly level: CleanupLevel;
  readonly verdict: VerdictName;
  readonly reason: EvictReason;
  /** The sign of life. */
  readonly signal: SignalId;
}

export interface QuarantinedSocket {
  readonly user: UserId;
  readonly managerId: ManagerId | null;
  /** Sockets of this user that refuse to close. */
  readonly quarantined: number;
}

/** Whose manager an event is about. */
interface OfManager {
  readonly managerId: ManagerId;
  readonly user: UserId;
  readonly tier: Tier;
}

export type ProbeResult = 'answered' | 'timeout' | 'failed' | 'stall_voided' | 'correlated_voided';
export type OperatorRole = 'viewer' | 'operator' | 'admin';
export type AlertState = 'quiet' | 'pending' | 'firing';

/** Name → what it tells. Durations are milliseconds. */
export interface SpillwayEvents {
  // ---- admission
  'admission-ended': AdmissionRecord;
  /** An attempt found a place in a queue, of its user or of the full node. Told once, also where it changes from one to the other. */
  'queue-entered': OfManager & { readonly at: 'queue' | 'gate'; readonly position: number };
  /** It does not wait any more. `seated`, sent away with a time, or gone by itself. */
  'queue-left': OfManager & { readonly at: 'queue' | 'gate'; readonly waitedMs: number; readonly end: 'seated' | 'retry-later' | 'abandoned' };
  /** A promise of ours was broken to a person: must never happen. */
  lockout: OfManager & { readonly why: 'refused' | 'waited-too-long' | 'promise-broken' };
  /** A burst lease began, turned into debt, or was repaid. */
  'burst-changed': { readonly user: UserId; readonly tier: Tier; readonly to: 'none' | 'active' | 'debt' };
  // ---- managers
  /** A manager has its seat here, or is attached anew to the one that it held here (`attached`): all others end once, by `manager-ended`.
   *  `taken-over`: until now it held its seat at another node. */
  'manager-seated': OfManager & {
    readonly seat: 'soft' | 'burst';
    readonly resume: 'fresh' | 'attached' | 'readmitted' | 'taken-over';
    readonly how: SeatedHow;
  };
  /** A manager's verdict became another one. `was`: null for its first. */
  'verdict-changed': OfManager & {
    readonly verdict: VerdictName;
    readonly was: VerdictName | null;
    readonly reason: string;
    readonly evidence: readonly Signal[];
  };
  /** A seat was given back. `ghost`: one that the store kept for no manager of this node. */
  'manager-ended': { readonly managerId: ManagerId; readonly user: UserId; readonly reason: ReasonCode };
  /** A manager was found dead. `delayMs`: from the last sign of its application to this verdict. */
  'zombie-found': OfManager & { readonly reason: string; readonly delayMs: number };
  /** A question to a manager's application has its end. `durationMs`: to the answer, or to the end of our patience. */
  'probe-ended': { readonly managerId: ManagerId; readonly user: UserId; readonly result: ProbeResult; readonly durationMs: number };
  // ---- cleanup
  'cleanup-finished': CleanupReport;
  /** A socket that was terminated does not close. Its seat is free; it is destroyed again until it has closed. */
  'transport-quarantined': QuarantinedSocket;
  /** A sign of life was read after its manager had been evicted for want of it. Nothing is undone. */
  'eviction-regret': RegretRecord;
  /** Registry, index, seats of the store and sockets disagreed, in two looks; it is being repaired. */
  'mismatch-found': { readonly kind: string; readonly user: UserId; readonly detail: string };
  // ---- transports and delivery
  /** A connection was accepted; nobody knows yet whose it is. Without a gateway: a manager took it over. */
  'transport-opened': { readonly managerId: ManagerId | null; readonly user: UserId | null };
  /** `code`: the close code that we sent or received; 1006 where neither. `reason`: the reason code that we closed it for, else the name
   *  of its close code. */
  'transport-closed': { readonly managerId: ManagerId | null; readonly user: UserId | null; readonly code: number; readonly reason: string };
  /** A client came back with a resume token, was seated and follows its threads again. `gap`: what it missed in one of them is not in the
   *  log any more; `expired`: its token led nowhere, and it is another manager now. `durationMs`: from its hello, a wait for a seat
   *  included. */
  resumed: OfManager & { readonly result: 'attached' | 'readmitted' | 'gap' | 'expired'; readonly durationMs: number };
  /** Positions that are not in the log any more: the client was offered a snapshot. */
  'gap-told': { readonly user: UserId; readonly thread: ThreadId; readonly managerId: ManagerId | null };
  /** A notice was written to one session's transport. */
  'notice-shown': { readonly user: UserId; readonly kind: NoticeKind };
  /** A client acknowledged events. `delayMs`: from the write of the newest one that it covers. */
  acknowledged: { readonly managerId: ManagerId; readonly delayMs: number };
  // ---- runs
  /** A run's turn has come; one that another process began and this one ends is not told again. */
  'run-started': { readonly user: UserId; readonly thread: ThreadId; readonly run: RunId };
  /** Its last event is logged. `provider`: whether what failed was the model's endpoint, and none of ours. `firstEventMs`: from the
   *  person's message to its first event in the log; null if none but the end came. `lost`: the process that ran it is gone. */
  'run-ended': {
    readonly user: UserId;
    readonly thread: ThreadId;
    readonly run: RunId;
    readonly status: 'completed' | 'failed' | 'cancelled' | 'lost';
    readonly provider: boolean;
    readonly firstEventMs: number | null;
    readonly durationMs: number;
    /** Tokens, as the agent told them with its end. */
    readonly usage?: { readonly inputTokens: number; readonly outputTokens: number };
  };
  // ---- the node and what it depends on
  /** The store could not be asked about seats or take what is logged. Who holds a seat keeps it; what is appended waits. */
  'store-lost': { readonly detail: string };
  /** It would take a write again. */
  'store-back': { readonly awayMs: number };
  /** Another node that shares the store is gone. `drained`: it had moved its clients away before. Every other node tells it. */
  'node-died': { readonly node: NodeId; readonly drained: boolean };
  'drain-started': { readonly node: NodeId };
  'drain-finished': { readonly node: NodeId; readonly durationMs: number };
  /** Our event loop did not run for so long. */
  'attention-lost': { readonly gapMs: number };
  /** The store answered or failed. `op` is the name of its method, such as `seats.admit`. */
  'store-asked': { readonly op: string; readonly durationMs: number; readonly failed: boolean };
  /** So many seats of this node were renewed in one round: `ok`; unknown to the store and put back: `adopted`; somebody else's by now:
   *  `ended`; or the store could not be asked: `failed`, and they are renewed later. */
  'lease-renewed': { readonly result: 'ok' | 'adopted' | 'ended' | 'failed'; readonly seats: number };
  'golden-path-ran': { readonly result: 'ok' | 'late' | 'failed'; readonly durationMs: number; readonly detail: string };
  // ---- people who operate it
  'operator-acted': {
    readonly role: OperatorRole;
    readonly action: string;
    /** A user, a manager, a plan, a node, a drill. */
    readonly target: string;
    /** In the operator's words. */
    readonly reason: string;
    readonly outcome: 'done' | 'refused' | 'failed';
    readonly detail: string;
    readonly request: string;
  };
  'alert-changed': { readonly alert: string; readonly state: AlertState; readonly value: number | null; readonly summary: string };
}

export type EventName = keyof SpillwayEvents;

/** Tells whoever listens of something that has happened. */
export type Tell = <N extends EventName>(name: N, event: SpillwayEvents[N]) => void;

/** Figures of the hot path, counted where it happens without telling of each. Rise only; read when somebody asks. */
export interface DeliveryCounts {
  /** Events written to transports as they came. */
  sent: number;
  /** Events that existed when a subscription began, written so that it catches up, as after a return. They are not among `sent`. */
  replayed: number;
  /** Events of both kinds that were acknowledged. */
  acked: number;
  /** Sends that were answered from the log because their id was known. */
  duplicatesSuppressed: number;
}

/** How things stand at this instant. Each figure is kept up at the state change itself and read without looking at anybody, so that
 *  asking every second costs nothing at 100,000 managers. */
export interface Gauges {
  /** Managers that hold a seat, by tier and by the verdict given last, which follows the evidence within a second; combinations with 0 may be
   *  left out. */
  readonly managers: readonly { readonly verdict: VerdictName; readonly tier: Tier; readonly count: number }[];
  readonly seats: number;
  /** Seats without the dead and those being given up. */
  readonly effectiveSeats: number;
  /** Transports that are really open. */
  readonly transports: number;
  readonly quarantinedTransports: number;
  readonly users: number;
  readonly usersAtLimit: number;
  readonly usersInBurst: number;
  readonly usersInDebt: number;
  readonly queueLength: readonly { readonly tier: Tier; readonly count: number }[];
  /** Events that were sent to transports still open and are not acknowledged. */
  readonly unackedEvents: number;
  /** Bytes handed to transports that the operating system has not taken. Only transports that it holds up now are asked. */
  readonly bufferedBytes: number;
  /** 0 well … 8. */
  readonly localHealthScore: number;
  /** Whether seats cannot be asked for in the store: who has one keeps it, whoever comes is served by this node alone or tries again. */
  readonly storeFailOpen: boolean;
  /** Until the seats of this node end if nobody renews them. */
  readonly leaseRemainingMs: number;
  /** Nodes that share the store, this one among them; the dead are those of the last ten minutes. */
  readonly nodes: Readonly<Record<'alive' | 'silent' | 'dead', number>>;
  /** How far the store’s clock and ours are apart; null where it has none of its own, or has told none yet. */
  readonly storeClockSkewMs: number | null;
  readonly draining: boolean;
  /** End of the last background pass, milliseconds since the Unix epoch; null before the first. */
  readonly cleanupHeartbeatAt: number | null;
}

/** What metrics, alerts and pages read: a factory, and the gateway around it. */
export interface TelemetrySource {
  on<N extends EventName>(name: N, listener: (event: SpillwayEvents[N]) => void): () => void;
  readonly gauges: () => Gauges;
  readonly delivery: Readonly<DeliveryCounts>;
}
