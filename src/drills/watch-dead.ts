import type { ManagerSummary } from '../admin/index.ts';
import { appDeadMs, pressure } from '../core/pressure.ts';
import { evictionsOf } from './evictions.ts';
import { cleanupsSince, type Figures, roomOf } from './figures.ts';
import type { Stage } from './stage.ts';

/** A machine with other work to do may be late by this. */
export const SLACK_MS = 5_000;

/** How soon an application that says nothing is called dead: by how full its user and the node are. Its last probe and the background
 *  pass come on top. */
export async function applicationBoundMs({ order: { options, user }, admin }: Stage): Promise<number> {
  const { seats } = await roomOf(admin, user);
  const { seats: all } = await admin.status();
  const p = pressure({ seats, soft: options.limits.perUser }, { seats: all, perNode: options.limits.perNode });
  return appDeadMs(p, options) + options.health.confirmMaxMs + options.cleanup.passMs;
}

/** How soon a socket from which nothing comes any more is given up. The background pass comes on top. */
export const transportBoundMs = ({ order: { options } }: Stage): number => options.health.transportDeadMs + options.cleanup.passMs;

/** How much longer is waited for a gateway that says that it is slow itself. */
const SLOW_MOST_MS = 60_000;

export interface Watched {
  readonly managers: ReadonlySet<string>;
  readonly before: Figures;
  /** When they broke, by `performance.now()`. */
  readonly since: number;
  readonly boundMs: number;
}

/** What came of it. */
export interface Found {
  readonly dead: number;
  readonly all: boolean;
  /** `20 of 20 after 21.9 s; the bound is 27.0 s, and 5.0 s for a busy machine`. */
  readonly seen: string;
}

/** Watches until each of them was called dead, or the time for that is over. A gateway that stalls calls nobody dead, and says so: that
 *  time does not count. */
export async function watchDead(stage: Stage, { managers, before, since, boundMs }: Watched): Promise<Found> {
  const { admin, order } = stage;
  const dead = new Set<string>();
  const slow = new SlowTime();
  const look = async (): Promise<true | null> => {
    const listed = await admin.managers({ user: order.user, limit: 500 });
    const { victims } = evictionsOf(await cleanupsSince(admin, before), order.user);
    const found = [...listed.managers, ...victims].filter((one) => managers.has(one.managerId) && isDead(one));
    if (dead.size === 0 && found[0] !== undefined) stage.step(`first ${found[0].verdict}`);
    for (const { managerId } of found) dead.add(managerId);
    const spared = listed.managers.filter((one) => managers.has(one.managerId) && one.reason === 'self-slow').length;
    if (slow.saw(spared > 0)) stage.step(`the gateway itself is slow: it holds nothing against ${spared} of them until it is well (self-slow)`);
    return dead.size === managers.size ? true : null;
  };
  // Each look may find that there is more time.
  for (let waitedMs = 0; ; ) {
    const allowedMs = boundMs + SLACK_MS + Math.min(slow.ms, SLOW_MOST_MS);
    if (waitedMs >= allowedMs || (await stage.sees(allowedMs - waitedMs, look)) !== null) break;
    waitedMs = allowedMs;
  }
  stage.step(`${dead.size}/${managers.size} found dead`);
  const all = dead.size === managers.size;
  return { dead: dead.size, all, seen: `${dead.size} of ${managers.size} after ${seconds(performance.now() - since)} s; ${boundText(boundMs, slow.ms, all)}` };
}

function boundText(boundMs: number, slowMs: number, all: boolean): string {
  const bound = `the bound is ${seconds(boundMs)} s, and ${seconds(SLACK_MS)} s for a busy machine`;
  if (slowMs === 0) return bound;
  const slow = `${bound}; for ${seconds(slowMs)} s of it the gateway itself was slow and accused nobody (self-slow)`;
  return all ? slow : `${slow}: the machine has too much other work for this drill`;
}

/** How long the gateway was the slow one, from look to look. */
class SlowTime {
  ms = 0;
  #since: number | null = null;

  /** Whether it has just begun, for the first time. */
  saw(isSlow: boolean): boolean {
    const now = performance.now();
    const isFirst = isSlow && this.#since === null && this.ms === 0;
    if (this.#since !== null) this.ms += now - this.#since;
    this.#since = isSlow ? now : null;
    return isFirst;
  }
}

const isDead = ({ verdict }: Pick<ManagerSummary, 'verdict'> | { readonly verdict: string }): boolean => verdict === 'zombie' || verdict === 'inactive';
const seconds = (ms: number): string => (ms / 1_000).toFixed(1);
