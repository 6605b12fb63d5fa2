/** What the admin API answers, as types: those of its schemas, which are read for their types only. */

import type { z } from 'zod';
import type * as bodies from '../schemas/admin-bodies.ts';
import type * as operation from '../schemas/admin-operation.ts';
import type * as reports from '../schemas/admin-reports.ts';

export type AdminStatus = z.infer<typeof reports.Status>;
export type HealthReport = z.infer<typeof reports.HealthCheck>;
export type ConsistencyReport = z.infer<typeof reports.Consistency>;
export type QueueReport = z.infer<typeof bodies.Queue>;
export type QueuedTicket = z.infer<typeof reports.Ticket>;
export type UserList = z.infer<typeof bodies.Users>;
export type UserSummary = z.infer<typeof reports.User>;
export type UserReport = z.infer<typeof reports.UserDetail>;
export type ManagerList = z.infer<typeof bodies.Managers>;
export type ManagerSummary = z.infer<typeof reports.Manager>;
export type ManagerReport = z.infer<typeof reports.ManagerDetail>;
export type ManagerExplanation = z.infer<typeof reports.Explanation>;
export type Evidence = z.infer<typeof reports.Evidence>;
export type CleanupPlan = z.infer<typeof reports.Plan>;
export type CleanupLevelName = z.infer<typeof reports.Level>;
export type CleanupRecord = z.infer<typeof reports.Cleanup>;
export type PastCleanup = z.infer<typeof reports.PastCleanup>;
export type CleanupList = z.infer<typeof bodies.Cleanups>;
export type CleanupDone = z.infer<typeof bodies.CleanupDone>;
export type FreedByOperator = z.infer<typeof bodies.FreedByOperator>;
export type Evicted = z.infer<typeof bodies.Evicted>;
export type EventList = z.infer<typeof bodies.Events>;
export type AdminEvent = EventList['events'][number];

export type NodeList = z.infer<typeof operation.Nodes>;
export type NodeDraining = z.infer<typeof operation.Draining>;
export type AlertList = z.infer<typeof operation.Alerts>;
export type AuditList = z.infer<typeof operation.AuditEntries>;
export type ConfigurationList = z.infer<typeof operation.Configuration>;
export type TierSet = z.infer<typeof operation.TierSet>;
export type ThreadLog = z.infer<typeof operation.ThreadLog>;
export type DrillList = z.infer<typeof operation.Drills>;
export type DrillStopped = z.infer<typeof operation.DrillStopped>;
