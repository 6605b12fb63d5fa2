import type { ClientState, Notice, Position } from '../../client/index.ts';

/** Said to a process with tabs: all of them are closed by their person. */
export const LEAVE = 'leave';

/** What a process with tabs is told; `tab` is a number of the drill's choice. */
export type TabOrder = { readonly tab: number } & (
  | { readonly open: TabOpening }
  /** Its person asks, under an id of their own. */
  | { readonly ask: { readonly id: string; readonly text: string } }
  /** Its person comes back to it. */
  | { readonly resume: true }
  /** It follows its thread from here on. */
  | { readonly follow: Position }
  /** Its socket is not read any more; it is again. */
  | { readonly read: boolean }
  /** Its person does not want this answer. */
  | { readonly cancel: string }
  /** Its person closes it. */
  | { readonly close: true }
);

export interface TabOpening {
  readonly url: string;
  readonly token: string;
  readonly thread: string;
  readonly label: string;
  /** False: it follows its thread only when it is told to. */
  readonly follows?: false;
}

/** What it says of its tabs. */
export type TabNews = { readonly tab: number } & (
  | { readonly state: ClientState }
  /** Its first seat, how long that took from the dial on, and the port of its socket on this side; 0: another process has it. */
  | { readonly seatedAfterMs: number; readonly port: number }
  | { readonly notice: Notice }
  /** Why a transport ended, as its socket or its farewell says. */
  | { readonly ended: { readonly code: number; readonly reason: string } }
  | { readonly accepted: { readonly id: string; readonly run: string; readonly position: Position } }
  | { readonly refused: { readonly id: string; readonly why: string } }
  | { readonly told: Told }
);

/** What a tab has been told of its thread so far. Sums say what contents would. */
export interface Told {
  readonly events: number;
  /** Of the last one. */
  readonly offset: number;
  /** Characters of text, in questions and answers. */
  readonly characters: number;
  /** SHA-256 of all of it, in the order in which it came: who is at the same offset has the same. */
  readonly sum: string;
  /** Answers that came to their end, by run. */
  readonly answers: Readonly<Record<string, ToldAnswer>>;
  /** What came twice, in the wrong order or not at all, in words. */
  readonly faults: readonly string[];
  readonly gaps: number;
}

export interface ToldAnswer {
  readonly status: string;
  readonly characters: number;
  /** SHA-256 of the pieces, put together. */
  readonly sum: string;
}
