/** Spells a conversation as the AI SDK wants it. Pure. */

import type { AssistantModelMessage, ModelMessage, ToolModelMessage, UserModelMessage } from 'ai';
import type { MessagePart, ThreadMessage } from '../protocol/messages.ts';

type ToolPart = Extract<MessagePart, { type: 'tool' }>;
type AssistantContent = Exclude<AssistantModelMessage['content'], string>;
type UserContent = Exclude<UserModelMessage['content'], string>;

/** Media types that OpenAI-compatible endpoints define a part for. */
const DATA = /^data:(?:image\/|audio\/(?:wav|mp3|mpeg)[;,]|application\/pdf[;,]|text\/)/;

/** The conversation for a model. Reasoning of earlier answers is left out, since providers refuse or bill it; tool calls of
 *  earlier answers are kept only `withTools`, because a model without tools cannot read them. Nothing is ever downloaded:
 *  what an endpoint cannot be given is named in words. Messages with nothing to say are left out. */
export function toModelMessages(messages: readonly ThreadMessage[], withTools: boolean): ModelMessage[] {
  return messages.flatMap((message): ModelMessage[] => {
    if (message.role === 'assistant') return assistantMessages(message, withTools);
    const content = message.parts.flatMap(userPart);
    return content.length === 0 ? [] : [{ role: 'user', content }];
  });
}

function userPart(part: MessagePart): UserContent {
  if (part.type === 'text') return part.text === '' ? [] : [{ type: 'text', text: part.text }];
  if (part.type !== 'file') return [];
  if (DATA.test(part.url)) return [{ type: 'file', data: part.url, mediaType: part.mediaType }];
  if (part.mediaType.startsWith('image/') && /^https?:\/\//.test(part.url)) return [{ type: 'file', data: new URL(part.url), mediaType: part.mediaType }];
  return [
    {
      type: 'text',
      text: `[A file of type ${part.mediaType} is attached, which cannot be shown to you${part.url.startsWith('data:') ? '' : `: ${part.url}`}]`,
    },
  ];
}

/** An answer with tool calls becomes several messages: what was said with the calls, their results, what was said then. */
function assistantMessages(message: ThreadMessage, withTools: boolean): ModelMessage[] {
  const all: ModelMessage[] = [];
  let content: AssistantContent = [];
  let results: ToolModelMessage['content'] = [];
  const close = () => {
    if (content.length > 0) all.push({ role: 'assistant', content });
    if (results.length > 0) all.push({ role: 'tool', content: results });
    content = [];
    results = [];
  };
  for (const part of message.parts) {
    if (part.type === 'text' && part.text !== '') {
      if (results.length > 0) close();
      content.push({ type: 'text', text: part.text });
    } else if (part.type === 'tool' && withTools && part.success !== undefined) {
      content.push({ type: 'tool-call', toolCallId: part.executionId, toolName: part.toolName, input: part.parameters ?? {} });
      results.push({ type: 'tool-result', toolCallId: part.executionId, toolName: part.toolName, output: outputOf(part) });
    }
  }
  close();
  return all;
}

function outputOf(part: ToolPart): { type: 'text' | 'error-text'; value: string } {
  const text = typeof part.results === 'string' ? part.results : (JSON.stringify(part.results) ?? '');
  return part.success === false ? { type: 'error-text', value: text === '' ? 'The tool failed.' : text } : { type: 'text', value: text };
}
