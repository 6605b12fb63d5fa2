import type { Burst } from '../core/burst.ts';
import type { Mono } from '../core/clocks.ts';
import type { Promised } from '../core/promises.ts';
import type { Ticket } from '../core/queue.ts';
import type { Codec } from '../protocol/agent-events.ts';
import type { SpillwayError } from '../protocol/errors.ts';
import type { Epoch, ManagerId, MessageId, NodeId, RunId, ThreadId, UserId } from '../protocol/ids.ts';
import type { ThreadMessage, VerdictName } from '../protocol/messages.ts';
import type { EvictReason } from '../protocol/reasons.ts';
import type { ClusterStore, NodeLife } from './cluster.ts';

/** What must outlive a process or be shared by processes. Every method is one atomic step, asynchronous, with a deadline of its
 *  own; it rejects with a `SpillwayError` of code SPILLWAY_STORE_UNAVAILABLE (nothing is known of its effect) or
 *  SPILLWAY_STORE_BROKEN (it had none and cannot have), and never hangs. Every call may be repeated. */
export interface Store extends AsyncDisposable {
  /** `memory`, `sqlite`, `redis`. */
  readonly kind: string;
  /** What the processes that share this store know of each other; null where a store serves one process alone. */
  readonly cluster: ClusterStore | null;
  readonly seats: SeatStore;
  readonly log: LogStore;
  readonly threads: ThreadStore;
  readonly credentials: CredentialStore;
  /** Whether a write would succeed now: writes, and says how long it took or why not. */
  health(): Promise<StoreHealth>;
}
export interface StoreHealth {
  readonly ok: boolean;
  /** For operators: what failed and what helps, or how long the write took. */
  readonly detail: string;
}

// ---------------------------------------------------------------------------------------------------------------- log

export interface StreamKey {
  readonly user: UserId;
  readonly thread: ThreadId;
}

/** Proof of being the one writer of a stream. A later claim makes an earlier token worthless. */
export type WriterToken = number & { readonly __token?: never };

export interface StreamState {
  readonly epoch: Epoch;
  /** First retained offset; head + 1 when nothing is retained. */
  readonly first: number;
  /** Last logged offset; 0 in an empty stream. */
  readonly head: number;
  /** The run that has not ended, if there is one: first of its entries, or null before the first. */
  readonly activeRun: { readonly id: RunId; readonly firstOffset: number | null } | null;
}

export interface LogEntry {
  readonly offset: number;
  /** `agent`: one event of a run; `message`: a stored message of the person. */
  readonly kind: 'agent' | 'message';
  readonly run: RunId | null;
  readonly codec: Codec;
  /** The event as JSON text, exactly as it travels. */
  readonly data: string;
  /** Milliseconds since the Unix epoch, for display. */
  readonly at: number;
}

export interface AppendRequest {
  readonly key: StreamKey;
  readonly epoch: Epoch;
  readonly token: WriterToken;
  /** Contiguous, the first one at head + 1. May be empty when only records change. */
  readonly entries: readonly LogEntry[];
  /** Stored together with the entries or not at all. */
  readonly records?: AppendRecords;
}
export interface AppendRecords {
  /** Given with the thread's first message. */
  readonly title?: string;
  /** Inserted, or replaced under their id. */
  readonly messages?: readonly StoredMessage[];
  /** Inserted, or replaced under their id. */
  readonly runs?: readonly RunRecord[];
}
export type AppendAnswer =
  | { readonly is: 'ok' }
  /** Already there: this very request was applied before (a lost answer was repeated). */
  | { readonly is: 'repeated' }
  /** Another writer holds a newer token. */
  | { readonly is: 'fenced' }
  /** The stream is not where the writer believed: offsets do not join, or the epoch is another. Also for a request that can
   *  never be stored, so that it harms no other of its batch. */
  | { readonly is: 'conflict'; readonly state: StreamState }
  /** The store is there and could not take this one. SPILLWAY_STORE_UNAVAILABLE: the part of it that has this stream is away; the same is
   *  asked again. SPILLWAY_STORE_BROKEN: what it keeps of this stream is not what it should be. */
  | { readonly is: 'failed'; readonly error: SpillwayError };

/** What a claim came to. `heldBy` null: the asker is the one writer, under `token`. Else another node is, which has runs of this stream
 *  that have not ended; nothing was changed, and `token` is that node's. */
