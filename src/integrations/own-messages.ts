/** What a person has sent and not seen in the stream yet. Pure. */

import type { AcceptedMessage, MessageData, PendingMessage, SpillwayError, ThreadMessage } from '../client/index.ts';
import type { MessageId } from '../protocol/ids.ts';
import type { Conversation, Failure } from './conversation.ts';

export interface OwnMessage {
  /** Id under which it was sent. */
  readonly id: string;
  readonly data: MessageData;
  readonly sentAt: number;
  readonly accepted: AcceptedMessage | null;
  /** Why it was refused. */
  readonly refusal: Failure | null;
}

/** What a person reads of a refused message, and whether sending the same again may help. */
export function refusalOf(error: SpillwayError): Failure {
  // The only wrong use that a person can make: nothing makes it shorter but they themselves.
  if (error.code === 'SPILLWAY_BAD_ARGUMENT') return { text: 'The message is too long. Shorten it and send it again.', canRetry: false };
  if (error.code === 'SPILLWAY_CLOSED') return { text: 'The message was not sent.', canRetry: true };
  if (error.code === 'SPILLWAY_OUTBOX_FULL') return { text: 'Too many messages wait to be sent. Try again when the connection is back.', canRetry: true };
  return { text: error.message, canRetry: error.retry !== 'never' };
}

export const newOwnMessage = ({ id, data }: Pick<PendingMessage, 'id' | 'data'>, sentAt: number): OwnMessage => ({
  id,
  data,
  sentAt,
  accepted: null,
  refusal: null,
});

/** Without those that have arrived in the conversation. */
export function notArrived(own: readonly OwnMessage[], { position, messages }: Conversation): readonly OwnMessage[] {
  return own.filter(({ accepted }) => {
    if (accepted === null) return true;
    const isBehind = position !== null && position.epoch === accepted.position.epoch && position.offset >= accepted.position.offset;
    return !isBehind && !messages.some((m) => m.id === accepted.messageId);
  });
}

/** An own message as the conversation shows it: at once, `streaming` until it is stored, `failed` if it was refused. */
export function asThreadMessage(own: OwnMessage): ThreadMessage {
  return {
    id: (own.accepted?.messageId ?? own.id) as MessageId,
    role: 'user',
    status: own.refusal !== null ? 'failed' : own.accepted === null ? 'streaming' : 'complete',
    createdAt: own.sentAt,
    parts: 'text' in own.data ? [{ type: 'text', text: own.data.text }] : own.data.parts,
  };
}
