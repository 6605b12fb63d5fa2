/** One run: everybody's answer is streaming, a node is killed without a word, and everybody has everything in the end. */

import { loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { type KillRow, PLAN, timesOf } from '../../bench/node-kill/plan.ts';
import { type Cluster, type ClusterNode, clusterToken } from '../support/cluster.ts';
import { HELLO } from '../support/gateway.ts';
import { between, pick, type Seeded } from '../support/lab/seeded.ts';
import { nowMs } from '../support/lab/time.ts';
import { faultsOf } from '../support/lossless/checker.ts';
import { WireClient } from '../support/wire-client.ts';
import type { People } from './people.ts';
import type { PersonReport } from './people-process.ts';
import type { Happening } from './person.ts';

/** What product promises bound, in milliseconds. */
export const BOUNDS = { reclaimedMs: 6_500, backMs: 5_000, endedMs: 15_000 } as const;

/** Seats of one user, all on one node: as many as there are. */
const FULL = 20;
const QUICK_SHARE = 0.2;
const QUICK_MS = 300;
const BEGUN_WITHIN_MS = 30_000;
const SETTLED_WITHIN_MS = 60_000;

async function sit(node: ClusterNode, user: string, intent: 'user' | 'auto'): Promise<WireClient> {
  const client = (await WireClient.open(node.wsUrl, { deadlineMs: SETTLED_WITHIN_MS })).behave();
  client.sendFrame({ ...HELLO, token: await clusterToken(user), intent });
  return client;
}

/** Somebody who comes by itself, so that no living one gives way for them, waits for a seat of the dead node. */
async function reclaims(node: ClusterNode, user: string, killedAt: number): Promise<number> {
  await using client = await sit(node, user, 'auto');
  await client.next('ready');
  return Math.round(nowMs() - killedAt);
}

export interface KillOptions {
  /** Names it in what is told, and its conversations. */
  readonly run: number;
  readonly random: Seeded;
  /** Whether the node is started again at once. Default: one time in five. */
  readonly quick?: boolean;
  /** Of each answer. Default: `PLAN.pieces`. */
  readonly pieces?: number;
}

/** Resolves when all nodes run again and everybody is live. Whatever was not as promised is in the row. */
export async function killRun(cluster: Cluster, people: People, { run, random, ...o }: KillOptions): Promise<KillRow> {
  const doomed = pick(random, cluster.nodes);
  const quick = o.quick ?? random() < QUICK_SHARE;
  const killAfterMs = between(random, ...PLAN.killAfterMs);
  const full = quick ? [] : await Promise.all(Array.from({ length: FULL }, () => sit(doomed, `full-${run}`, 'user')));
  await Promise.all(full.map((client) => client.next('ready')));
  await people.talk(`run-${run}`, { count: o.pieces ?? PLAN.pieces, perSecond: PLAN.perSecond });
  await people.all('to have the beginning of an answer', ({ applied }) => applied > 0, BEGUN_WITHIN_MS);
  await delay(killAfterMs);

  const killedAt = nowMs();
  await doomed.kill();
  const broken: string[] = [];
  const [other] = cluster.others(doomed);
  const reclaimed =
    other === undefined || quick
      ? null
      : reclaims(other, `full-${run}`, killedAt).catch((error: unknown) => {
          broken.push(`nobody got a seat of the dead node: ${String(error)}`);
          return null;
        });
  const late = (error: unknown): void => void broken.push(error instanceof Error ? error.message : String(error));
  const allEnd = people.all('to have the end of their answer', ({ ended }) => ended > 0, SETTLED_WITHIN_MS).catch(late);
  // Either it comes back and clears up itself, or the others do all of it without it.
  if (quick) await delay(QUICK_MS);
  else await Promise.all([allEnd, reclaimed, delay(PLAN.downMs)]);
  await doomed.start();
  await allEnd;
  await people.live(SETTLED_WITHIN_MS).catch(late);
  const reclaimedMs = await reclaimed;
  const reports = await people.reports(cluster.url);
  await Promise.all(full.map((client) => client[Symbol.asyncDispose]()));
  // A part of them comes anew, so that the node that was started again has its share.
  await people.reload(people.members.flatMap(({ name }) => (random() < 1 / cluster.nodes.length ? [name] : [])));
  await people.live(SETTLED_WITHIN_MS).catch(late);
  return judged({ run, killed: cluster.nodes.indexOf(doomed), killAfterMs, quick, killedAt, reclaimedMs, reports, broken });
}

interface Seen {
  readonly run: number;
  readonly killed: number;
  readonly killAfterMs: number;
  readonly quick: boolean;
  readonly killedAt: number;
  readonly reclaimedMs: number | null;
  readonly reports: readonly PersonReport[];
  readonly broken: string[];
}

function judged({ reports, killedAt, broken, reclaimedMs, ...seen }: Seen): KillRow {
  const after = ({ happenings }: PersonReport, suits: (happening: Happening) => boolean): number[] =>
    happenings.flatMap((happening) => (happening.at >= killedAt && suits(happening) ? [happening.at] : [])).slice(0, 1);
  const affected = reports.filter((report) => after(report, ({ is }) => is === 'close').length > 0);
  const back = affected.map((report) => after(report, (happening) => happening.is === 'state' && happening.name === 'live')[0]);
  const opened = affected.map((report) => after(report, ({ is }) => is === 'opened')[0]);
  const served = back.flatMap((at, i) => (at === undefined || opened[i] === undefined ? [] : [at - opened[i]]));
  const ended = reports.flatMap((report) =>
    after(report, (happening) => happening.is === 'ended' && happening.how === 'producer_lost').map((at) => at - killedAt),
  );
  const lostRuns = new Set(reports.flatMap(({ runs }) => Object.entries(runs).flatMap(([id, { ends }]) => (ends.includes('producer_lost') ? [id] : []))));
  for (const report of reports) broken.push(...faultsIn(report));
  const expect = (what: string, is: number, bound: number): void => {
    if (is > bound) broken.push(`${what} ${Math.round(is)} ms, expected at most ${bound}`);
  };
  expect('seats of the dead node reclaimed after', reclaimedMs ?? 0, BOUNDS.reclaimedMs);
  expect('back after a transport was open', Math.max(0, ...served), BOUNDS.backMs);
  expect('the end of a lost run seen after', Math.max(0, ...ended), BOUNDS.endedMs);
  const findings = reports.map((report) => report.findings);
  const sum = (of: 'lost' | 'doubled' | 'reordered'): number => findings.reduce((all, finding) => all + finding[of].length, 0);
  return {
    peer: 'spillway',
    ...seen,
    clients: reports.length,
    affected: affected.length,
    expected: findings.reduce((all, { checked, lost }) => all + checked + lost.length, 0),
    lost: sum('lost'),
    doubled: sum('doubled'),
    reordered: sum('reordered'),
    losers: findings.filter(({ lost }) => lost.length > 0).length,
    mostLost: Math.max(0, ...findings.map(({ lost }) => lost.length)),
    backMs: timesOf(back.flatMap((at) => (at === undefined ? [] : [at - killedAt]))),
    hostLoad: Math.round((loadavg()[0] ?? 0) * 10) / 10,
    reclaimedMs,
    servedMs: timesOf(served),
    lostRuns: lostRuns.size,
    endedMs: timesOf(ended),
    broken,
  };
}

/** Every event once and in order, and one start and one end for every run that was accepted. */
function faultsIn({ name, thread, findings, happenings, runs, jumped }: PersonReport): readonly string[] {
  const faults = faultsOf(findings).map((fault) => `${name} in ${thread}: ${fault}`);
  if (jumped.length > 0) faults.push(`${thread}: the log jumps over ${jumped.join(', ')}`);
  for (const [run, { starts, ends }] of Object.entries(runs)) {
    if (ends.length !== 1 || starts > 1) faults.push(`${thread}: ${run} has ${starts} starts and the ends ${ends.join(', ') || 'none'}`);
  }
  for (const happening of happenings) {
    if (happening.is === 'refused') faults.push(`${name} was refused: ${happening.why}`);
    if (happening.is === 'accepted' && runs[happening.run] === undefined) faults.push(`${thread}: ${happening.run} was accepted and is not in the log`);
  }
  return faults;
}
