import type { AdmissionRecord, SpillwayEvents } from '../ports/events.ts';

/** How what a person asked for ended. `provider_error`: it failed at the model's endpoint, and at nothing of ours. */
export type IntentResult = 'ok' | 'late' | 'failed' | 'provider_error';

/** The decision after a wait in the queue may take so long. */
const DECISION_MS = 500;
/** A person's message has its first event within this time. */
const FIRST_EVENT_MS = 5_000;

/** A person's wish to be seated; null where nothing can be said of it: no person asked, it was not waited for, or it held its seat
 *  already. `waitMs`: `queue.waitMs`. */
export function connectResult({ intent, outcome, durationMs }: AdmissionRecord, waitMs: number): IntentResult | null {
  if (intent !== 'user' || outcome === 'abandoned' || outcome === 'reattach') return null;
  return outcome === 'retry-later' || durationMs > waitMs + DECISION_MS ? 'late' : 'ok';
}

/** A person's wish for an answer, at the end of its run; null where its own cancel came before any event was due. */
export function messageResult({ status, provider, firstEventMs, durationMs }: SpillwayEvents['run-ended']): IntentResult | null {
  if (status === 'failed' || status === 'lost') return provider ? 'provider_error' : 'failed';
  const shownAfterMs = firstEventMs ?? durationMs;
  if (shownAfterMs > FIRST_EVENT_MS) return 'late';
  return firstEventMs === null && status === 'cancelled' ? null : 'ok';
}
