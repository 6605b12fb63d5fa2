/** Facts of an admission, for the properties of `core`. */

import type { AdmissionFacts, Done } from '../../src/core/admission-facts.ts';
import { NOTHING_DONE } from '../../src/core/admission-facts.ts';
import { mono } from '../../src/core/clocks.ts';
import { EMPTY_QUEUE } from '../../src/core/queue.ts';
import { manager } from './evidence.ts';

export const ROOMY = { seats: 0, own: 0, gate: 0, turn: false, gateAfterMs: 3_000, score: 0, stalled: false, probeBudget: true, heapShare: 0.2 };

type Change = Omit<Partial<AdmissionFacts>, 'request' | 'node' | 'done'> & {
  readonly request?: Partial<AdmissionFacts['request']>;
  readonly node?: Partial<AdmissionFacts['node']>;
  readonly done?: Partial<Done>;
};

/** A person's admission at instant 0, with the user at the limit of 20, nothing tried yet, unless changed. */
export const facts = (change: Change = {}): AdmissionFacts => ({
  seats: 20,
  cap: 20,
  promised: 0,
  paid: 0,
  ahead: 0,
  joined: 1,
  persons: change.joined ?? 1,
  burst: { in: 'none' },
  queue: EMPTY_QUEUE,
  store: 'ok',
  ambiguous: [],
  forcesLastMinute: 0,
  startedAt: mono(0),
  ticket: null,
  refusal: null,
  jitter: 0.5,
  ...change,
  request: { managerId: manager(99), intent: 'user', tier: 'free', resumes: false, refusals: 0, ...change.request },
  // All seats of the user are here, unless it is said otherwise.
  node: { ...ROOMY, own: change.seats ?? 20, ...change.node },
  done: { ...NOTHING_DONE, ...change.done },
});

/** The dead are freed, and it was not enough. */
export const DEAD_FREED = { conservative: 'short', 'moderate-dead': 'short' } as const;
/** The living that may go are gone too. */
export const LADDER_CLIMBED = { ...DEAD_FREED, probe: 'short', moderate: 'short', aggressive: 'short' } as const;
