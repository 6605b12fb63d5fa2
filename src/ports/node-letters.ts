/** The closed list of what nodes write to each other: kind → what is asked and what is answered. Whoever needs a kind adds it here.
 *
 *  Nodes of two versions may share a store: a reader must bear fields that it does not know, and one that asks must bear that its
 *  kind is not known. Everything is JSON, at most `LETTER_MAX_BYTES` as text. Contents of messages travel only where the kind says so. */

import type { CleanupLevel } from '../core/levels.ts';
import type { Trigger } from '../core/victims.ts';
import type { ErrorCode } from '../protocol/errors.ts';
import type { RunAccepted } from '../protocol/frames.ts';
import type { ManagerId, RunId, ThreadId, UserId } from '../protocol/ids.ts';
import type { LiveTopic, LiveUpdate, NodeStatus, Summary } from '../protocol/live.ts';
import type { SessionInfo } from '../protocol/messages.ts';
import type { Position } from '../protocol/position.ts';
import type { EvictReason } from '../protocol/reasons.ts';
import type { NodeLife } from './cluster.ts';
import type { OperatorRole, VictimRecord } from './events.ts';
import type { WriterToken } from './store.ts';

/** A kind that is told; nobody answers. */
interface Told<B> {
  readonly body: B;
  readonly answer: null;
}

/** A kind that is asked. */
interface Asked<B, A> {
  readonly body: B;
  readonly answer: A;
}

export interface NodeLetters {
  /** A person's message, for the node that has the thread: what `RunAccepted` or a refusal answers. It carries contents. Asking again is
   *  safe: the same id is the same message. */
  send: Asked<SendLetter, RunAnswer>;
  /** Comes before a `send` that is too long for one letter. */
  'send-part': Told<{ readonly of: string; readonly index: number; readonly text: string }>;
  /** Cancels a run of a thread that the asked node has. Null: it has not got it. */
  cancel: Asked<CancelLetter, { readonly state: 'cancelling' | 'ended' | null }>;
  /** An event of an application, for the node that runs an agent in its thread. It carries contents. Asking again logs it again. */
  publish: Asked<PublishLetter, { readonly position: Position | null; readonly refused: string | null }>;
  /** Runs of this thread wait, and the node that tells it starts no more: whoever reads it takes the thread over. */
  'take-thread': Told<TakeLetter>;
  /** Another process has begun to live under the name of the node that reads this. */
  'same-name': Told<{ readonly startedAt: number }>;
  /** The node that tells it has just begun to live: whoever hears it need not wait for its next beat to know. */
  joined: Told<Record<string, never>>;
  /** The node that tells it has moved its clients away and ends. Its card, which says so too, may be gone before anybody looks. */
  leaving: Told<Record<string, never>>;
  /** A manager's seat was taken over by the node that tells it: `token` is the one that is worth nothing any more. */
  superseded: Told<{ readonly user: UserId; readonly manager: ManagerId; readonly token: number; readonly label: string | null }>;
  /** How long has this manager had its present transport at your place? Null: it has none, or you do not have it. */
  attached: Asked<{ readonly user: UserId; readonly manager: ManagerId }, { readonly agoMs: number | null }>;

  // ---- seats of one user over nodes
  /** Give up these managers, if by what you see now they may be given up at this level; who may not is spared. Answered when their
   *  seats are free. The asker tells of it in its own record and figures. */
  evict: Asked<
    {
      readonly user: UserId;
      readonly level: CleanupLevel;
      readonly trigger: Trigger;
      /** Pressure, as the asker knows it. */
      readonly p: number;
      readonly label: string | null;
      readonly detail?: string;
      readonly managers: readonly { readonly manager: ManagerId; readonly token: number }[];
    },
    { readonly victims: readonly VictimRecord[] }
  >;
  /** The store has given away, or freed, the seat that one of your managers held: end it. */
  evicted: Told<{
    readonly user: UserId;
    readonly manager: ManagerId;
    readonly token: number;
    readonly level: CleanupLevel;
    readonly reason: EvictReason;
    readonly label: string | null;
    readonly detail?: string;
  }>;
  /** Ask those managers of the user whose evidence is old, all at once, and tell the store what came of it before you answer. */
  probe: Asked<{ readonly user: UserId; readonly deadlineMs: number }, { readonly asked: number }>;
  /** The user has more or fewer seats than you may believe. `freed`: one was given back while somebody waits. */
  'seats-changed': Told<{ readonly user: UserId; readonly freed: boolean }>;