export type Claim = StreamState & { readonly token: WriterToken; readonly heldBy: NodeLife | null };

export interface LogStore {
  /** Where a stream stands. An unknown stream has head 0 and the epoch that its first entry will have. */
  state(key: StreamKey): Promise<StreamState>;
  /** Becomes the one writer. `by`: in whose name; without it, and in a store of one process, every claim succeeds. With it, a stream in
   *  which another node has runs that have not ended stays that node's, unless `seize` is that node's token: what is said by somebody
   *  who knows that the node is dead. */
  claim(key: StreamKey, o?: { readonly by: NodeLife; readonly seize?: WriterToken }): Promise<Claim>;
  /** Calls `changed` after another process has written to the stream, with where it stands then. A hint: it may come late, twice or
   *  never. Returns the undo. Stores of one process never call. */
  watch(key: StreamKey, changed: (seen: { readonly epoch: Epoch; readonly head: number }) => void): () => void;
  /** Appends to many streams in one durable step; each request applies whole or not at all, answered in order. Rejects if nothing can be
   *  taken now, whoever asks. */
  append(requests: readonly AppendRequest[]): Promise<readonly AppendAnswer[]>;
  /** Entries from `from` on, ascending and gapless, at most `maxBytes` of data but at least one if there is one. */
  read(key: StreamKey, from: number, maxBytes: number): Promise<readonly LogEntry[]>;
  /** Starts a new epoch at the present head, entries kept, or with `keep: false` at offset 0 with no entries: positions of the old
   *  epoch are no longer trusted. Writer tokens stay as they are; messages stay, shown from offset 0 on where entries went. */
  renewEpoch(key: StreamKey, o?: { readonly keep?: boolean }): Promise<StreamState>;
  /** Applies retention: drops entries of runs that ended `keepMs` ago by the store's clock, and the oldest ones beyond
   *  `streamBytes` a stream; never those of a run that has not ended. At most `streams` streams a call. Returns what it dropped. */
  trim(o: {
    readonly keepMs: number;
    readonly streamBytes: number;
    readonly streams: number;
  }): Promise<readonly { readonly key: StreamKey; readonly first: number }[]>;
}

// ------------------------------------------------------------------------------------------------------------ threads

export interface StoredMessage extends ThreadMessage {
  /** Offset of the entry at which this message is complete; a snapshot at a lower position does not show it. */
  readonly offset: number;
  /** The client's idempotency key and a digest of what it sent, on messages stored by `send`. */
  readonly send?: { readonly id: string; readonly digest: string };
}

export interface RunRecord {
  readonly id: RunId;
  readonly user: UserId;
  readonly thread: ThreadId;
  /** The message that asked for it. */
  readonly message: MessageId;
  readonly agent: string | null;
  readonly state: 'queued' | 'running' | 'ended';
  readonly node: NodeId;
  readonly createdAt: number;
  readonly firstOffset: number | null;
  /** Offset of the terminal event. */
  readonly lastOffset: number | null;
}

export interface StoredThread {
  readonly id: ThreadId;
  readonly title: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly state: StreamState;
}

/** All that a snapshot needs, read in one step. */
export interface SnapshotRead {
  readonly state: StreamState;
  /** Oldest first; complete messages only. */
  readonly messages: readonly StoredMessage[];
  readonly hasMore: boolean;
  /** Entries of the active run up to head, oldest first; empty when older messages were asked for. */
  readonly running: readonly LogEntry[];
}

export interface ThreadStore {
  /** Newest first. `cursor` is what an earlier page returned; for anything else it rejects with SPILLWAY_BAD_ARGUMENT. */
  list(user: UserId, limit: number, cursor: string | null): Promise<{ readonly threads: readonly StoredThread[]; readonly nextCursor: string | null }>;
  /** The newest `limit` messages and the running entries, or messages before an id and no entries; none before an unknown id.
   *  Null for an unknown thread. */
  snapshot(key: StreamKey, limit: number, before: MessageId | null): Promise<SnapshotRead | null>;
  /** What was stored under a client's idempotency key. */
  findSend(key: StreamKey, sendId: string): Promise<{ readonly message: StoredMessage; readonly run: RunRecord } | null>;
  findRun(user: UserId, run: RunId): Promise<RunRecord | null>;
  /** Runs that have not ended, oldest first: of one thread, or of all. */
  openRuns(key: StreamKey | null): Promise<readonly RunRecord[]>;
}

