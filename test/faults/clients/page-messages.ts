/** What the thread that has a page's sockets tells the page. */
export type ToPage =
  | { readonly is: 'opened'; readonly socket: number }
  | { readonly is: 'message'; readonly socket: number; readonly text: string }
  | { readonly is: 'closed'; readonly socket: number; readonly code: number; readonly reason: string }
  /** Block: for good, until `wakes` is set, or all of each cycle but `awakeMs`. */
  | { readonly is: 'freeze'; readonly awakeMs: number; readonly cycleMs: number }
  | { readonly is: 'leave' };

/** What a page tells that thread. */
export type FromPage =
  | { readonly is: 'dial'; readonly socket: number; readonly url: string; readonly protocols: readonly string[] }
  | { readonly is: 'send'; readonly socket: number; readonly text: string }
  | { readonly is: 'close'; readonly socket: number };

/** Cells of the memory that both share. */
export const CELL = { ticks: 0, wakes: 1 } as const;