  // ---- a person's own sessions
  /** Which sessions of this person do you hold? */
  sessions: Asked<{ readonly user: UserId }, { readonly sessions: readonly SessionInfo[] }>;
  /** End those sessions of this person that are dead, as you see them. */
  'free-unresponsive': Asked<{ readonly user: UserId; readonly label: string | null }, { readonly freed: readonly ManagerId[] }>;
  /** A person has logged out: everywhere (`family` null), or there. */
  'logged-out': Told<{ readonly user: UserId; readonly family: string | null }>;

  // ---- operators
  /** A request of the admin API, passed on by the node that an operator asked and recognised. The one that reads it answers for itself
   *  alone. */
  'admin-ask': Asked<AdminQuestion, AdminAnswer>;
  /** Further parts of a long answer. */
  'admin-more': Asked<{ readonly id: string; readonly part: number }, { readonly text: string | null }>;
  /** What a page of operators watches, as the node that reads it sees it alone. `data`: null where it cannot tell. */
  look: Asked<{ readonly topic: LiveTopic }, { readonly data: LiveUpdate | null }>;
  /** How a node stands, for the figures of all nodes together. */
  figures: Asked<Record<string, never>, { readonly status: NodeStatus; readonly summary: Summary | null }>;
}

/** `packed`: the request as JSON, gzip, base64; its end, if `parts` came before under the name `of`. */
export interface SendLetter {
  readonly user: UserId;
  readonly thread: ThreadId;
  readonly packed: string;
  readonly parts: number;
  readonly of: string;
}

/** Both null: the asked node has not got the thread. */
export interface RunAnswer {
  readonly accepted: RunAccepted | null;
  readonly refused: { readonly code: ErrorCode; readonly message: string; readonly retryAfterMs?: number } | null;
}

export interface CancelLetter {
  readonly user: UserId;
  readonly thread: ThreadId;
  readonly run: RunId;
}

/** `event`: as JSON text. */
export interface PublishLetter {
  readonly user: UserId;
  readonly thread: ThreadId;
  readonly run: RunId | null;
  readonly event: string;
  readonly eventId: string;
}

/** `token`: under which the node that tells it was the writer, and will write nothing more. */
export interface TakeLetter {
  readonly user: UserId;
  readonly thread: ThreadId;
  readonly token: WriterToken;
}

/** What one node passes on to another for an operator. */
export interface AdminQuestion {
  readonly method: string;
  /** Below `/admin/api/v1`, with its query. */
  readonly path: string;
  /** JSON text; null: none. */
  readonly body: string | null;
  readonly role: OperatorRole;
  /** Id of the request, for the log and the audit there. */
  readonly request: string;
}

/** `text` is the JSON of the body. A long one is packed (gzip, base64) and cut: `text` is its first part then, and `more` says under which
 *  id the others wait for a few seconds. */
export interface AdminAnswer {
  readonly status: number;
  readonly text: string;
  readonly more: { readonly id: string; readonly parts: number } | null;
}

export type LetterKind = keyof NodeLetters;
export type LetterBody<K extends LetterKind> = NodeLetters[K]['body'];
export type LetterAnswer<K extends LetterKind> = NodeLetters[K]['answer'];
/** Hears or answers letters of a kind. `from` is the life that wrote it. */
export type LetterHandler<K extends LetterKind> = (
  body: LetterBody<K>,
  from: NodeLife,
) => LetterAnswer<K> extends null ? void | Promise<void> : LetterAnswer<K> | Promise<LetterAnswer<K>>;
/** Kinds that have an answer. */
export type AskedKind = { [K in LetterKind]: NodeLetters[K]['answer'] extends null ? never : K }[LetterKind];
/** Kinds that have none. */
export type ToldKind = Exclude<LetterKind, AskedKind>;

/** What came of a question. Whatever is not `answer` means that nothing is known of what the other node did. */
export type AskOutcome<K extends AskedKind> =
  | { readonly is: 'answer'; readonly answer: LetterAnswer<K> }
  /** No answer in time, or the letter could not be sent. */
  | { readonly is: 'silent' }
  /** The other node is of a version that does not know this kind. It did nothing. */
  | { readonly is: 'unknown-kind' }
  /** Its handler threw, or the question was too large or one too many. `message` is for operators. */
  | { readonly is: 'failed'; readonly message: string };

/** Longest body or answer, as JSON text. */
export const LETTER_MAX_BYTES = 256 * 1024;
