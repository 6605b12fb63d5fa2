/** A fault of the store under three nodes with people on them: what happens meanwhile, and what must hold. */

import { setTimeout as delay } from 'node:timers/promises';
import type { FaultFigures } from '../../bench/node-kill/plan.ts';
import { Cluster, type ClusterOptions } from '../support/cluster.ts';
import { nowMs } from '../support/lab/time.ts';
import { faultsOf, joined } from '../support/lossless/checker.ts';
import { Newcomers } from './newcomers.ts';
import { People } from './people.ts';
import type { PersonReport } from './people-process.ts';
import { StoreWatch } from './store-watch.ts';

/** What a row may use. */
export interface FaultScene {
  readonly cluster: Cluster;
}

/** A store that runs, and what will happen. */
export interface Fault {
  readonly url: string;
  /** Brings it about, and its end. */
  readonly act: (scene: FaultScene) => Promise<void>;
}

export interface FaultRow {
  readonly name: string;
  /** What happens, for people. */
  readonly story: string;
  /** How long answers go on: the fault and some time behind it. */
  readonly talkS: number;
  readonly cluster?: Partial<ClusterOptions>;
  /** Starts the store; everything that it needs is disposed of with `opened`. */
  readonly start: (opened: AsyncDisposableStack) => Promise<Fault>;
  /** The most seats that the full user may have at once. */
  readonly mostSeats: number;
  /** The store loses what it had confirmed: then the log may be told as gone, and answers under way may be cut short. */
  readonly losesLog?: boolean;
  /** A node is held for dead: answers that it was giving end visibly. */
  readonly losesRuns?: boolean;
  /** Closes that this fault may cause. Default: none. */
  readonly mayClose?: (code: number) => boolean;
}

const SOFT = 20;
const PEOPLE = 48;
const FULL = 'full-house';
const AGREES_WITHIN_MS = 45_000;
const ENDED_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 250;
/** Events of an answer when all is over. */
const AFTERWARDS = 8;

export async function playFault(row: FaultRow): Promise<FaultFigures> {
  await using opened = new AsyncDisposableStack();
  const { url, act } = await row.start(opened);
  const cluster = opened.use(await Cluster.start({ store: url, balancer: 'nginx', ...row.cluster }));
  const people = opened.use(await People.arrive(PEOPLE, [cluster.wsUrl]));
  const users = [...new Set(people.members.map(({ user }) => user))];
  const watch = opened.use(new StoreWatch(Number(new URL(url).port), [FULL, ...users]));
  const newcomers = opened.use(new Newcomers(cluster, FULL, row.mayClose));
  await newcomers.fill(SOFT);
  await people.talk(row.name, { count: row.talkS * 4, perSecond: 4 });
  await people.all('to have the beginning of an answer', ({ applied }) => applied > 0, ENDED_WITHIN_MS);
  newcomers.begin({ guestEveryMs: 700, fullEveryMs: 1_500 });
  await delay(1_500);
  await act({ cluster });
  const healedAt = nowMs();
  const broken: string[] = [];
  const note = (error: unknown): void => void broken.push(error instanceof Error ? error.message : String(error));
  if (row.losesLog !== true) await people.answered(ENDED_WITHIN_MS).catch(note);
  await people.live(ENDED_WITHIN_MS).catch(note);
  await newcomers.end();
  const differences = await agree(cluster, people, newcomers, watch);
  broken.push(...differences);
  // Whatever was given meanwhile, by whomever: what is given now is newer.
  const newest = watch.highestOf(FULL);
  await newcomers.fill(1);
  await watch.again();
  if (watch.highestOf(FULL) <= newest) broken.push(`whoever came when all was over has a token that is not above ${newest}`);
  const agreedMs = differences.length === 0 ? Math.round(nowMs() - healedAt) : null;
  const reports = await people.reports(cluster.url);
  for (const report of reports) broken.push(...faultsIn(report, row));
  // In the same conversations, as if nothing had been.
  await people.talk(row.name, { count: AFTERWARDS, perSecond: 4 });
  await people.answered(ENDED_WITHIN_MS).catch(note);
  for (const report of await people.reports(cluster.url)) broken.push(...faultsAfter(report, row).map((fault) => `afterwards: ${fault}`));
  const mostInStore = watch.most.get(FULL) ?? 0;
  const { mostSeated, came, seated, slowestMs } = newcomers.figures;
  broken.push(...newcomers.broken, ...watch.wrong);
  if (mostSeated > row.mostSeats) broken.push(`${mostSeated} tabs of one user were seated at once, expected at most ${row.mostSeats}`);
  const findings = joined(reports.map((report) => report.findings));
  return {
    name: row.name,
    story: row.story,
    broken,
    events: findings.checked,
    lost: findings.lost.length,
    doubled: findings.doubled.length,
    reordered: findings.reordered.length,
    gaps: findings.gaps,
    closes: reports.reduce((all, { happenings }) => all + happenings.filter(({ is }) => is === 'close').length, 0),
    came,
    seated,
    slowestSeatMs: slowestMs,
    mostInStore,
    mostSeated,
    agreedMs,
  };
}

