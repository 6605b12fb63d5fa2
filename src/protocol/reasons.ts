/** The closed set of reason codes. They are spelled alike in frames, records, logs and pages. */

export const END_REASONS = [
  'client-closed',
  'parked',
  'transport-lost',
  'half-open',
  'write-stalled',
  'ghost',
  'node-dead',
  'ack-timeout',
  'probe-timeout',
] as const;
export const EVICT_REASONS = ['unresponsive', 'idle-over-limit', 'burst-repaid', 'lowest-value'] as const;
export const PEOPLE_REASONS = ['user-freed', 'admin-evicted'] as const;
export const RETRY_REASONS = ['queue-full', 'no-seat-yet', 'node-overloaded'] as const;
export const TRANSPORT_REASONS = ['superseded', 'drain', 'max-age', 'auth-expired'] as const;
export const KEEP_REASONS = [
  'requester',
  'pinned',
  'promised',
  'newborn',
  'run',
  'critical-unacked',
  'functional',
  'quiet-below-limit',
  'unknown',
  'revived',
  'level-quota',
  'not-needed',
] as const;
export const ALIVE_REASONS = ['run', 'owed', 'active', 'quiet'] as const;
export const SUSPECT_REASONS = ['ack-stalled', 'probe-missed', 'write-stalled'] as const;
export const UNKNOWN_REASONS = ['self-slow', 'correlated', 'probe-failed', 'node-silent', 'unverifiable', 'not-asked'] as const;

/** Why a manager ended without anybody taking its seat from it. `superseded`: fenced by a newer token. */
export type EndReason = 'client-closed' | 'parked' | 'ghost' | 'superseded' | 'node-dead';
/** Why a transport was lost. */
export type LostReason = 'transport-lost' | 'half-open' | 'write-stalled';
export type EvictReason = (typeof END_REASONS)[number] | (typeof EVICT_REASONS)[number] | (typeof PEOPLE_REASONS)[number] | 'superseded';
export type RetryReason = (typeof RETRY_REASONS)[number];
export type KeepReason = (typeof KEEP_REASONS)[number];
export type UnknownReason = (typeof UNKNOWN_REASONS)[number];
export type ReasonCode = EvictReason | RetryReason | (typeof TRANSPORT_REASONS)[number];
