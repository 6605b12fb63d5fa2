/** The person's conversations, newest first, over HTTP: reading them needs no session. */

import { useCallback, useEffect, useRef, useState } from 'react';
import { account } from '../auth/use-account.ts';

export interface ThreadSummary {
  readonly id: string;
  readonly title: string;
  readonly updatedAt: number;
  readonly activeRun: string | null;
}

interface Page {
  readonly threads: readonly ThreadSummary[];
  readonly nextCursor: string | null;
}

export interface Threads {
  readonly threads: readonly ThreadSummary[];
  readonly isLoaded: boolean;
  /** There are older ones that are not in the list yet. */
  readonly hasMore: boolean;
  refresh(): void;
  loadMore(): void;
}

const PAGE = 50;
const AGAIN_MS = 3_000;

export function useThreads(): Threads {
  const [pages, setPages] = useState<readonly Page[] | null>(null);
  const wanted = useRef(1);
  const [turn, setTurn] = useState(0);
  const refresh = useCallback(() => setTurn((n) => n + 1), []);
  const loadMore = useCallback(() => {
    wanted.current += 1;
    refresh();
  }, [refresh]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new turn is what asks again
  useEffect(() => {
    const ended = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const load = async (): Promise<void> => {
      try {
        const read: Page[] = [];
        let cursor: string | null = null;
        do {
          const after: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
          const page: Page = await account.call<Page>(`v1/threads?limit=${PAGE}${after}`, { signal: ended.signal });
          read.push(page);
          cursor = page.nextCursor;
        } while (cursor !== null && read.length < wanted.current);
        if (!ended.signal.aborted) setPages(read);
      } catch {
        // Offline or not signed in: the list stays as it is, and is asked for again.
        if (!ended.signal.aborted) timer = setTimeout(() => void load(), AGAIN_MS);
      }
    };
    void load();
    return () => {
      ended.abort();
      clearTimeout(timer);
    };
  }, [turn]);

  useEffect(() => {
    // Another tab may have started one meanwhile.
    const looked = (): void => {
      if (document.visibilityState === 'visible') refresh();
    };
    document.addEventListener('visibilitychange', looked);
    addEventListener('focus', looked);
    return () => {
      document.removeEventListener('visibilitychange', looked);
      removeEventListener('focus', looked);
    };
  }, [refresh]);

  return { threads: (pages ?? []).flatMap((page) => page.threads), isLoaded: pages !== null, hasMore: pages?.at(-1)?.nextCursor != null, refresh, loadMore };
}
