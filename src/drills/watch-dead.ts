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

/** Watches until each of them was called dead, or the time for that is over. */
export async function watchDead(stage: Stage, { managers, before, since, boundMs }: Watched): Promise<Found> {
  const { admin, order } = stage;
  const dead = new Set<string>();
  await stage.sees(boundMs + SLACK_MS, async () => {
    const listed = await admin.managers({ user: order.user, limit: 500 });
    const { victims } = evictionsOf(await cleanupsSince(admin, before), order.user);
    const found = [...listed.managers, ...victims].filter((one) => managers.has(one.managerId) && isDead(one));
    if (dead.size === 0 && found[0] !== undefined) stage.step(`first ${found[0].verdict}`);
    for (const { managerId } of found) dead.add(managerId);
    return dead.size === managers.size ? true : null;
  });
  const seen = `${dead.size} of ${managers.size} after ${seconds(performance.now() - since)} s; the bound is ${seconds(boundMs)} s, and ${seconds(SLACK_MS)} s for a busy machine`;
  stage.step(`${dead.size}/${managers.size} found dead`);
  return { dead: dead.size, all: dead.size === managers.size, seen };
}

const isDead = ({ verdict }: Pick<ManagerSummary, 'verdict'> | { readonly verdict: string }): boolean => verdict === 'zombie' || verdict === 'inactive';
const seconds = (ms: number): string => (ms / 1_000).toFixed(1);
