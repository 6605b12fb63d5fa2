/** What several nodes say of themselves, as one. Each takes the bodies of all nodes that answered, this one's first. */

import type { z } from 'zod';
import type * as reports from '../../../../schemas/admin-reports.ts';

type Status = z.infer<typeof reports.Status>;
export type UserDetail = z.infer<typeof reports.UserDetail>;
type User = z.infer<typeof reports.User>;

/** Sums, but for the limits of a user and a node, which are told as this node has them; the last cleanup is the latest of all, and the
 *  heartbeat the oldest: the figure that tells of trouble. */
export function mergedStatus(all: readonly Status[]): Status {
  const first = all[0] as Status;
  const sum = (of: (status: Status) => number): number => all.reduce((total, status) => total + of(status), 0);
  const summed = <K extends string>(of: (status: Status) => Readonly<Record<K, number>>): Record<K, number> =>
    Object.fromEntries(Object.keys(of(first)).map((key) => [key, sum((status) => of(status)[key as K])])) as Record<K, number>;
  const cleanups = all.map(({ lastCleanup }) => lastCleanup).filter((one) => one !== null);
  const beats = all.map(({ cleanupHeartbeat }) => cleanupHeartbeat);
  return {
    ...first,
    users: sum((s) => s.users),
    usersAtLimit: sum((s) => s.usersAtLimit),
    seats: sum((s) => s.seats),
    effective: sum((s) => s.effective),
    sockets: sum((s) => s.sockets),
    quarantined: sum((s) => s.quarantined),
    managersByVerdict: summed((s) => s.managersByVerdict),
    burst: summed((s) => s.burst),
    queued: sum((s) => s.queued),
    storeFailOpen: all.some((s) => s.storeFailOpen),
    created: sum((s) => s.created),
    cleanupPasses: summed((s) => s.cleanupPasses),
    freed: summed((s) => s.freed),
    emergencyCleanups: sum((s) => s.emergencyCleanups),
    failedCleanups: sum((s) => s.failedCleanups),
    zombiesDetected: sum((s) => s.zombiesDetected),
    evicted: sum((s) => s.evicted),
    regrets: sum((s) => s.regrets),
    lastCleanup: cleanups.reduce<(typeof cleanups)[number] | null>((last, one) => (last === null || one.at > last.at ? one : last), null),
    cleanupHeartbeat: beats.includes(null) ? null : Math.min(...(beats as number[])),
  };
}

/** A user's room over nodes: what the store says is the same everywhere, what nodes hold is added up. */
export function mergedUserDetail(all: readonly UserDetail[]): UserDetail {
  const first = all[0] as UserDetail;
  const sum = (of: (user: UserDetail) => number): number => all.reduce((total, user) => total + of(user), 0);
  return {
    ...first,
    seats: sum((u) => u.seats),
    effective: sum((u) => u.effective),
    sockets: sum((u) => u.sockets),
    quarantined: sum((u) => u.quarantined),
    queued: all.flatMap(({ queued }) => queued).sort((a, b) => a.position - b.position),
    managers: all.flatMap(({ managers }) => managers).sort((a, b) => a.rank.position - b.rank.position),
  };
}

/** The rows of one user on several nodes. */
export function mergedUser(all: readonly User[]): User {
  const first = all[0] as User;
  const sum = (of: (user: User) => number): number => all.reduce((total, user) => total + of(user), 0);
  return {
    ...first,
    nodes: [...new Set(all.flatMap(({ nodes }) => nodes))],
    seats: sum((u) => u.seats),
    effective: sum((u) => u.effective),
    sockets: sum((u) => u.sockets),
    queued: sum((u) => u.queued),
    verdicts: Object.fromEntries(Object.keys(first.verdicts).map((name) => [name, sum((u) => u.verdicts[name as keyof User['verdicts']])])) as User['verdicts'],
  };
}
