import type { ManagerId, UserId } from '../../protocol/ids.ts';
import { sweep } from '../cleanup/sweep.ts';
import type { Context } from '../context.ts';
import type { CleanupReport } from '../events.ts';

/** Managers looked at between two turns of the event loop, and what such a slice costs of a turn. */
const SLICE = 256;
const SLICE_COST = 32;
/** Users cleaned at once. One whose lane is busy keeps the others of its group waiting no longer than this. */
const USERS_AT_ONCE = 8;
const GROUP_MS = 200;
/** A look at everybody that found nobody dead stands for this time, unless somebody is known to have died. */
const FRUITLESS_MS = 1_000;

/** Frees the dead of any user when the whole node is full: never a living manager, each user in its own lane, and nothing is awaited
 *  but where somebody is dead. */
export class NodeSweep {
  readonly #context: Context;
  readonly #cleaned: (report: CleanupReport) => void;
  #running: Promise<number> | null = null;
  #need = 0;
  #for: ManagerId[] = [];
  #fruitlessAt = Number.NEGATIVE_INFINITY;

  constructor(context: Context, cleaned: (report: CleanupReport) => void) {
    this.#context = context;
    this.#cleaned = cleaned;
  }

  /** Frees about `need` seats of the dead, as long as there are any; all who ask meanwhile share one look. Resolves to the number
   *  freed. Never rejects. */
  free(need: number, admissions: readonly ManagerId[]): Promise<number> {
    this.#need = Math.max(this.#need, need);
    this.#for.push(...admissions);
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
      this.#need = 0;
      this.#for = [];
    });
    return this.#running;
  }

  /** Something changed for `user`. */
  changed(user: UserId): void {
    if (!this.#isResting) return;
    for (const { seat, verdict } of this.#context.registry.of(user)) if (seat !== null && verdict.proof) this.#fruitlessAt = Number.NEGATIVE_INFINITY;
  }

  get #isResting(): boolean {
    return this.#context.mono() - this.#fruitlessAt < FRUITLESS_MS;
  }

  async #run(): Promise<number> {
    if (this.#isResting) return 0;
    const users = await this.#usersWithDead();
    let freed = await this.#each(users.map((user) => [user, 0]));
    // Who lost its transport only just now is probably on its way back: only as far as it is needed, after all others.
    if (freed < this.#need) freed += await this.#each(this.#longestLost(users, this.#need - freed));
    if (freed === 0) this.#fruitlessAt = this.#context.mono();
    return freed;
  }

  /** In the order in which they were seated. */
  async #usersWithDead(): Promise<readonly UserId[]> {
    const users = new Set<UserId>();
    let looked = 0;
    for (const manager of this.#context.registry.all()) {
      if (looked++ % SLICE === 0) await this.#context.turns.spend(SLICE_COST);
      if (manager.seat !== null && manager.verdict.proof) users.add(manager.user.userId);
    }
    return [...users];
  }

  /** How many each user gives so that the `count` longest lost go. */
  #longestLost(users: readonly UserId[], count: number): readonly (readonly [UserId, number])[] {
    const lost: { readonly user: UserId; readonly ms: number }[] = [];
    for (const user of users) {
      for (const { seat, verdict } of this.#context.registry.of(user)) {
        if (seat !== null && verdict.proof) lost.push({ user, ms: verdict.is === 'inactive' ? verdict.lostForMs : Number.POSITIVE_INFINITY });
      }
    }
    const needs = new Map<UserId, number>();
    for (const { user } of lost.sort((a, b) => b.ms - a.ms).slice(0, count)) needs.set(user, (needs.get(user) ?? 0) + 1);
    return [...needs];
  }

  /** Frees the dead of users, as many of the freshly lost as named, until enough are free. */
  async #each(needs: readonly (readonly [UserId, number])[]): Promise<number> {
    let freed = 0;
    const note = (count: number): void => {
      freed += count;
    };
    for (let from = 0; from < needs.length && freed < this.#need; from += USERS_AT_ONCE) {
      const group = needs.slice(from, from + USERS_AT_ONCE).map(([user, need]) => this.#clean(user, need).then(note));
      await this.#atMost(Promise.all(group), GROUP_MS);
    }
    return freed;
  }

  async #clean(user: UserId, need: number): Promise<number> {
    const { lanes, telemetry } = this.#context;
    try {
      const request = { user, level: 'moderate', need, liveMax: 0, trigger: 'admission', requester: null, label: null, isHereOnly: true } as const;
      const report = await lanes.run(user, () => sweep(this.#context, request));
      if (report.victims.length > 0 || report.result === 'failed') this.#cleaned({ ...report, admissions: [...this.#for] });
      return report.victims.length;
    } catch (error) {
      telemetry.record({ severity: 'ERROR', event: 'cleanup-failed', message: `The dead of a user could not be freed: ${String(error)}`, user });
      return 0;
    }
  }

  async #atMost(work: Promise<unknown>, ms: number): Promise<void> {
    let cancel = (): void => {};
    const late = new Promise<void>((resolve) => {
      cancel = this.#context.clock.after(ms, resolve);
    });
    await Promise.race([work, late]);
    cancel();
  }
}
