import type { UserId } from '../../protocol/ids.ts';
import type { Context } from '../context.ts';
import type { CleanupReport } from '../events.ts';
import { every } from '../every.ts';
import { candidatesOf, carryOut, planFor, type SweepRequest } from './sweep.ts';

const REPAY_EVERY_MS = 1_000;

/** Seats above the limit are given back after a burst lease: the dead, then the longest idle; who has a run keeps its seat until that
 *  ends, or until the debt is too old. It goes on whatever proactive cleanup may do. */
export class Repayment {
  readonly #context: Context;
  readonly #onCleanup: (report: CleanupReport) => void;
  /** Whose repayment is under way. */
  readonly #repaying = new Set<UserId>();
  readonly stop: () => void;

  constructor(context: Context, onCleanup: (report: CleanupReport) => void) {
    this.#context = context;
    this.#onCleanup = onCleanup;
    this.stop = every(context, REPAY_EVERY_MS, () => this.#repayAll());
  }

  #repayAll(): void {
    const { registry, elsewhere, options, lanes, telemetry } = this.#context;
    for (const user of [...registry.users]) {
      if (registry.of(user).size + elsewhere.count(user) <= options.limits.perUser || this.#repaying.has(user)) continue;
      this.#repaying.add(user);
      lanes
        .run(user, () => this.#repay(user))
        .then(
          (report) => {
            if (report) this.#onCleanup(report);
          },
          (error: unknown) => telemetry.record({ severity: 'ERROR', event: 'cleanup-failed', message: `A repayment failed: ${String(error)}`, user }),
        )
        .finally(() => this.#repaying.delete(user));
    }
  }

  /** One node repays for all, or each would give back what is owed once: the first by name of those that live and hold seats of the user.
   *  Others take over when it is dead. */
  #isOurs(user: UserId): boolean {
    const { elsewhere, node } = this.#context;
    return elsewhere.nodesOf(user).every((other) => node < other);
  }

  /** One step of it. Null: nothing is owed, or nobody may go yet. */
  async #repay(user: UserId): Promise<CleanupReport | null> {
    const { options, store, seatLimits } = this.#context;
    const { burst, seats, now } = await store.seats.facts(user, seatLimits);
    const need = seats.length - options.limits.perUser;
    if (burst.in !== 'debt' || need <= 0 || !this.#isOurs(user)) return null;
    const level = now - burst.since >= options.limits.burst.debtMaxMs ? 'force' : 'aggressive';
    const request: SweepRequest = { user, level, need, liveMax: need, trigger: 'repay', requester: null, label: null };
    const candidates = candidatesOf(this.#context, user);
    const plan = planFor(this.#context, request, candidates);
    return plan.victims.length === 0 ? null : await carryOut(this.#context, plan, candidates, request);
  }
}