// -------------------------------------------------------------------------------------------------------- credentials

export interface TicketRecord {
  readonly user: UserId;
  readonly name: string;
  readonly tier: string;
  /** Expiry of the credential that bought it, milliseconds since the Unix epoch. */
  readonly authExpiresAt: number;
  /** Which log-in it belongs to, if any. */
  readonly family: string | null;
}
export interface RefreshRecord {
  readonly user: UserId;
  readonly family: string;
}

/** Credentials are stored by digest only. Life spans run by the store's clock. */
export interface CredentialStore {
  putTicket(digest: string, ticket: TicketRecord, ttlMs: number): Promise<void>;
  /** Hands a ticket out once, to one caller in the whole cluster. */
  consumeTicket(digest: string): Promise<{ readonly is: 'ok'; readonly ticket: TicketRecord } | { readonly is: 'expired' } | { readonly is: 'unknown' }>;
  /** The first refresh token of a new family. */
  putRefresh(digest: string, refresh: RefreshRecord, ttlMs: number): Promise<void>;
  /** Replaces `digest` by `next` in the same family. Using a replaced one revokes the family: `reused`. */
  rotateRefresh(
    digest: string,
    next: string,
    ttlMs: number,
  ): Promise<{ readonly is: 'ok'; readonly refresh: RefreshRecord } | { readonly is: 'reused'; readonly refresh: RefreshRecord } | { readonly is: 'unknown' }>;
  /** Revokes the family of `digest`, or every family of its user, with the unused tickets they bought. Null for an unknown token. */
  revokeRefresh(digest: string, everywhere: boolean): Promise<RefreshRecord | null>;
}

// -------------------------------------------------------------------------------------------------------------- seats

/** What other nodes know of a manager. */
export interface SeatDigest {
  readonly manager: ManagerId;
  readonly token: number;
  readonly node: NodeId;
  /** Which life of that node. */
  readonly incarnation: string;
  readonly verdict: VerdictName;
  /** Why; absent of one that has just come. */
  readonly reason?: string;
  /** How long its verdict had been this one when it was told; absent: not yet. */
  readonly sinceMs?: number;
  readonly quietMs: number;
  readonly run: boolean;
  /** It is not to be taken while it lives. */
  readonly pinned: boolean;
  /** Something that its client must not miss is not acknowledged yet. */
  readonly critical: boolean;
  /** Nobody looks at its page. */
  readonly hidden: boolean;
  /** When this was told; `quietMs` has grown since. By the store's clock: the store fills it in, whatever it was given. */
  readonly toldAt: number;
  /** When it got its seat, by the store's clock; the store fills it in. */
  readonly seatedAt: number;
}

/** All seats of one user, read in the same step as the answer that carries it. */
export interface SeatFacts {
  /** The store's clock, by which every instant below is given. */
  readonly now: number;
  readonly seats: readonly SeatDigest[];
  readonly burst: Burst;
  /** What the burst state allows now: soft limit, hard limit, or what is left of a debt. */
  readonly cap: number;
  /** In the order in which they are served. */
  readonly tickets: readonly Ticket[];
  /** Places of the queue that are kept for those who found it full, earliest first. */
  readonly promises: readonly Promised[];
  /** When seats of this user became free lately, oldest first, at most 8; a seat that changed hands in one step never was free. */
  readonly lastReleases: readonly Mono[];
}

/** Limits travel with the call, so that the store has no configuration of its own. */
export interface SeatLimits {
  readonly soft: number;
  readonly hard: number;
  readonly burstForMs: number;
  readonly coolDownMs: number;
  readonly debtMaxMs: number;
  readonly places: number;
  readonly waitMs: number;
  readonly promiseMs: number;
  readonly ttlMs: number;
  readonly tombstoneMs: number;
}

