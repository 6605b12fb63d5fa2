import type { UserId } from '../../protocol/ids.ts';
import { Pass } from './pass.ts';
import type { Member, PassDeps } from './pass-facts.ts';

/** The passes that are under way: one a user, users side by side. */
export class Passes {
  readonly #deps: PassDeps;
  readonly #open = new Map<UserId, Pass>();

  constructor(deps: PassDeps) {
    this.#deps = deps;
  }

  /** Brings an admission into the pass of its user. It joins the one that is under way, also while its probes are out. */
  join(member: Member): void {
    const { user } = member.run.applicant;
    const open = this.#open.get(user);
    if (open) {
      open.join(member);
      return;
    }
    const pass = new Pass(this.#deps, user);
    this.#open.set(user, pass);
    pass.join(member);
    const { lanes, telemetry } = this.#deps.context;
    lanes
      .run(user, () => pass.run(() => this.#open.delete(user)))
      .catch((error: unknown) => telemetry.record({ severity: 'CRITICAL', event: 'pass-failed', message: String(error), user }));
  }
}
