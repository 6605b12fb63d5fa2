/** What a person has sent and not seen in the stream yet. Pure. */

import type { AcceptedMessage, MessageData, PendingMessage, ThreadMessage } from '../client/index.ts';
import type { MessageId } from '../protocol/ids.ts';
import type { Conversation } from './conversation.ts';

export interface OwnMessage {
  /** Id under which it was sent. */
  readonly id: string;
  readonly data: MessageData;
  readonly sentAt: number;
  readonly accepted: AcceptedMessage | null;
  /** Why it was refused, for people. */
  readonly refusal: string | null;
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
