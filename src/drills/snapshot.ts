import { createHash } from 'node:crypto';
import type { ThreadSnapshot } from '../client/index.ts';
import type { Stage } from './stage.ts';

/** The answer of a run as the gateway has stored it: SHA-256 and number of its characters. Null: it is not there. */
export async function storedAnswer(stage: Stage, thread: string, run: string): Promise<{ readonly sum: string; readonly characters: number } | null> {
  const url = stage.wsUrl.replace(/^ws(.*)\/v1\/ws$/, `http$1/v1/threads/${encodeURIComponent(thread)}/messages`);
  const response = await fetch(url, { headers: { authorization: `Bearer ${stage.token}` } });
  if (!response.ok) return null;
  const { messages } = (await response.json()) as ThreadSnapshot;
  const answer = messages.find((message) => message.run === run && message.role === 'assistant');
  if (answer === undefined) return null;
  const text = answer.parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
  return { sum: createHash('sha256').update(text).digest('base64url'), characters: text.length };
}
