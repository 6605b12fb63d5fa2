import { createOperators } from '../auth/operators.ts';
import type { WebSocketManagerFactory } from '../managers/factory.ts';
import { Audit } from './http/admin/audit.ts';
import type { Desk } from './http/admin/desk.ts';
import type { Services } from './services.ts';

interface DeskSources extends Pick<Desk, 'readOnly' | 'alerts' | 'drills' | 'configuration' | 'board'> {
  readonly adminKey: string;
  readonly signingKey: Uint8Array;
  /** Resolves when nobody is left on this node. */
  drain(withinMs: number): Promise<void>;
}

/** What operators work with: who they are, what they did, what they may look at.
 *  @throws SpillwayError `SPILLWAY_BAD_OPTION` for an admin key that is too short. */
export function openDesk(services: Services, factory: WebSocketManagerFactory, sources: DeskSources): Desk {
  const { clock, telemetry, tell } = services;
  const { adminKey, signingKey, readOnly, alerts, drills, configuration, board, drain } = sources;
  let drainsWithinMs: number | null = null;
  return {
    operators: createOperators(adminKey, signingKey, clock),
    readOnly,
    audit: new Audit(factory.node, clock, telemetry, (event) => tell('operator-acted', event)),
    board,
    nodes: async () => (await board.figures()).nodes,
    startDrain(withinMs) {
      if (drainsWithinMs !== null) return drainsWithinMs;
      drainsWithinMs = withinMs;
      drain(withinMs).catch((error: unknown) =>
        telemetry.record({ severity: 'ERROR', event: 'drain-failed', message: error instanceof Error ? error.message : String(error) }),
      );
      return withinMs;
    },
    alerts,
    drills,
    configuration,
  };
}
