/** What every contestant of a run can do. Each has a process of its own. */
export interface Peer {
  /** Its version, or those of what it is made of. */
  readonly versions: Readonly<Record<string, string>>;
  /** Listens on a free port of 127.0.0.1 and resolves to it. */
  start(): Promise<number>;
  /** Sends a token to connection `index`. */
  send(index: number, text: string): void;
  /** What only this peer can do; see there. */
  readonly acts?: Readonly<Record<string, (input: never) => unknown>>;
}

export interface PeerOptions {
  /** `stream`: tokens come from `send`. `echo`: every question is answered with its own text, as one token. */
  readonly duty: 'stream' | 'echo';
  /** SQLite file in which Spillway keeps its log; null: in memory. */
  readonly logFile: string | null;
  /** Signs the users' tokens. */
  readonly secret: string;
  /** Folder of a built package `spillway`; null: the one of this repository. */
  readonly root: string | null;
}

export const PEERS = ['spillway', 'ws', 'socketio', 'csr'] as const;
export type PeerName = (typeof PEERS)[number];

const MESSAGE_ID = 'msg_0123456789abcdefghijk';
const RUN_ID = 'run_0123456789abcdefghij';

/** The event that the bare peers send: 125 bytes of JSON with a text of 17 characters. */
export const eventOf = (text: string): { readonly type: string; readonly message_id: string; readonly text: string; readonly run_id: string } => ({
  type: 'text_delta',
  message_id: MESSAGE_ID,
  text,
  run_id: RUN_ID,
});
