import type { WebSocketManager } from '../../managers/manager.ts';
import type { VerdictName } from '../../protocol/messages.ts';

/** The verdict that a manager was given last, read without judging it; null for one that holds no seat. */
export const standingOf = (manager: WebSocketManager): VerdictName | null => manager.group?.verdict ?? null;
