/** The operators' client: what the command line and the dashboard are built on, and anybody's own tools may be. */

export type { DrillExpectation, DrillInfo, DrillName, DrillRun, DrillStart, DrillState, DrillStep } from '../protocol/drills.ts';
export * from '../protocol/live.ts';
export type * from './answers.ts';
export { type AdminClient, type AdminClientOptions, createAdminClient, type EventsQuery, type FreeRequest, type PageQuery } from './client.ts';
export { LiveConnection, type LiveOptions, type LiveState, type LookedAt, SILENT_AFTER_MS, type Watch, type WatchHandlers } from './live-connection.ts';
export { AdminProblem, type AdminProblemCode, type PlanDifference } from './problem.ts';
export type { AdminRequest, Query } from './request.ts';
