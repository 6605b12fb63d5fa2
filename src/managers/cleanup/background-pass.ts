import { type CleanupLevel, LEVELS, reaches } from '../../core/levels.ts';
import { isDeadEligible } from '../../core/victims.ts';
import { CALM, stepWatch, type Watch } from '../../core/watch.ts';
import type { UserId } from '../../protocol/ids.ts';
import type { Context } from '../context.ts';
import type { CleanupReport } from '../events.ts';
import { every } from '../every.ts';
import { crossCheck, nameOf } from '../inspection/consistency.ts';
import type { WebSocketManager } from '../manager.ts';
import { candidatesHere, carryOut, planFor, type SweepRequest } from './sweep.ts';

/** Users freed at once; whoever is beyond it is left to the next pass. */
const PASSES_AT_ONCE = 50;
/** Managers examined before others have their turn of the event loop. */
const MANAGERS_A_TURN = 256;

const NONE: ReadonlySet<string> = new Set();

const rankOf = (level: CleanupLevel | null): number => (level === null ? -1 : LEVELS.indexOf(level));

/** Frees the dead before anybody needs their seats, the harder the nearer their user is to the limit. The living are never taken here. */
export class BackgroundPass {
  readonly #context: Context;
  readonly #onCleanup: (report: CleanupReport) => void;
  readonly #look: (manager: WebSocketManager) => void;
  readonly #watches = new Map<UserId, Watch>();
  /** Levels that were reached and are not recorded yet. */
  readonly #crossed = new Map<UserId, CleanupLevel>();
  readonly #freeing = new Set<UserId>();
  /** Asked for while it was under way. */
  readonly #again = new Set<UserId>();
  readonly #checking = new Set<UserId>();
  /** Differences that the last look found. */
  readonly #differing = new Map<UserId, ReadonlySet<string>>();
  readonly #stopPasses: () => void;
  #passing = false;
  #stopped = false;

  constructor(context: Context, onCleanup: (report: CleanupReport) => void, look: (manager: WebSocketManager) => void) {
    this.#context = context;
    this.#onCleanup = onCleanup;
    this.#look = look;
    this.#stopPasses = every(context, context.options.cleanup.passMs, () => this.#passNow());
  }

