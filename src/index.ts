/** The library: a gateway to mount, or the factory of managers alone. Clients import `spillway/client`, React pages `spillway/react`,
 *  and the store in a file comes from `spillway/sqlite`, so that nobody loads its driver without using it. */

export { type EmbeddedAgentOptions, embeddedAgent } from './agents/embedded/embedded-agent.ts';
export { type ModelAgentOptions, modelAgent } from './agents/model.ts';
export { type Accounts, type AccountsOptions, createAccounts } from './auth/accounts.ts';
export type { Authenticator, Identity, Recognition } from './auth/identity.ts';
export { type JwtOptions, jwtAuthenticator } from './auth/jwt.ts';
export { type Account, ensureUsersFile, readUsersFile } from './auth/users-file.ts';
export type { Options, PartialOptions, TierOptions } from './core/options.ts';
export { WebSocketManagerFactory } from './gateway/factory.ts';
export { createGateway, type Gateway } from './gateway/gateway.ts';
export type { AuthenticateAnswer, GatewayOptions } from './gateway/gateway-options.ts';
export type { UpgradeSource } from './gateway/upgrade.ts';
export type { Admission, AdmissionRequest, Queued, Retry, Seated } from './managers/admission/admission.ts';
export type { AdmissionRecord, CleanupReport, FactoryEvents, KeptRecord, VictimRecord } from './managers/events.ts';
export type { FactoryOptions } from './managers/factory-options.ts';
export type { History, HistoryEvent, HistoryFilter, PastCleanup } from './managers/inspection/history.ts';
export type { UserContext, WebSocketManager } from './managers/manager.ts';
export type {
  ConsistencyReport,
  Explanation,
  FactoryStatus,
  HealthReport,
  LevelPlan,
  ManagerHealth,
  PlannedCleanup,
  PlanOutcome,
  QueuedTicket,
  UserStatus,
  UserSummary,
} from './managers/reports.ts';
export type { Agent, AgentRun } from './ports/agent.ts';
export type { Clock } from './ports/clock.ts';
export type { Random } from './ports/random.ts';
export type { Store, StoreHealth } from './ports/store.ts';
export type { LogRecord, Severity, Telemetry } from './ports/telemetry.ts';
export type { Transport } from './ports/transport.ts';
export type { AgentEvent, AgentYield, Codec } from './protocol/agent-events.ts';
export { SpillwayError, type SpillwayErrorCode } from './protocol/errors.ts';
export type { ManagerId, MessageId, NodeId, RunId, ThreadId, Tier, UserId } from './protocol/ids.ts';
export type { Limits, MessagePart, Notice, SessionInfo, ThreadMessage, ThreadSnapshot } from './protocol/messages.ts';
export type { Position } from './protocol/position.ts';
export { memoryStore } from './stores/memory.ts';
export { createLog, type Log, type LogLevel, type LogOptions } from './telemetry/log.ts';
export { webSocketTransport } from './transports/websocket.ts';
