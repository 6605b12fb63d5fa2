import type { MessageData, MessagePart } from '../protocol/messages.ts';
import { startOf } from '../protocol/utf8.ts';

const TITLE_LENGTH = 80;

/** What a person sent, as the parts of a message. */
export const partsOf = (data: MessageData): readonly MessagePart[] => ('text' in data ? [{ type: 'text', text: data.text }] : data.parts);

/** The first words of a conversation. */
export function titleOf(parts: readonly MessagePart[]): string {
  const text = parts
    .map((p) => (p.type === 'text' ? p.text : ''))
    .join(' ')
    .replace(/\s+/g, ' ')
    .trim();
  return text.length <= TITLE_LENGTH ? text : `${startOf(text, TITLE_LENGTH - 1).trimEnd()}…`;
}
