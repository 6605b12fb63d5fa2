/** What was said before the stored messages that a conversation opens with. */

import { useEffect, useState } from 'react';
import type { ThreadMessage } from 'spillway/client';
import { account } from '../auth/use-account.ts';

interface Page {
  readonly messages: readonly ThreadMessage[];
  readonly hasMore: boolean;
}

export interface Earlier {
  /** Oldest first. */
  readonly messages: readonly ThreadMessage[];
  readonly hasMore: boolean;
  readonly isLoading: boolean;
  load(): void;
}

const PAGE = 50;
/** A conversation shorter than this was opened whole. */
const FEW = 20;

/** `first` is the oldest message that is known otherwise; undefined while nothing is. */
export function useEarlier(thread: string, first: string | undefined, known: number): Earlier {
  const [messages, setMessages] = useState<readonly ThreadMessage[]>([]);
  const [hasMore, setHasMore] = useState(false);
  const [isLoading, setLoading] = useState(false);
  const mayHaveMore = known >= FEW;

  const ask = (before: string, limit: number, signal?: AbortSignal): Promise<Page> =>
    account.call<Page>(`v1/threads/${thread}/messages?limit=${limit}&before=${before}`, signal === undefined ? {} : { signal });

  // biome-ignore lint/correctness/useExhaustiveDependencies: asked once for the message the conversation opened with
  useEffect(() => {
    if (first === undefined || !mayHaveMore) return;
    const ended = new AbortController();
    setMessages([]);
    ask(first, 1, ended.signal).then(
      (page) => setHasMore(page.messages.length > 0),
      () => setHasMore(false),
    );
    return () => ended.abort();
  }, [thread, first, mayHaveMore]);

  const load = (): void => {
    const before = messages[0]?.id ?? first;
    if (before === undefined || isLoading) return;
    setLoading(true);
    ask(before, PAGE)
      .then(
        (page) => {
          setMessages((later) => [...page.messages, ...later]);
          setHasMore(page.hasMore);
        },
        () => {
          // Offline: the button stays and can be pressed again.
        },
      )
      .finally(() => setLoading(false));
  };
  return { messages, hasMore, isLoading, load };
}
