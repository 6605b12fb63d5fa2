import type { WebSocketManager } from '../../../managers/manager.ts';
import type { HttpContext } from '../http-env.ts';
import { problem } from '../problems.ts';

/** Pinned, and not proved dead. */
export function isProtected(manager: WebSocketManager): boolean {
  const candidate = manager.candidate();
  return candidate?.pinned === true && !candidate.verdict.proof;
}

/** The refusal to take them. `help`: what the operator can do instead. */
export const protectedOnes = (c: HttpContext, ids: readonly string[], help: string): Response =>
  problem(c, { code: 'protected', detail: `${ids.join(', ')} is pinned by its application and not proved dead. ${help}` });
