/** One client of a storm: where it comes from, as whom, and where it goes on. */
export interface StormClient {
  readonly name: string;
  readonly token: string;
  readonly thread: string;
  /** Address of the loopback network that it dials from. */
  readonly from: string;
  /** Its lines. */
  readonly file: string;
  readonly life: number;
  /** As of its last life. */
  readonly resume?: { readonly manager: string; readonly token: string; readonly epoch: string; readonly offset: number };
}

export interface StormOrder {
  readonly url: string;
  /** They all dial in one turn of the event loop. */
  readonly clients: readonly StormClient[];
}

/** What becomes of a client; times are `nowMs()`. */
export type StormSaid = { readonly client: string } & (
  | { readonly is: 'seated'; readonly at: number; readonly dialledAt: number; readonly manager: string; readonly token: string; readonly how: string }
  | { readonly is: 'queued'; readonly at: number }
  /** A farewell, or a close without one. */
  | { readonly is: 'closed'; readonly at: number; readonly code: number; readonly reason: string }
);
