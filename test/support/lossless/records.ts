/** The three records of a thread, from which the checker tells what was lost: attempted, logged and applied. */

/** What the numbered agent is about to hand over, written before it does. */
export interface Attempted {
  readonly user: string;
  readonly thread: string;
  readonly run: string;
  /** Counts from 1 within its thread, over all its runs. */
  readonly number: number;
  readonly digest: string;
}

/** One entry of the log, as `GET /v1/threads/:id/events` tells it at the end. Entries that hold no numbered event have `number` null. */
export interface Logged {
  readonly epoch: string;
  readonly offset: number;
  readonly number: number | null;
  readonly digest: string | null;
}

/** A line of a client's file, appended outside its process with one `write`. File order, not clocks, decides. A file is about one thread. */
export type Line =
  /** The listener has this range, and writes it before it returns. `events` are the numbered events in it, in order: a merged range holds several. */
  | { readonly is: 'applied'; readonly life: number; readonly epoch: string; readonly from: number; readonly to: number; readonly events: readonly Numbered[] }
  /** An `ack` that is being sent. */
  | { readonly is: 'ack'; readonly life: number; readonly sub: number; readonly offset: number }
  | {
      readonly is: 'gap';
      readonly life: number;
      readonly epoch: string;
      readonly from: number;
      readonly to: number;
      readonly reason: string;
      /** What the client put in place of its state: true up to offset `to` of this, with every numbered event of the conversation. */
      readonly snapshot?: { readonly to: number; readonly events: readonly Numbered[] };
    }
  /** Whatever else a row wants to know: states, dials, closes. The checker skips it. `at` is `nowMs()` of `lab/time.ts`. */
  | { readonly is: 'note'; readonly life: number; readonly at: number; readonly what: string; readonly detail?: unknown };

export interface Numbered {
  readonly number: number;
  /** Of what arrived, not what it claims to be. */
  readonly digest: string;
  /** Whose event it says it is; a canary. */
  readonly user: string;
}

export interface Findings {
  /** Logged within the window, never applied. */
  readonly lost: readonly number[];
  readonly doubled: readonly number[];
  /** First seen below the running maximum. */
  readonly reordered: readonly number[];
  /** Applied, not logged. */
  readonly phantom: readonly number[];
  /** Its digest, or the concatenated text of its range, differs. */
  readonly altered: readonly number[];
  /** Another user's. */
  readonly foreign: readonly number[];
  /** Offsets that an `ack` covered before they were in the file. */
  readonly ackedUnseen: readonly number[];
  /** Attempted, not logged: allowed only at a tail cut by a killed process or store. */
  readonly unlogged: readonly number[];
  /** Offsets inside a `gap`. */
  readonly declared: readonly number[];
  /** Offsets of the log that were not applied exactly once, or not in their turn, whatever they hold: also starts, ends and messages of
   *  persons, which have no number. */
  readonly uneven: readonly number[];
  /** How many gaps were announced, also those that name no offset. */
  readonly gaps: number;
  /** How many events were compared: 0 proves nothing. */
  readonly checked: number;
}
