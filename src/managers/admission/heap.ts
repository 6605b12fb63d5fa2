import { getHeapStatistics } from 'node:v8';
import type { Mono } from '../../core/clocks.ts';

/** Asking costs up to a millisecond. */
const KEPT_MS = 1_000;

/** Reads which share of the heap that this process may use is in use, at most once a second. */
export function heapGauge(now: () => Mono): () => number {
  let readAt: Mono | null = null;
  let share = 0;
  return () => {
    if (readAt !== null && now() - readAt < KEPT_MS) return share;
    readAt = now();
    const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
    share = used / limit;
    return share;
  };
}
