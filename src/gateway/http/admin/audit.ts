import type { Clock } from '../../../ports/clock.ts';
import type { OperatorRole, SpillwayEvents } from '../../../ports/events.ts';
import type { Telemetry } from '../../../ports/telemetry.ts';
import type { AuditEntry } from '../../../protocol/live.ts';
import type { ACTIONS } from '../../../schemas/admin-operation.ts';

/** Acts of operators that are remembered; older ones are in the log alone. */
export const AUDIT_KEPT = 1_000;

export type Action = (typeof ACTIONS)[number];

/** One thing that an operator did or wanted to do. */
export interface Act {
  readonly role: OperatorRole;
  readonly action: Action;
  /** A user, a manager, a plan, a node, a drill; empty where none was named. */
  readonly target: string;
  /** In the operator's words; empty where none were given. */
  readonly reason: string;
  /** `refused`: nothing was changed. `failed`: it broke on the way, and may have been done in part. */
  readonly outcome: AuditEntry['outcome'];
  /** What was done, or why it was not. */
  readonly detail: string;
  /** Managers that lost their seat by it. */
  readonly freed: readonly string[];
  /** Id of the request. */
  readonly request: string;
  /** The node that was asked, and passed it on; null: this one. */
  readonly via: string | null;
}

export interface AuditFilter {
  readonly action?: Action;
  /** Milliseconds since the Unix epoch; what happened then counts too. */
  readonly since?: number;
  /** Only what came before this id. */
  readonly before?: number;
}

/** What operators did and were refused: in the log, told as `operator-acted`, and the last of it kept here. */
export class Audit {
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #tell: (event: SpillwayEvents['operator-acted']) => void;
  readonly #entries: AuditEntry[] = [];
  #id = 0;
  readonly #node: string;

  constructor(node: string, clock: Clock, telemetry: Telemetry, tell: (event: SpillwayEvents['operator-acted']) => void) {
    this.#node = node;
    this.#clock = clock;
    this.#telemetry = telemetry;
    this.#tell = tell;
  }

  note({ freed, via, ...event }: Act): void {
    const node = this.#node;
    this.#entries.push({ id: ++this.#id, at: this.#clock.wall(), node, via: via === node ? null : via, ...event });
    if (this.#entries.length > AUDIT_KEPT) this.#entries.shift();
    const message = `An operator (${event.role}) ${WORDS[event.outcome]} ${event.action}${event.target === '' ? '' : ` of ${event.target}`}: ${event.detail}`;
    const severity = event.outcome === 'failed' ? 'ERROR' : event.outcome === 'refused' ? 'WARNING' : 'INFO';
    this.#telemetry.record({ severity, event: 'operator-acted', message, ...event, freed, node, via });
    this.#tell(event);
  }

  /** Newest first. */
  entries({ action, since, before = Number.POSITIVE_INFINITY }: AuditFilter = {}): readonly AuditEntry[] {
    return this.#entries
      .filter((one) => one.id < before && (action === undefined || one.action === action) && (since === undefined || one.at >= since))
      .reverse();
  }
}

const WORDS: Readonly<Record<AuditEntry['outcome'], string>> = { done: 'did', refused: 'was refused', failed: 'failed to do' };