function faultsIn({ name, thread, findings, happenings, runs, jumped }: PersonReport, row: FaultRow): readonly string[] {
  // What was applied before the loss is compared with what came after: there is nothing else any more.
  const told = row.losesLog === true ? { ...findings, phantom: [], uneven: [], lost: [] } : findings;
  const faults = row.losesLog === true ? [...faultsOf(told, 'gaps', 'declared')] : [...faultsOf(told)];
  if (row.losesLog === true && findings.gaps === 0 && findings.lost.length + findings.uneven.length > 0) faults.push('a loss that nobody told');
  faults.push(...treatment(happenings, row));
  if (row.losesLog !== true) faults.push(...badEnds(runs, row.losesRuns === true), ...jumped.map((number) => `the log jumps over ${number}`));
  return faults.map((fault) => `${name} in ${thread}: ${fault}`);
}

/** When all is over, whatever the store has lost. */
function faultsAfter({ name, thread, findings, happenings, runs }: PersonReport, row: FaultRow): readonly string[] {
  const faults = [...faultsOf(findings), ...treatment(happenings, row), ...badEnds(runs, row.losesLog === true || row.losesRuns === true)];
  return faults.map((fault) => `${name} in ${thread}: ${fault}`);
}

/** How somebody was treated. A dial that came to nothing is none of it: the next one is made at once. */
function treatment(happenings: PersonReport['happenings'], row: FaultRow): readonly string[] {
  let isOpen = true;
  const faults: string[] = [];
  for (const happening of happenings) {
    if (happening.is === 'opened') isOpen = true;
    if (happening.is === 'refused') faults.push(`refused: ${happening.why}`);
    if (happening.is !== 'close') continue;
    if (isOpen && row.mayClose?.(happening.code) !== true) faults.push(`closed: ${happening.code} ${happening.reason}`);
    isOpen = false;
  }
  return faults;
}

const badEnds = (runs: PersonReport['runs'], mayBeLost: boolean): readonly string[] =>
  Object.entries(runs).flatMap(([run, { ends }]) => {
    if (ends.length !== 1) return [`${run} has the ends ${ends.join(', ') || 'none'}`];
    return ends[0] === 'completed' || mayBeLost ? [] : [`${run} ended with ${ends[0]}`];
  });

/** Seats in the store, tabs that are there, and what the admin API of every node says: in what they differ once they should agree. */
async function agree(cluster: Cluster, people: People, newcomers: Newcomers, watch: StoreWatch): Promise<readonly string[]> {
  const own = new Map<string, number>();
  for (const { user } of people.members) own.set(user, (own.get(user) ?? 0) + 1);
  const deadline = nowMs() + AGREES_WITHIN_MS;
  for (;;) {
    const differences: string[] = [];
    own.set(FULL, newcomers.seated);
    for (const [user, tabs] of own) {
      const seats = await watch.seats(user);
      if (seats !== tabs) differences.push(`${user} has ${tabs} tabs and ${seats} seats in the store`);
    }
    for (const node of cluster.nodes) {
      const shown = await node.admin(`users/${FULL}`).catch((error: unknown) => ({ seats: String(error) }));
      if (shown?.seats !== newcomers.seated) differences.push(`${node.name} shows ${shown?.seats} seats of ${FULL}, it has ${newcomers.seated} tabs`);
    }
    if (differences.length === 0 || nowMs() > deadline) return differences;
    await delay(LOOK_EVERY_MS);
  }
}
