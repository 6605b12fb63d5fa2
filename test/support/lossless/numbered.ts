/** The form of a numbered event: readable again from any text that holds several of them one behind the other, so that merged deltas
 *  stay checkable. */

import { createHash } from 'node:crypto';
import { seeded } from '../lab/seeded.ts';
import type { Numbered } from './records.ts';

/** Bytes of a mark without its padding, about. */
const FRAME_BYTES = 40;

/** What JSON, UTF-8 and careless cutting would damage. The signs that frame a mark, `[` and `]`, are not among them. */
const PADDING = ['a', 'b', 'c', 'x', 'y', 'z', '0', '1', '"', '\\', '\n', '\u2028', '{', '}', 'é', '漢', '😀'];

const MARK = /\[(\d+) (\S+) (\S+) ([^[\]]*)\]/g;

/** Of the whole mark as it stands, with its frame. */
export const digestOf = (mark: string): string => createHash('sha256').update(mark).digest('base64url').slice(0, 16);

export interface MarkOptions {
  readonly user: string;
  readonly thread: string;
  readonly number: number;
  /** Of the mark, about. */
  readonly bytes: number;
  readonly seed: number;
}

/** `[number user thread padding]`; the same for the same options. */
export function markOf({ user, thread, number, bytes, seed }: MarkOptions): string {
  const random = seeded(seed * 1_000_003 + number);
  const wanted = Math.max(0, bytes - FRAME_BYTES) * (0.5 + random());
  let padding = '';
  // What is repeated comes at the price of a word, not of a letter: large events must not cost the test its time.
  const word = Array.from({ length: 16 }, () => PADDING[Math.floor(random() * PADDING.length)]).join('');
  while (padding.length + word.length <= wanted) padding += word;
  return `[${number} ${encodeURIComponent(user)} ${encodeURIComponent(thread)} ${padding}${number}]`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Damaged on its way: then it is nobody's.
    return text;
  }
}

/** The numbered events of a text. Every character counts for one of them, so that whatever else stands in it alters a digest; a text
 *  without any mark is an event with number 0, which nobody has attempted. */
export function numberedIn(text: string): readonly Numbered[] {
  if (text === '') return [];
  const found: Numbered[] = [];
  let end = 0;
  const marks = [...text.matchAll(MARK)];
  for (const [i, mark] of marks.entries()) {
    const next = marks[i + 1]?.index ?? text.length;
    const whole = text.slice(end, next);
    end = next;
    found.push({ number: Number(mark[1]), digest: digestOf(whole), user: decoded(mark[2] ?? '') });
  }
  return marks.length > 0 ? found : [{ number: 0, digest: digestOf(text), user: '' }];
}

/** What the numbered agent's events look like to whoever reads them. */
interface Readable {
  readonly type?: string | undefined;
  readonly text?: unknown;
  readonly parameters?: unknown;
  readonly results?: unknown;
}

const markIn = (value: unknown): readonly Numbered[] => {
  const mark = (value as { mark?: unknown } | null | undefined)?.mark;
  return typeof mark === 'string' ? numberedIn(mark) : [];
};

/** The numbered events in the data of one `event` frame, or of one part of a message. */
export function numberedEvents(data: unknown): readonly Numbered[] {
  const items = Array.isArray(data) ? (data as readonly Readable[]) : [data as Readable];
  return items.flatMap((item) => {
    if (item.type === 'text_delta') return numberedIn(String(item.text));
    if (item.type === 'tool_executing') return markIn(item.parameters);
    return item.type === 'tool_completed' ? markIn(item.results) : [];
  });
}

/** The numbered events of a conversation as it is stored. A tool's call and result stand in one part, so the order is not the log's. */
export function numberedParts(messages: readonly { readonly role: string; readonly parts: readonly Readable[] }[]): readonly Numbered[] {
  return messages
    .filter(({ role }) => role === 'assistant')
    .flatMap(({ parts }) =>
      parts.flatMap((part) => {
        if (part.type === 'text') return numberedIn(String(part.text));
        return part.type === 'tool' ? [...markIn(part.parameters), ...markIn(part.results)] : [];
      }),
    );
}
