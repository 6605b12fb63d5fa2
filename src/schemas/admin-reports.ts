/** Schemas of what the admin API tells: the reports of the factory, described for `openapi.json`. A test checks real answers by them. */

import { z } from 'zod';
import { END_REASONS, EVICT_REASONS, KEEP_REASONS, PEOPLE_REASONS } from '../protocol/reasons.ts';
import { duration, Intent, instant, whole } from './values.ts';

export const Level = z
  .enum(['conservative', 'moderate', 'aggressive', 'force'])
  .meta({ id: 'CleanupLevel', description: 'How far a cleanup may go, mildest first.' });
export const VerdictName = z.enum(['healthy', 'idle', 'suspect', 'zombie', 'inactive', 'unknown']).meta({ id: 'Verdict' });
const Seat = z.enum(['soft', 'burst']);
const node = z.string().describe('Which node holds it.');
/** Nodes that did not answer in time. */
export const Unanswered = z
  .array(z.string())
  .describe('Nodes that share the store and did not answer within 300 ms: nothing of them is in this answer. Empty where all did.');

const count = whole(0);
const byVerdict = { healthy: count, idle: count, suspect: count, zombie: count, inactive: count, unknown: count };
const ByLevel = z.object({ conservative: count, moderate: count, aggressive: count, force: count }).meta({ id: 'ByLevel' });

export const Evidence = z
  .array(
    z.object({
      signal: z
        .string()
        .describe(
          'E1 acknowledged (value: events owed) · E2 answered a probe · E3 sent something · E4 pong of its socket · E6 output stuck · E7 run under way · E8 transport gone · E9 records disagree',
        ),
      ageMs: duration,
      value: z.number().optional(),
    }),
  )
  .meta({ id: 'Evidence', description: 'What a verdict rests on; ages in milliseconds.' });

/** Fields that a report about one manager starts with. */
const health = {
  managerId: z.string(),
  userId: z.string(),
  verdict: VerdictName,
  reason: z.string(),
  evidence: Evidence,
  sinceMs: duration.describe('How long the verdict has been this one.'),
};
const facts = {
  tier: z.string(),
  label: z.string().nullable(),
  client: z.string(),
  seat: Seat,
  connected: z.boolean(),
  pinned: z.boolean(),
  running: z.boolean().describe('An answer is being written in a conversation it follows.'),
  quietMs: duration,
  openedAt: instant,
};

export const HealthCheck = z
  .object({ checked: count, ...byVerdict, managers: z.array(z.object(health)) })
  .meta({ id: 'HealthCheck', description: 'A look at everybody; it changes nothing.' });

export const Explanation = z
  .object({
    ...health,
    node,
    ...facts,
    rank: z.object({ position: whole(1), of: whole(1) }).describe('Its place in the order in which its user’s managers would go.'),
    goesAt: Level.nullable().describe('The mildest level at which an admission that needs one seat could take it now; null: none.'),
    kept: z.array(z.object({ level: Level, because: z.enum(KEEP_REASONS) })).describe('Why each milder level spares it.'),
    text: z.string().describe('The same in a sentence.'),
  })
  .meta({ id: 'ManagerExplanation' });

export const Manager = z.object({ ...health, node, ...facts, goesAt: Level.nullable(), text: z.string() }).meta({ id: 'Manager' });
export const ManagerDetail = z
  .object({ ...health, node, ...facts, goesAt: Level.nullable(), text: z.string(), threads: z.array(z.string()) })
  .meta({ id: 'ManagerDetail' });

export const Status = z
  .object({
    node: z.string().describe('The node that was asked.'),
    nodes: z.array(z.string()).describe('Those whose figures are in here.'),
    unanswered: Unanswered,
    version: z.string(),
    at: instant,
    limits: z.object({ perUser: count, burst: count, perNode: count.describe('Of each node.') }),
    users: count.describe('Who holds seats on two nodes counts on each.'),
    usersAtLimit: count,
    seats: count,
    effective: count.describe('Seats without the dead ones and those being given up.'),
    sockets: count,
    quarantined: count.describe('Sockets that were terminated and have not closed.'),
    managersByVerdict: z.object(byVerdict),
    burst: z.object({ active: count, debt: count }),
    queued: count,
    storeFailOpen: z
      .boolean()
      .describe('The store cannot be asked for seats: who has one keeps it, and whoever comes is served by one node alone or tries again.'),
    created: count,
    cleanupPasses: ByLevel,
    freed: ByLevel,
    emergencyCleanups: count,
    failedCleanups: count,
    zombiesDetected: count,
    evicted: count,
    regrets: count.describe('Evicted managers whose sign of life, given before, was read only after.'),
    lastCleanup: z.object({ at: instant, level: Level, freed: count, durationMs: z.number() }).nullable(),
    cleanupHeartbeat: instant.nullable().describe('When the background pass last came to its end.'),
  })
  .meta({ id: 'FactoryStatus', description: 'Gauges of this instant, and counters since the start, of all nodes together.' });