  /** Users near their limit: everybody's evidence is kept fresh. */
  *watched(): Iterable<UserId> {
    for (const [user, watch] of this.#watches) if (watch.probing) yield user;
  }

  /** Whether suspects of `user` are asked again and again: at the limit, until some seats are free or no suspect is left. */
  isHunting(user: UserId): boolean {
    const { options, registry, elsewhere } = this.#context;
    if (!options.cleanup.proactive || this.#watches.get(user)?.level !== 'aggressive') return false;
    let living = elsewhere.count(user) - elsewhere.dead(user);
    let suspects = 0;
    for (const { seat, verdict } of registry.of(user)) {
      if (seat === null) continue;
      if (!verdict.proof) living++;
      if (verdict.is === 'suspect') suspects++;
    }
    const { perUser } = options.limits;
    return suspects > 0 && perUser - living < Math.ceil(perUser * options.cleanup.minFreeShare);
  }

  /** Seats of `user` changed. A threshold that is crossed is acted on now, not at the next pass. */
  changed(user: UserId): void {
    const managers = this.#context.registry.of(user);
    if (managers.size === 0) {
      this.#watches.delete(user);
      this.#crossed.delete(user);
      this.#differing.delete(user);
      return;
    }
    const watch = this.#step(user);
    if (this.#crossed.has(user)) this.free(user);
    // Patience with the silent depends on the pressure, which is another one now.
    if (watch.level !== null) for (const manager of managers) this.#look(manager);
  }

  /** A manager of `user` was proved dead by its silence. */
  found(user: UserId): void {
    const level = this.#watches.get(user)?.level ?? null;
    if (level !== null && reaches(level, 'moderate')) this.free(user);
  }

  /** Frees now what may be freed of `user` without an admission. */
  free(user: UserId): void {
    if (!this.#context.options.cleanup.proactive || this.#stopped) return;
    if (this.#freeing.has(user)) {
      this.#again.add(user);
      return;
    }
    if (this.#freeing.size >= PASSES_AT_ONCE) return;
    this.#freeing.add(user);
    this.#context.lanes
      .run(user, () => this.#freeInLane(user))
      .then(
        (report) => {
          if (report) this.#onCleanup(report);
        },
        (error: unknown) => this.#failed(user, error),
      )
      .finally(() => {
        this.#freeing.delete(user);
        if (this.#again.delete(user)) this.free(user);
      });
  }

  /** Null: nobody may go, and no threshold was crossed. */
  async #freeInLane(user: UserId): Promise<CleanupReport | null> {
    const crossed = this.#crossed.get(user) ?? null;
    this.#crossed.delete(user);
    const request: SweepRequest = { user, level: 'moderate', need: 0, liveMax: 0, trigger: 'proactive', requester: null, label: null };
    // Other nodes see to theirs.
    const candidates = candidatesHere(this.#context, user);
    const plan = planFor(this.#context, request, candidates);
    if (plan.victims.length === 0 && crossed === null) return null;
    const isDeeper = crossed !== null && (plan.victims.length === 0 || reaches(crossed, 'moderate'));
    return await carryOut(this.#context, plan, candidates, { ...request, level: isDeeper ? crossed : 'moderate' });
  }

  /** How hard the dead of `user` are looked for from now on. */
  #step(user: UserId): Watch {
    const { options, mono, registry, elsewhere } = this.#context;
    const before = this.#watches.get(user) ?? CALM;
    let seats = elsewhere.count(user);
    for (const { seat } of registry.of(user)) if (seat !== null) seats++;
    const { watch, level } = stepWatch(before, seats, options.limits.perUser, options, mono());
    if (watch.level === null && !watch.probing) this.#watches.delete(user);
    else this.#watches.set(user, watch);
    if (level !== null && rankOf(level) > rankOf(before.level)) this.#crossed.set(user, level);
    return watch;
  }

  #passNow(): void {
    if (this.#passing) return;
    this.#passing = true;
    this.#pass()
      .catch((error: unknown) => this.#failed(null, error))
      .finally(() => {
        this.#passing = false;
      });
  }

  async #pass(): Promise<void> {
    const { registry, clock, telemetry, counters } = this.#context;
    let examined = 0;
    for (const user of [...registry.users]) {
      if (this.#stopped) return;
      try {
        this.#passOver(user);
      } catch (error) {
        this.#failed(user, error);
      }
      examined += registry.of(user).size;
      if (examined < MANAGERS_A_TURN) continue;
      examined = 0;
      await new Promise<void>((resolve) => clock.soon(resolve));
    }
    counters.heartbeat(Math.round(clock.wall()));
    telemetry.record({ severity: 'DEBUG', event: 'cleanup-heartbeat', message: 'The background pass ran.' });
  }

  #passOver(user: UserId): void {
    const { registry, options } = this.#context;
    const { level } = this.#step(user);
    if (!options.cleanup.proactive) return;
    if (level !== null) this.#crossCheck(user);
    const mayGo = (manager: WebSocketManager): boolean => {
      if (manager.seat === null || !manager.verdict.proof) return false;
      const candidate = manager.candidate();
      return candidate !== null && isDeadEligible(candidate, 'moderate', 'proactive', options);
    };
    if (this.#crossed.has(user) || [...registry.of(user)].some(mayGo)) this.free(user);
  }

  /** Whoever's records disagree in two looks is a ghost. */
  #crossCheck(user: UserId): void {
    if (this.#checking.has(user) || this.#checking.size >= PASSES_AT_ONCE) return;
    this.#checking.add(user);
    crossCheck(this.#context, user, this.#differing.get(user) ?? NONE)
      .then((found) => {
        if (found.length === 0) this.#differing.delete(user);
        else this.#differing.set(user, new Set(found.map(nameOf)));
      })
      .catch((error: unknown) => this.#failed(user, error))
      .finally(() => this.#checking.delete(user));
  }

  #failed(user: UserId | null, error: unknown): void {
    const message = `A background cleanup failed: ${error instanceof Error ? error.message : String(error)}`;
    this.#context.telemetry.record({ severity: 'ERROR', event: 'cleanup-failed', message, ...(user === null ? {} : { user }) });
  }

  stop(): void {
    this.#stopped = true;
    this.#stopPasses();
  }
}
