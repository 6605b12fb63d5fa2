/** Reads an answer aloud through a screen reader, sentence by sentence, while it streams. */

import { useEffect, useRef, useState } from 'react';
import type { ThreadMessage } from 'spillway/client';
import { textOf } from './messages.tsx';
import { sentenceEnd, spoken } from './sentences.ts';

const KEPT = 6;

/** `isLoaded` false: what comes is the stored conversation, which nobody wants to hear from its beginning. */
export function Announcer({ messages, isLoaded }: { messages: readonly ThreadMessage[]; isLoaded: boolean }) {
  const [lines, setLines] = useState<readonly { id: number; text: string }[]>([]);
  const told = useRef<Map<string, number> | null>(null);
  const nextId = useRef(0);

  useEffect(() => {
    if (!isLoaded) return;
    if (told.current === null) {
      told.current = new Map(messages.map((message) => [message.id, textOf(message).length]));
      return;
    }
    const fresh: string[] = [];
    for (const message of messages.slice(-2)) {
      if (message.role !== 'assistant') continue;
      const text = textOf(message);
      const from = told.current.get(message.id) ?? 0;
      const end = message.status === 'streaming' ? sentenceEnd(text, from) : text.length;
      if (end <= from) continue;
      told.current.set(message.id, end);
      const line = spoken(text.slice(from, end));
      if (line !== '') fresh.push(line);
    }
    if (fresh.length > 0) setLines((before) => [...before, ...fresh.map((text) => ({ id: nextId.current++, text }))].slice(-KEPT));
  }, [messages, isLoaded]);

  return (
    <div className="hidden-text" role="log" aria-live="polite" aria-relevant="additions" aria-label="New parts of the answer">
      {lines.map((line) => (
        <p key={line.id}>{line.text}</p>
      ))}
    </div>
  );
}
