/** Answers of the admin API, for what does not change every second. */

import { useCallback, useEffect, useRef, useState } from 'react';

export interface Answer<T> {
  /** Null before the first answer. */
  readonly data: T | null;
  /** Why the last attempt failed. What was known before stays. */
  readonly problem: string | null;
  readonly isAsking: boolean;
  again(): void;
}

export const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Asks when the component appears and whenever `about` changes. */
export function useAnswer<T>(about: string, ask: () => Promise<T>): Answer<T> {
  const [answer, setAnswer] = useState<{ about: string; data: T | null; problem: string | null; isAsking: boolean }>({
    about,
    data: null,
    problem: null,
    isAsking: true,
  });
  const latest = useRef(ask);
  latest.current = ask;
  const turn = useRef(0);

  const again = useCallback(() => {
    const mine = ++turn.current;
    setAnswer((before) => ({ ...(before.about === about ? before : { data: null, problem: null }), about, isAsking: true }));
    latest.current().then(
      (data) => {
        if (mine === turn.current) setAnswer({ about, data, problem: null, isAsking: false });
      },
      (error: unknown) => {
        if (mine === turn.current)
          setAnswer((before) => ({ about, data: before.about === about ? before.data : null, problem: wordsOf(error), isAsking: false }));
      },
    );
  }, [about]);
  useEffect(() => {
    again();
    return () => {
      turn.current += 1;
    };
  }, [again]);
  return answer.about === about ? { ...answer, again } : { data: null, problem: null, isAsking: true, again };
}

/** Runs something that a person asked for, once at a time. */
export function useAct<A extends unknown[]>(
  act: (...given: A) => Promise<void>,
): {
  readonly isActing: boolean;
  readonly problem: string | null;
  run(...given: A): void;
} {
  const [isActing, setActing] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const run = (...given: A): void => {
    if (isActing) return;
    setActing(true);
    setProblem(null);
    act(...given)
      .catch((error: unknown) => setProblem(wordsOf(error)))
      .finally(() => setActing(false));
  };
  return { isActing, problem, run };
}
