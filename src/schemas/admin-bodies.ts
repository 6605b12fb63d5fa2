import { EVENT_TYPES } from '../protocol/event-types.ts';
/** Schemas of what the admin API takes, and of its answers around the reports. */

import { z } from 'zod';
import { idIn } from '../protocol/admin-paths.ts';
import { ACTIONS } from './admin-operation.ts';
import { Cleanup, Level, Manager, PastCleanup, Ticket, Unanswered, User, VerdictName } from './admin-reports.ts';
import { limit } from './bodies.ts';
import { instant, OpaqueId, ThreadId, text, whole } from './values.ts';

/** Ids of users come from elsewhere and may be longer than ours. */
const UserId = text(1, 256);
const reason = text(1, 500).describe('Why, in your words: it stands in the log.');
/** A place and an id in base64url, for each node: an id of 256 characters has up to 1,366 of them, a place 32, and both once more as many. */
const cursor = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,8000}$/)
  .optional()
  .describe('`nextCursor` of the page before.');
/** A number, or with several nodes one for each in base64url. */
const sequence = z.string().regex(/^(\d{1,15}|[A-Za-z0-9_-]{16,8000})$/);

/** Digits, or an instant as people write it. */
const since = z
  .string()
  .regex(/^(\d{1,16}|\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d)?)?)$/)
  .transform((value) => (/^\d+$/.test(value) ? Number(value) : Date.parse(value)))
  .refine((value) => !Number.isNaN(value), 'Expected milliseconds since 1970 or an ISO 8601 instant')
  .optional()
  .meta({ override: { type: 'string' }, description: 'Milliseconds since 1970, or an instant such as `2026-11-21T14:02:31Z`.' });

/** A user in a path; `protocol/admin-paths.ts` says how `.` and `..` are spelled there. */
const UserSegment = z
  .string()
  .refine((segment) => idIn(segment) !== null, 'Expected `~.`, `~..` or, for an id that begins with `~`, one more `~` before it')
  .transform((segment) => idIn(segment) ?? '')
  .pipe(UserId)
  .meta({
    override: { type: 'string', minLength: 1, maxLength: 257 },
    description: 'The id of a user; `.` and `..` are written `~.` and `~..`, an id that begins with `~` has two.',
  });
const ThreadSegment = z
  .string()
  .transform((segment) => idIn(segment) ?? segment)
  .pipe(ThreadId)
  .meta({ override: { type: 'string', minLength: 1, maxLength: 129 }, description: 'The id of a conversation; `.` and `..` are written `~.` and `~..`.' });

export const UserPath = z.strictObject({ id: UserSegment });
export const ThreadLogPath = z.strictObject({ user: UserSegment, thread: ThreadSegment });
export const NodePath = z.strictObject({ id: OpaqueId });
export const DrillPath = z.strictObject({ name: text(1, 64) });
export const RunPath = z.strictObject({ run: OpaqueId });

const Tier = z.string().regex(/^[A-Za-z0-9._-]{1,32}$/);

