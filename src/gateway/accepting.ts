/** What a message becomes when it is taken in, and what its sender is answered. */

import { createHash } from 'node:crypto';
import { newId, type Random } from '../ports/random.ts';
import type { RunRecord, Store, StoredMessage, StreamKey } from '../ports/store.ts';
import type { RunAccepted, Send } from '../protocol/frames.ts';
import type { ManagerId, MessageId, NodeId, RunId } from '../protocol/ids.ts';
import type { MessageData } from '../protocol/messages.ts';
import type { Stream } from '../streams/stream.ts';
import { partsOf } from './question.ts';
import type { Refusal } from './services.ts';

export type SendRequest = Omit<Send, 'type'> & {
  /** The session that asks; null or left out where none does, as over plain HTTP. */
  readonly manager?: ManagerId | null;
};
/** Called when the message is durable, before any follower sees it or an event of its run. */
export type OnAccepted = (accepted: RunAccepted) => void;

export const REUSED_ID: Refusal = {
  is: 'refused',
  code: 'idempotency-conflict',
  message: 'This `id` was used for another message of this thread. Use a new `id` for a new message.',
};

export const digestOf = (data: MessageData): string => createHash('sha256').update(JSON.stringify(data)).digest('base64url');

/** What is stored under the request's id. `reused`: for another message. Null: nothing. */
export async function knownSend(
  store: Store,
  key: StreamKey,
  request: SendRequest,
): Promise<{ readonly message: StoredMessage; readonly run: RunRecord } | 'reused' | null> {
  const known = await store.threads.findSend(key, request.id);
  return known === null || known.message.send?.digest === digestOf(request.data) ? known : 'reused';
}

export function acceptedOf(stream: Stream, request: SendRequest, run: RunRecord, message: StoredMessage, duplicate: boolean): RunAccepted {
  return {
    type: 'run-accepted',
    id: request.id,
    thread: stream.key.thread,
    run: run.id,
    message: message.id,
    epoch: stream.epoch,
    offset: message.offset,
    state: run.state === 'queued' ? 'queued' : 'running',
    duplicate,
  };
}

/** A message with its run, as they are stored and shown. */
export function newMessage(
  key: StreamKey,
  request: SendRequest,
  o: { readonly offset: number; readonly at: number; readonly state: 'queued' | 'running'; readonly node: NodeId; readonly random: Random },
) {
  const run: RunRecord = {
    id: newId(o.random, 'run') as RunId,
    user: key.user,
    thread: key.thread,
    message: newId(o.random, 'msg') as MessageId,
    agent: request.agent ?? null,
    state: o.state,
    node: o.node,
    createdAt: o.at,
    firstOffset: null,
    lastOffset: null,
  };
  const parts = partsOf(request.data);
  const shown = { id: run.message, role: 'user', status: 'complete', createdAt: o.at, run: run.id, parts } as const;
  const message: StoredMessage = { ...shown, offset: o.offset, send: { id: request.id, digest: digestOf(request.data) } };
  return { run, message, parts, data: JSON.stringify(shown) };
}
