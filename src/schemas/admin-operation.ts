/** Schemas of what operators ask of a node and its surroundings: nodes, alerts, audit, configuration, drills, logs of conversations. */

import { z } from 'zod';
import { Unanswered } from './admin-reports.ts';
import { instant, ThreadId, whole } from './values.ts';

const count = whole(0);
const cursorAnswer = z.string().nullable();

export const Version = z.object({ version: z.string(), node: z.string(), nodeVersion: z.string().describe('Of Node.js.') }).meta({ id: 'Version' });

export const NodeStatus = z
  .object({
    node: z.string(),
    state: z
      .enum(['starting', 'ready', 'draining', 'expired', 'silent'])
      .describe('`expired`: its lease has ended, and its seats count no more. `silent`: it did not answer within 300 ms.'),
    version: z.string(),
    managers: count.describe('Of a node that did not answer: as it told last.'),
    zombies: count.nullable(),
    cpuShare: z.number().nullable().describe('Of one core, over the last second.'),
    loopP99Ms: z.number().nullable().describe('How late the event loop turned, over the last second.'),
    rssBytes: count.nullable(),
    storeMs: z.number().nullable().describe('How long the store took for a write just now.'),
    leaseMs: count.nullable().describe('Until the seats of this node end if nobody renews them.'),
  })
  .meta({ id: 'NodeStatus', description: 'One gateway process. Null: it was not measured, or the store did not answer.' });
export const Nodes = z.object({ nodes: z.array(NodeStatus), unanswered: Unanswered }).meta({ id: 'Nodes' });
export const Draining = z
  .object({ node: z.string(), state: z.literal('draining'), withinMs: count.describe('Answers that run longer are ended.') })
  .meta({ id: 'Draining' });

export const AlertStatus = z
  .object({
    alert: z.string(),
    severity: z.enum(['page', 'ticket']),
    state: z.enum(['quiet', 'pending', 'firing']),
    value: z.number().nullable().describe('What its expression gives now; null: nothing to look at.'),
    threshold: z.string(),
    since: instant.nullable(),
    summary: z.string(),
    runbook: z.string(),
  })
  .meta({ id: 'AlertStatus' });
export const Alerts = z.object({ alerts: z.array(AlertStatus) }).meta({ id: 'Alerts', description: 'Every alert, the quiet ones too.' });

/** What operators can do that the audit keeps. */
export const ACTIONS = ['free-user', 'set-tier', 'probe-manager', 'evict-manager', 'run-cleanup', 'drain-node', 'start-drill', 'stop-drill'] as const;

export const Role = z.enum(['viewer', 'operator', 'admin']).meta({ id: 'Role', description: 'Least first; each may do what those before it may.' });
export const AuditEntry = z
  .object({
    id: whole(1).describe('Rises on each node by itself.'),
    at: instant,
    node: z.string().describe('Where it was done.'),
    via: z.string().nullable().describe('The node that was asked and passed it on; null: the one where it was done.'),
    role: Role,
    action: z.string(),
    target: z.string().describe('A user, a manager, a plan, a node, a drill; empty where none was named.'),
    reason: z.string().describe('In the operator’s words.'),
    outcome: z.enum(['done', 'refused', 'failed']).describe('`refused`: nothing was changed. `failed`: it broke on the way.'),
    detail: z.string().describe('What was done, or why it was not.'),
    request: z.string().describe('Id of the request, as in the log.'),
  })
  .meta({ id: 'AuditEntry' });
export const AuditEntries = z.object({ entries: z.array(AuditEntry), nextCursor: cursorAnswer, unanswered: Unanswered }).meta({ id: 'AuditEntries' });

export const ConfigurationEntry = z
  .object({
    key: z.string(),
    value: z.unknown().describe('`[secret]` for a secret that is set, null for one that is not.'),
    source: z.string().describe('`default`, `environment`, the name of a file, `code`.'),
    does: z.string(),
  })
  .meta({ id: 'ConfigurationEntry' });
export const Configuration = z.object({ options: z.array(ConfigurationEntry) }).meta({ id: 'Configuration' });

const DrillName = z
  .enum(['frozen-tabs', 'suspended', 'auto-pong-proxy', 'slow-reader', 'leaky-tabs', 'crash', 'store-stall', 'drain'])
  .meta({ id: 'DrillName' });
export const DrillInfo = z
  .object({
    name: DrillName,
    title: z.string(),
    how: z.string(),
    mustHappen: z.string(),
    count: z.object({ default: count, most: count }).describe('Clients that it starts.'),
  })
  .meta({ id: 'DrillInfo' });
export const DrillRun = z
  .object({
    id: z.string(),
    name: DrillName,
    user: z.string(),
    count,
    state: z.enum(['running', 'passed', 'failed', 'stopped']),
    startedAt: instant,
    endedAt: instant.nullable(),
    steps: z.array(z.object({ atMs: z.number(), text: z.string() })),
    expectations: z.array(z.object({ text: z.string(), ok: z.boolean().nullable(), seen: z.string() })),
  })
  .meta({ id: 'DrillRun' });
export const Drills = z
  .object({ drills: z.array(DrillInfo), runs: z.array(DrillRun) })
  .meta({ id: 'Drills', description: 'The catalogue, and the last runs of this process, newest first.' });
export const DrillRuns = z.object({ runs: z.array(DrillRun) }).meta({ id: 'DrillRuns' });
export const DrillStopped = z.object({ stopped: z.boolean().describe('False: it was over already.'), run: DrillRun }).meta({ id: 'DrillStopped' });

export const LogEntry = z
  .object({
    offset: whole(1),
    kind: z.enum(['agent', 'message']).describe('`agent`: one event of a run. `message`: what a person sent.'),
    type: z.string().nullable().describe('Of an event, such as `text_delta`; null where it has none.'),
    run: z.string().nullable(),
    codec: z.string(),
    bytes: count.describe('Of its JSON, as it travels.'),
    at: instant,
  })
  .meta({ id: 'LogEntry', description: 'One entry of a log, without what is in it.' });
const LogFinding = z
  .object({
    kind: z.enum(['hole', 'repeated', 'unordered', 'outside', 'start-missing', 'started-twice', 'end-missing', 'ended-twice', 'after-end', 'unreadable']),
    offset: whole(0),
    run: z.string().nullable(),
    detail: z.string(),
  })
  .meta({ id: 'LogFinding' });
export const LogVerification = z
  .object({
    checked: count.describe('Entries read: all that are retained.'),
    runs: count,
    findings: z.array(LogFinding).describe('What differs from a gapless, ordered log with one start and one end a run; at most 100.'),
    more: z.boolean().describe('There are more findings than are told.'),
  })
  .meta({ id: 'LogVerification' });
export const ThreadLog = z
  .object({
    user: z.string(),
    thread: ThreadId,
    epoch: z.string(),
    first: whole(0).describe('First retained offset; `head + 1` when nothing is retained.'),
    head: whole(0).describe('Last logged offset.'),
    activeRun: z.string().nullable(),
    entries: z.array(LogEntry),
    nextFrom: whole(1).nullable().describe('Ask with it as `from` for what follows; null at the end.'),
    verified: LogVerification.nullable().describe('With `verify`.'),
  })
  .meta({ id: 'ThreadLog' });

export const TierSet = z
  .object({
    user: z.string(),
    tier: z.string().nullable().describe('What counts instead of the tier in the user’s credential; null: that one.'),
    unanswered: Unanswered,
  })
  .meta({ id: 'TierSet' });