export interface AdmitRequest {
  readonly user: UserId;
  readonly manager: ManagerId;
  /** One attempt. The same manager and attach again: the same answer. Another attach: a new token, count unchanged. */
  readonly attach: string;
  readonly node: NodeId;
  /** Which life of that node. */
  readonly incarnation: string;
  /** Which tickets rank ahead of it while it has none of its own: for a person only those of persons. */
  readonly class: 'user' | 'auto';
  /** True starts a burst lease if room is short and the state allows one. */
  readonly mayBurst: boolean;
  readonly limits: SeatLimits;
}
export type AdmitAnswer =
  | {
      readonly is: 'ok';
      readonly token: number;
      readonly seat: 'soft' | 'burst';
      readonly burstStarted: boolean;
      /** Where this manager held its seat until now, if it took it over from another node or another attempt. */
      readonly from: SeatHolder | null;
      readonly facts: SeatFacts;
    }
  | { readonly is: 'full'; readonly facts: SeatFacts };
export type ReplaceAnswer =
  /** `victim` null: it held a seat already (a take-over), so nobody lost one. */
  | {
      readonly is: 'ok';
      readonly token: number;
      readonly victim: ManagerId | null;
      readonly seat: 'soft' | 'burst';
      /** As in `AdmitAnswer`. */
      readonly from: SeatHolder | null;
      readonly facts: SeatFacts;
    }
  | { readonly is: 'stale'; readonly facts: SeatFacts };
/** Who held a seat, and under which token. */
export type SeatHolder = Pick<SeatDigest, 'node' | 'incarnation' | 'token'>;
export type RenewAnswer = { readonly is: 'OK' | 'FENCED' | 'UNKNOWN' } | { readonly is: 'EVICTED'; readonly reason: EvictReason };

/** Who holds a seat. Atomic per user; the embedded stores keep it in memory, so that seats are empty after a restart. */
export interface SeatStore {
  /** Drops what has run out, then tells how things stand. */
  facts(user: UserId, limits: SeatLimits): Promise<SeatFacts>;
  /** Takes a seat if there is room beyond the tickets ranked ahead; deletes the manager's own ticket with it. */
  admit(r: AdmitRequest): Promise<AdmitAnswer>;
  /** Takes the seat of the first victim whose token still matches: the count cannot rise, the seat cannot be stolen. */
  replace(
    r: AdmitRequest & { readonly victims: readonly { readonly manager: ManagerId; readonly token: number }[]; readonly reason: EvictReason },
  ): Promise<ReplaceAnswer>;
  /** Frees a seat and remembers why, so that its holder learns it. `STALE`: the token is not the seat's. */
  evict(
    user: UserId,
    manager: ManagerId,
    token: number,
    reason: EvictReason,
    limits: SeatLimits,
  ): Promise<{ readonly is: 'ok' | 'stale'; readonly facts: SeatFacts }>;
  /** Frees a seat whose holder is gone. */
  release(user: UserId, manager: ManagerId, token: number, limits: SeatLimits): Promise<{ readonly is: 'ok' | 'stale'; readonly facts: SeatFacts }>;
  /** Keeps seats for another `ttlMs` and refreshes their digests; answered in order. `EVICTED`: a tombstone says so, and why. `FENCED`:
   *  the seat has a newer token. `UNKNOWN`: the store has forgotten it. */
  renew(node: NodeId, batch: readonly { readonly user: UserId; readonly digest: SeatDigest }[], ttlMs: number): Promise<readonly RenewAnswer[]>;
  /** Puts a live manager back that the store has forgotten. */
  adopt(user: UserId, digest: SeatDigest, ttlMs: number): Promise<Exclude<RenewAnswer, { is: 'UNKNOWN' }>>;
  /** Takes a place in the user's queue; the same manager again keeps its place. `full`: come back at `promiseAt` (`afterMs` from now)
   *  with `promise`; calling again with it before that time changes nothing. */
  enqueue(r: {
    readonly user: UserId;
    /** `waitMs` null: as long as the limits allow. `promise`: the one it was given when the queue was full. */
    readonly ticket: { readonly id: ManagerId; readonly class: 'user' | 'auto'; readonly waitMs: number | null; readonly promise: string | null };
    readonly limits: SeatLimits;
  }): Promise<
    | {
        readonly is: 'queued';
        readonly ticket: Ticket;
        readonly position: number;
        readonly etaMs: number;
        readonly pushedOut: Ticket | null;
        readonly facts: SeatFacts;
      }
    | { readonly is: 'full'; readonly promiseAt: number; readonly afterMs: number; readonly promise: string; readonly facts: SeatFacts }
  >;
  /** Gives a ticket back. */
  cancel(user: UserId, manager: ManagerId, limits: SeatLimits): Promise<SeatFacts>;
}