export const Ticket = z
  .object({
    user: z.string(),
    tier: z.string(),
    manager: z.string(),
    node: z.string().describe('Where it waits.'),
    at: z.enum(['queue', 'gate']).describe('The user’s own queue, or that of a full node.'),
    class: Intent,
    position: whole(1),
    etaMs: duration,
    deadlineMs: z.number(),
  })
  .meta({ id: 'QueuedTicket' });

const Burst = z
  .object({ in: z.enum(['none', 'active', 'debt', 'cooldown']), until: z.number().optional(), since: z.number().optional(), cap: count.optional() })
  .meta({ id: 'Burst' });

export const User = z
  .object({
    user: z.string(),
    tier: z.string(),
    nodes: z.array(z.string()).describe('Where the seats are.'),
    seats: count,
    effective: count,
    sockets: count,
    queued: count,
    verdicts: z.object(byVerdict),
  })
  .meta({ id: 'User' });
export const UserDetail = z
  .object({
    user: z.string(),
    tier: z.string(),
    limit: count,
    seats: count,
    effective: count.describe('Seats without the dead ones and those being given up.'),
    sockets: count,
    quarantined: count,
    burst: Burst,
    queued: z.array(Ticket),
    managers: z.array(Explanation).describe('In the order in which they would go.'),
    unanswered: Unanswered,
  })
  .meta({ id: 'UserDetail', description: 'A user’s room, and each of the user’s managers explained.' });

const EvictReason = z.enum([...END_REASONS, ...EVICT_REASONS, ...PEOPLE_REASONS, 'superseded']);
const sentence = z.string().describe('The evidence in a sentence.');
const holder = z.string().optional().describe('The node that held it, where that is another one than the one that tells of it.');
const Victim = z.object({ managerId: z.string(), level: Level, verdict: VerdictName, reason: EvictReason, evidence: Evidence, text: sentence, node: holder });
const Kept = z.object({ managerId: z.string(), verdict: VerdictName, because: z.enum(KEEP_REASONS), evidence: Evidence, text: sentence, node: holder });
const Result = z.enum(['enough', 'short', 'failed']).meta({ id: 'CleanupResult' });
export const Cleanup = z
  .object({
    run: z.string(),
    user: z.string(),
    trigger: z.enum(['admission', 'proactive', 'repay', 'operator', 'user']),
    admissions: z.array(z.string()).describe('The managers for which it was done.'),
    levels: z.array(z.object({ level: Level, examined: count, freed: count, result: Result, durationMs: z.number() })),
    before: count.describe('Seats before.'),
    after: count,
    victims: z.array(Victim).describe('Who went, and the evidence at that instant.'),
    kept: z.array(Kept).describe('Who was examined and stays, and why.'),
    result: Result,
    durationMs: z.number(),
  })
  .meta({ id: 'Cleanup', description: 'One cleanup pass over one user’s managers.' });

export const PastCleanup = z.object({ at: instant, node: z.string().describe('Which node did it.'), cleanup: Cleanup }).meta({ id: 'PastCleanup' });

export const Plan = z
  .object({
    planId: z.string(),
    expiresAt: instant,
    user: z.string(),
    need: count,
    levels: z.array(
      z.object({
        level: Level,
        examined: count,
        evict: z.array(z.object({ manager: z.string(), verdict: VerdictName, reason: EvictReason, evidence: Evidence })),
        keep: z.array(z.object({ manager: z.string(), verdict: VerdictName, because: z.enum(KEEP_REASONS) })),
        freeAfter: z.number().describe('Seats that could be given after it.'),
      }),
    ),
    stopsAt: Level.nullable().describe('The mildest level that covers the need.'),
  })
  .meta({ id: 'CleanupPlan', description: 'A dry run: it has changed nothing.' });

export const Consistency = z
  .object({
    checkedAt: instant,
    differences: z.array(
      z.object({
        kind: z.enum(['manager-without-seat', 'seat-without-manager', 'socket-without-manager', 'attachment-without-socket', 'index']),
        user: z.string(),
        detail: z.string(),
        node: z.string(),
      }),
    ),
    unanswered: Unanswered,
  })
  .meta({ id: 'Consistency', description: 'On each node: registry, index, seats of the store and sockets, compared in one step.' });
