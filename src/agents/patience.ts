import type { Clock } from '../ports/clock.ts';

export interface Patience {
  /** Waits for `promise`, but not beyond what is left of the limit, nor beyond an abort. Rejects with the promise. */
  wait<T>(promise: Promise<T>): Promise<{ readonly is: 'came'; readonly value: T } | { readonly is: 'silent' } | { readonly is: 'aborted' }>;
  /** Something was said: the limit is `limitMs` from here. */
  renew(limitMs: number): void;
}

/** Bounds the silence of somebody else. Only time spent waiting counts: a reader that pauses accuses nobody. */
export function patience(clock: Clock, signal: AbortSignal, limitMs: number): Patience {
  let leftMs = limitMs;
  return {
    renew(next) {
      leftMs = next;
    },
    wait(promise) {
      const since = clock.mono();
      return new Promise((resolve, reject) => {
        const silent = () => settle(() => resolve({ is: 'silent' }));
        const aborted = () => settle(() => resolve({ is: 'aborted' }));
        const forget = clock.after(Math.max(0, leftMs), silent);
        const settle = (how: () => void) => {
          forget();
          signal.removeEventListener('abort', aborted);
          leftMs -= clock.mono() - since;
          how();
        };
        signal.addEventListener('abort', aborted, { once: true });
        if (signal.aborted) aborted();
        promise.then(
          (value) => settle(() => resolve({ is: 'came', value })),
          (error: unknown) => settle(() => reject(error instanceof Error ? error : new Error(String(error), { cause: error }))),
        );
      });
    },
  };
}
