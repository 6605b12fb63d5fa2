/** Schemas of what the admin API takes, and of its answers around the reports. */

import { z } from 'zod';
import { Cleanup, Level, Manager, PastCleanup, Ticket, User, VerdictName } from './admin-reports.ts';
import { limit } from './bodies.ts';
import { instant, OpaqueId, text, whole } from './values.ts';

/** Ids of users come from elsewhere and may be longer than ours. */
const UserId = text(1, 256);
const reason = text(1, 500).describe('Why, in your words: it stands in the log.');
/** An id in base64url; an id of 256 characters has up to 1,366 of them. */
const cursor = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,1366}$/)
  .optional()
  .describe('`nextCursor` of the page before.');
const sequence = z.string().regex(/^\d{1,15}$/);

/** Digits, or an instant as people write it. */
const since = z
  .string()
  .regex(/^(\d{1,16}|\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d)?)?)$/)
  .transform((value) => (/^\d+$/.test(value) ? Number(value) : Date.parse(value)))
  .refine((value) => !Number.isNaN(value), 'Expected milliseconds since 1970 or an ISO 8601 instant')
  .optional()
  .meta({ override: { type: 'string' }, description: 'Milliseconds since 1970, or an instant such as `2026-11-21T14:02:31Z`.' });

export const UserPath = z.strictObject({ id: UserId });
export const RunPath = z.strictObject({ run: OpaqueId });

export const UsersQuery = z.strictObject({ limit: limit(500, 100), cursor });
export const ManagersQuery = z.strictObject({ user: UserId.optional(), verdict: VerdictName.optional(), limit: limit(500, 100), cursor });
export const HistoryQuery = z.strictObject({
  user: UserId.optional(),
  since,
  limit: limit(200, 50),
  cursor: sequence.optional().describe('`nextCursor` of the page before.'),
});
export const EventType = z.enum(['admission-ended', 'cleanup-finished', 'manager-ended', 'transport-quarantined', 'eviction-regret']).meta({ id: 'EventType' });
export const EventsQuery = z.strictObject({
  type: EventType.optional(),
  user: UserId.optional(),
  since,
  limit: limit(1_000, 100),
  cursor: sequence.optional().describe('`nextCursor` of the page before, or the `id` of an event: what came after it.'),
});

export const FreeUser = z
  .strictObject({
    managers: z.array(OpaqueId).min(1).max(100).optional(),
    count: whole(1, 1_000).optional(),
    unresponsive: z.literal(true).optional(),
    reason,
  })
  .refine(
    ({ managers, count, unresponsive }) => [managers, count, unresponsive].filter((one) => one !== undefined).length === 1,
    'Expected exactly one of `managers` (ids), `count` (seats to free, cheapest loss first) and `unresponsive: true` (exactly the dead)',
  )
  .meta({ id: 'FreeUser' });
export const EvictManager = z
  .strictObject({ reason, overrideProtection: z.boolean().optional().describe('Takes a pinned one too.') })
  .meta({ id: 'EvictManager' });
export const PlanCleanup = z
  .strictObject({ user: UserId, need: whole(0, 1_000).optional().describe('Seats wanted; default 1. 0: only the dead go.') })
  .meta({ id: 'PlanCleanup' });
export const RunPlan = z.strictObject({ planId: OpaqueId, level: Level.describe('How far it may go.'), reason }).meta({ id: 'RunPlan' });

export const Users = z.object({ users: z.array(User), nextCursor: z.string().nullable() }).meta({ id: 'Users' });
export const Managers = z.object({ managers: z.array(Manager), nextCursor: z.string().nullable() }).meta({ id: 'Managers' });
export const Cleanups = z.object({ cleanups: z.array(PastCleanup), nextCursor: z.string().nullable() }).meta({ id: 'Cleanups' });
export const Queue = z.object({ queued: z.array(Ticket) }).meta({ id: 'Queue' });
export const FreedByOperator = z
  .object({
    freed: z.array(OpaqueId),
    kept: whole(0).describe('Managers that still have a seat.'),
    run: z.string().nullable().describe('Of its cleanup record, for `count`.'),
  })
  .meta({ id: 'FreedByOperator' });
export const Evicted = z.object({ freed: z.array(OpaqueId) }).meta({ id: 'Evicted' });
export const CleanupDone = z.object({ cleanup: Cleanup }).meta({ id: 'CleanupDone' });
export const Events = z
  .object({
    events: z.array(z.object({ id: whole(1), at: instant, type: EventType, data: z.record(z.string(), z.unknown()) })),
    nextCursor: z.string().describe('Ask with it for what came after these.'),
  })
  .meta({ id: 'FactoryEvents' });
