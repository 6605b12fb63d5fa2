/** `spillway/client`: sessions that survive their sockets, for browsers and Node. No dependencies. */

export type { AgentEvent, Codec } from '../protocol/agent-events.ts';
export { SpillwayError, type SpillwayErrorCode } from '../protocol/errors.ts';
export type { Limits, MessageData, MessagePart, Notice, NoticeAction, NoticeKind, SessionInfo, ThreadMessage, ThreadSnapshot } from '../protocol/messages.ts';
export type { Position } from '../protocol/position.ts';
export { createSpillway } from './client.ts';
export type * from './types.ts';
