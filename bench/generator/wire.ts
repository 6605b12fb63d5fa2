import { readTokens } from '../tokens.ts';
import type { Connection } from './connection.ts';

/** How one peer is spoken to. One object serves all connections of a run. */
export interface Wire {
  request(index: number): { readonly path: string; readonly protocol?: string };
  /** The upgrade was accepted. */
  opened(connection: Connection): void;
  /** A text message came; `payload` is valid only during the call. */
  text(connection: Connection, payload: Buffer): void;
  /** Says that `text` is asked for; the answer comes as tokens. */
  ask(connection: Connection, text: string): void;
  /** Said before a connection is left for good, if there is something to say. */
  farewell?(connection: Connection): void;
}

/** Checks and times the tokens of a frame. */
export function takeTokens(connection: Connection, payload: Buffer): void {
  const { traffic, checker, readAtUs } = connection;
  let came = 0;
  readTokens(payload, (sequence, dueUs) => {
    checker.take(sequence);
    traffic.latency(readAtUs - dueUs);
    came++;
  });
  if (came === 0) return;
  traffic.frames++;
  traffic.tokens += came;
  traffic.lastUs = readAtUs;
}
