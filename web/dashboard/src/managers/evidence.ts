/** Evidence read by its signals. */

import type { Evidence } from 'spillway/admin';

export const SIGNALS: Readonly<Record<string, { readonly says: string; readonly side: 'transport' | 'delivery' | 'both' }>> = {
  E1: { says: 'last acknowledged, or seated', side: 'delivery' },
  E2: { says: 'last answered a probe, or seated', side: 'delivery' },
  E3: { says: 'last sent something itself', side: 'delivery' },
  E4: { says: 'pong of its socket', side: 'transport' },
  E6: { says: 'output is stuck', side: 'transport' },
  E7: { says: 'an answer is being written to it', side: 'delivery' },
  E8: { says: 'its connection is gone', side: 'transport' },
  E9: { says: 'records disagree about it', side: 'both' },
};

/** How old a signal is, and what it counted; undefined: there is none. */
export const signal = (evidence: Evidence, name: string): Evidence[number] | undefined => evidence.find((one) => one.signal === name);

/** Verdicts that are proofs: nobody is at the other end. */
export const isDead = (verdict: string): boolean => verdict === 'zombie' || verdict === 'inactive';
