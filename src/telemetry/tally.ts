import type { TelemetrySource } from '../ports/events.ts';
import { connectResult, messageResult } from './intents.ts';
import { Spread } from './spread.ts';

/** What happened since the start, as the series and the summary want it. Rises only. */
export interface Counts {
  seated: number;
  afterCleanup: number;
  burst: number;
  afterQueue: number;
  force: number;
  retryLater: number;
  abandoned: number;
  zombiesByAck: number;
  zombiesByProbe: number;
  zombiesByTransport: number;
  resumes: number;
  gaps: number;
  lockouts: number;
  evicted: number;
  regrets: number;
  /** Persons' connects and messages, and of them those served in time. What failed at a model's endpoint is in neither. */
  intents: number;
  intentsInTime: number;
}

/** Durations of one span of time. */
export interface Spreads {
  readonly cleanup: Spread;
  readonly ack: Spread;
  readonly loop: Spread;
}

export const newSpreads = (): Spreads => ({ cleanup: new Spread(), ack: new Spread(), loop: new Spread() });

const OUTCOME_FIELD = {
  direct: 'seated',
  'after-cleanup': 'afterCleanup',
  burst: 'burst',
  'after-queue': 'afterQueue',
  force: 'force',
  'retry-later': 'retryLater',
  abandoned: 'abandoned',
} as const;

/** Keeps `counts`, and gives durations to `spreads`. Returns the undo. `waitMs`: `queue.waitMs`. */
export function tally(source: TelemetrySource, counts: Counts, spreads: Spreads, waitMs: number): () => void {
  const intent = (result: ReturnType<typeof connectResult>): void => {
    if (result === null || result === 'provider_error') return;
    counts.intents++;
    if (result === 'ok') counts.intentsInTime++;
  };
  const undo = [
    source.on('admission-ended', (record) => {
      if (record.outcome !== 'reattach') counts[OUTCOME_FIELD[record.outcome]]++;
      intent(connectResult(record, waitMs));
    }),
    source.on('lockout', () => {
      counts.lockouts++;
      intent('failed');
    }),
    source.on('run-ended', (run) => intent(messageResult(run))),
    source.on('zombie-found', ({ reason }) => {
      counts[reason === 'ack-timeout' ? 'zombiesByAck' : reason === 'probe-timeout' ? 'zombiesByProbe' : 'zombiesByTransport']++;
    }),
    source.on('resumed', () => {
      counts.resumes++;
    }),
    source.on('gap-told', () => {
      counts.gaps++;
    }),
    source.on('cleanup-finished', ({ victims, durationMs }) => {
      counts.evicted += victims.length;
      spreads.cleanup.add(durationMs);
    }),
    source.on('eviction-regret', () => {
      counts.regrets++;
    }),
    source.on('acknowledged', ({ delayMs }) => spreads.ack.add(delayMs)),
  ];
  return () => {
    for (const stop of undo) stop();
  };
}

export const noCounts = (): Counts => ({
  seated: 0,
  afterCleanup: 0,
  burst: 0,
  afterQueue: 0,
  force: 0,
  retryLater: 0,
  abandoned: 0,
  zombiesByAck: 0,
  zombiesByProbe: 0,
  zombiesByTransport: 0,
  resumes: 0,
  gaps: 0,
  lockouts: 0,
  evicted: 0,
  regrets: 0,
  intents: 0,
  intentsInTime: 0,
});
