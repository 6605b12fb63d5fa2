/** What gateway processes that share a store know of each other, and how they talk. */

import type { NodeId } from '../protocol/ids.ts';
import type { Clock } from './clock.ts';
import type { Random } from './random.ts';
import type { SeatStore } from './store.ts';

/** One life of one node: a process that was started again under its old name is another life. */
export interface NodeLife {
  readonly node: NodeId;
  /** Random, made at the start of the process. */
  readonly incarnation: string;
}

/** What a node tells of itself with every beat. */
export interface NodeCard extends NodeLife {
  /** Version of Spillway. Nodes of two versions may share a store while one replaces the other. */
  readonly version: string;
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number;
  /** Seats that its managers hold. */
  readonly managers: number;
  /** It takes nobody in any more. */
  readonly isDraining: boolean;
}

/** What a beat found. */
export interface Beat {
  /** Name of the store's data set: another one when the store has lost everything. */
  readonly epoch: string;
  /** The store's clock, milliseconds. */
  readonly now: number;
  /** Nodes whose key is there, the asking one among them. */
  readonly nodes: readonly NodeCard[];
}

/** A letter from node to node. What `kind` and `body` mean, the nodes agree on; a kind that a node does not know is answered so. */
export interface Letter {
  /** Names a question and its answer. */
  readonly id: string;
  readonly from: NodeLife;
  readonly kind: string;
  /** JSON text. */
  readonly body: string;
}

/** The part of a store that makes several processes one gateway. Fails as the rest of the store does, and every call may be repeated. */
export interface ClusterStore {
  /** Renews this node's key, which lives `ttlMs`, and tells who else is there. A node of the same name and another incarnation that
   *  beats later replaces it. */
  beat(card: NodeCard, ttlMs: number): Promise<Beat>;
  /** Takes the node's key away, if it is this life's: others need not wait for its end. */
  leave(life: NodeLife): Promise<void>;
  /** Puts a letter into a node's box. The box keeps the last 1,000 letters for `LETTER_TTL_MS`; one for a node that is gone is lost. */
  post(to: NodeId, letter: Letter): Promise<void>;
  /** The value that is kept under `name`: `proposal`, where there was none. Whoever asks gets the same one, as long as the store keeps its
   *  data. */
  agree(name: string, proposal: string): Promise<string>;
  /** Calls `read` for each letter to `node` that is posted from now on, in order, until the returned undo is called. Survives losses of
   *  the connection; letters of that time may be lost. */
  receive(node: NodeId, read: (letter: Letter) => void): () => void;
  /** An empty book of seats in this process's memory (`createSeatBook`), by which a node serves while this store cannot be asked. Each
   *  call of it is done when it returns. */
  seatBook(clock: Clock, random: Random): SeatStore;
}

/** How long a letter may wait for a node that cannot read just now. */
export const LETTER_TTL_MS = 60_000;
