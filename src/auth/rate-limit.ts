import type { Clock } from '../ports/clock.ts';

/** Counts attempts a key in windows that start with the key's first attempt. */
export interface RateLimit {
  /** Counts one attempt. 0: go on. Else milliseconds until the next attempt counts anew; refused attempts never lengthen that. */
  take(key: string): number;
}

export interface RateLimitOptions {
  /** Attempts a window. */
  readonly limit: number;
  readonly windowMs: number;
  readonly clock: Clock;
  /** Keys remembered at once; beyond it the longest known are forgotten. Default 10,000, about a megabyte. */
  readonly maxKeys?: number;
}

export function createRateLimit({ limit, windowMs, clock, maxKeys = 10_000 }: RateLimitOptions): RateLimit {
  // A Map keeps the order of insertion, and a window is inserted when it starts: the first key is always the one that ends first.
  const windows = new Map<string, { readonly endsAt: number; count: number }>();

  return {
    take(key) {
      const now = clock.mono();
      for (const [old, window] of windows) {
        if (window.endsAt > now && windows.size <= maxKeys) break;
        windows.delete(old);
      }
      const window = windows.get(key);
      if (window === undefined) {
        windows.set(key, { endsAt: now + windowMs, count: 1 });
        return 0;
      }
      if (window.count < limit) {
        window.count++;
        return 0;
      }
      return Math.max(1, Math.ceil(window.endsAt - now));
    },
  };
}