/** Orders of lists. Only the ones by id are stable while somebody pages through them. */
export const USER_SORTS = ['id', 'name', 'seats', 'zombies', 'queued'] as const;
export const MANAGER_SORTS = ['id', 'last-ack', 'unacked', 'buffered', 'idle', 'age'] as const;
export const UsersQuery = z.strictObject({
  users: text(1, 32_000).optional().describe('Only these: ids, percent-encoded, with commas between them.'),
  tier: Tier.optional(),
  sort: z
    .enum(USER_SORTS)
    .default('id')
    .describe(
      '`id` (`name` is the same), else most first: with several nodes, by what a user has on one of them. Pages of the others may skip or repeat whoever changes meanwhile.',
    ),
  limit: limit(500, 100),
  cursor,
});
export const ManagersQuery = z.strictObject({
  user: UserId.optional(),
  verdict: VerdictName.optional(),
  tier: Tier.optional(),
  sort: z
    .enum(MANAGER_SORTS)
    .default('id')
    .describe(
      '`id`; or first whose last acknowledgement is oldest, who owes most events, has most bytes unsent, was idle longest, is oldest. Pages of these may skip or repeat whoever changes meanwhile.',
    ),
  limit: limit(500, 100),
  cursor,
});
export const HistoryQuery = z.strictObject({
  user: UserId.optional(),
  since,
  limit: limit(200, 50),
  cursor: sequence.optional().describe('`nextCursor` of the page before.'),
});
export const EventType = z.enum(EVENT_TYPES).meta({ id: 'EventType' });
export const EventsQuery = z.strictObject({
  type: EventType.optional(),
  user: UserId.optional(),
  node: text(1, 64).optional().describe('Of this node; default: of all.'),
  reason: text(1, 64).optional().describe('A reason code, such as `ack-timeout`: of the event, or of anybody who was evicted in it.'),
  since,
  limit: limit(1_000, 100),
  cursor: sequence.optional().describe('`nextCursor` of the page before or, with one node, the `id` of an event: what came after it.'),
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

export const ProbeManager = z.strictObject({ reason: reason.optional() }).meta({ id: 'ProbeManager' });
export const SetTier = z.strictObject({ tier: Tier.nullable().describe('Null: that of the user’s credential again.'), reason }).meta({ id: 'SetTier' });
export const DrainNode = z
  .strictObject({ timeoutMs: whole(0, 3_600_000).optional().describe('How long answers may go on; default `shutdown.timeoutMs`.'), reason })
  .meta({ id: 'DrainNode' });
export const StartDrill = z
  .strictObject({ count: whole(1, 200).optional(), user: text(1, 64).optional().describe('Behind `drill:`.'), reason: reason.optional() })
  .meta({ id: 'StartDrill' });
export const StopDrill = z.strictObject({ reason: reason.optional() }).meta({ id: 'StopDrill' });
export const AuditQuery = z.strictObject({
  action: z.enum(ACTIONS).optional(),
  since,
  limit: limit(500, 100),
  cursor: sequence.optional().describe('`nextCursor` of the page before.'),
});
export const ThreadLogQuery = z.strictObject({
  from: z
    .string()
    .regex(/^[0-9]{1,15}$/)
    .transform(Number)
    .optional()
    .meta({ override: { type: 'integer', minimum: 0 }, description: 'First offset; default: the first that is retained.' }),
  limit: limit(1_000, 100),
  verify: z.string().optional().describe('With any value, or none: reads the whole log and says what differs from how it must be.'),
});

export const Users = z.object({ users: z.array(User), nextCursor: z.string().nullable(), unanswered: Unanswered }).meta({ id: 'Users' });
export const Managers = z.object({ managers: z.array(Manager), nextCursor: z.string().nullable(), unanswered: Unanswered }).meta({ id: 'Managers' });
export const Cleanups = z.object({ cleanups: z.array(PastCleanup), nextCursor: z.string().nullable(), unanswered: Unanswered }).meta({ id: 'Cleanups' });
export const Queue = z.object({ queued: z.array(Ticket), unanswered: Unanswered }).meta({ id: 'Queue' });
export const FreedByOperator = z
  .object({
    freed: z.array(OpaqueId),
    kept: whole(0).describe('Managers that still have a seat.'),
    run: z.string().nullable().describe('Of its cleanup record, for `count`.'),
    unanswered: Unanswered,
  })
  .meta({ id: 'FreedByOperator' });
export const Evicted = z.object({ freed: z.array(OpaqueId) }).meta({ id: 'Evicted' });
export const CleanupDone = z.object({ cleanup: Cleanup }).meta({ id: 'CleanupDone' });
export const Events = z
  .object({
    events: z.array(
      z.object({
        id: whole(1).describe('Rises on each node by itself.'),
        node: z.string(),
        at: instant,
        type: EventType,
        data: z.record(z.string(), z.unknown()),
      }),
    ),
    nextCursor: z.string().describe('Ask with it for what came after these.'),
    unanswered: Unanswered,
  })
  .meta({ id: 'FactoryEvents' });
