/** Tells a URL when alerts begin and end, for whoever has no Alertmanager. */

import type { Clock } from '../ports/clock.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { SpillwayError } from '../protocol/errors.ts';
import type { AlertStatus } from '../protocol/live.ts';

/** What is posted, as JSON. */
export interface AlertMessage {
  /** `spillway.alert.v1`. */
  readonly kind: 'spillway.alert.v1';
  readonly alert: string;
  readonly state: 'firing' | 'resolved';
  readonly severity: 'page' | 'ticket';
  readonly summary: string;
  readonly value: number | null;
  readonly threshold: string;
  /** Where the handbook says what to do. */
  readonly runbook: string;
  readonly node: string;
  readonly version: string;
  /** ISO 8601: when it began, or ended. */
  readonly at: string;
}

export interface WebhookOptions {
  readonly url: string;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

export interface AlertWebhook extends Disposable {
  /** Hands a message over and returns; what cannot be delivered is tried again. Never throws. */
  tell(message: AlertMessage): void;
}

/** Messages that may wait for a receiver that is away: all alerts of the table could begin and end twice. Beyond, the oldest goes. */
const WAITING_MOST = 80;
/** Between attempts: this long at first, then twice as long up to the longest. */
const RETRY_MS = 1_000;
const RETRY_LONGEST_MS = 60_000;
const PATIENCE_MS = 10_000;

/** Posts messages one by one, in order. A receiver that refuses a message for good (4xx, but 408 and 429) loses that message alone. The
 *  URL is treated as a secret, as those of chat services are: logs name its host alone. @throws SpillwayError for what is no such URL. */
export function createAlertWebhook({ url, clock, telemetry }: WebhookOptions): AlertWebhook {
  const waiting: AlertMessage[] = [];
  const ended = new AbortController();
  const { protocol, host } = URL.parse(url) ?? { protocol: '', host: '' };
  if (!/^https?:$/.test(protocol))
    throw new SpillwayError('SPILLWAY_BAD_OPTION', 'Expected `alerts.webhook` to be an address that begins with https:// or http://.');
  let isPosting = false;
  let failures = 0;
  let cancel = (): void => {};

  function next(): void {
    const message = waiting[0];
    if (isPosting || message === undefined || ended.signal.aborted) return;
    isPosting = true;
    post(message).then(
      (verdict) => {
        isPosting = false;
        settle(message, verdict);
      },
      // What `fetch` throws names no URL: the reason stands in its cause.
      (error: unknown) => {
        isPosting = false;
        settle(message, { is: 'later', why: reasonOf(error) });
      },
    );
  }

  async function post(message: AlertMessage): Promise<Verdict> {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(message),
      redirect: 'error',
      signal: AbortSignal.any([ended.signal, AbortSignal.timeout(PATIENCE_MS)]),
    });
    await response.body?.cancel();
    const { status } = response;
    if (response.ok) return { is: 'taken' };
    return { is: status >= 400 && status < 500 && status !== 408 && status !== 429 ? 'refused' : 'later', why: `it answered ${status}` };
  }

  function settle(message: AlertMessage, verdict: Verdict): void {
    if (ended.signal.aborted) return;
    if (verdict.is === 'later') {
      failures++;
      const retryInMs = Math.min(RETRY_MS * 2 ** (failures - 1), RETRY_LONGEST_MS);
      // The first of a row says what is wrong; the others would say the same.
      if (failures === 1) warn(`${host} did not take the alert ${message.alert}: ${verdict.why}. It is tried again.`);
      cancel = clock.after(retryInMs, next);
      return;
    }
    failures = 0;
    if (verdict.is === 'refused') warn(`${host} refuses the alert ${message.alert}: ${verdict.why}. It is left out.`);
    if (waiting[0] === message) waiting.shift();
    next();
  }

  const warn = (text: string): void => telemetry.record({ severity: 'WARNING', event: 'webhook-failed', message: text });

  return {
    tell(message) {
      if (ended.signal.aborted) return;
      waiting.push(message);
      if (waiting.length > WAITING_MOST) {
        const lost = waiting.shift();
        warn(`${host} is away for long: the alert ${lost?.alert}, ${lost?.state}, is left out, for ${WAITING_MOST} newer ones wait.`);
      }
      if (failures === 0) next();
    },
    [Symbol.dispose]() {
      cancel();
      ended.abort();
    },
  };
}

type Verdict = { readonly is: 'taken' } | { readonly is: 'refused' | 'later'; readonly why: string };

function reasonOf(error: unknown): string {
  const { name, cause } = error instanceof Error ? error : { name: 'Error', cause: undefined };
  if (name === 'TimeoutError') return `no answer within ${PATIENCE_MS / 1_000} s`;
  const { code } = (cause ?? {}) as { readonly code?: unknown };
  return typeof code === 'string' ? code : 'it could not be reached';
}

/** A change of an alert as it is posted; null for one that nobody is told of. `was`: its state before. */
export function messageFor(
  status: AlertStatus,
  was: AlertStatus['state'],
  { node, version, at }: { readonly node: string; readonly version: string; readonly at: number },
): AlertMessage | null {
  const { alert, severity, summary, value, threshold, runbook } = status;
  const state = status.state === 'firing' ? 'firing' : was === 'firing' ? 'resolved' : null;
  if (state === null) return null;
  return { kind: 'spillway.alert.v1', alert, state, severity, summary, value, threshold, runbook, node, version, at: new Date(at).toISOString() };
}
