// Several gateways on one store, and what may happen to them.
//   npm run test:cluster [-- --only kills,faults,histories] [--runs 100] [--clients 300] [--seed N] [--first 1] [--out FILE] [--build FOLDER]
// `kills`: runs with a node killed in the middle. `faults`: what a store can do to three nodes; `--row NAME` only that one. `histories`: what
// several processes ask of a store at the same time, and whether one order explains it.
import { appendFileSync } from 'node:fs';
import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { BuiltCopy } from '../../bench/built.ts';
import { type KillRow, timesOf } from '../../bench/node-kill/plan.ts';
import { Cluster } from '../support/cluster.ts';
import { seeded } from '../support/lab/seeded.ts';
import { startRedis } from '../support/redis.ts';
import { playFault } from './fault-row.ts';
import { checkedLog, checkedSeats, type Taken, takeHistories } from './histories.ts';
import { BOUNDS, killRun } from './kill-run.ts';
import { People } from './people.ts';
import { FAULT_ROWS } from './rows/all.ts';

const KINDS = ['kills', 'faults', 'histories'] as const;
const SHOWN = 5;
const RESTARTS = 3;
const RESTART_EVERY_MS = 1_500;

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: KINDS.join(',') },
    row: { type: 'string' },
    runs: { type: 'string', default: '100' },
    first: { type: 'string', default: '1' },
    clients: { type: 'string', default: '300' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    out: { type: 'string' },
    build: { type: 'string' },
  },
});
const say = (text: string): unknown => process.stdout.write(`${text}\n`);
const number = (name: 'runs' | 'first' | 'clients' | 'seed', least: number): number => {
  const value = Number(values[name]);
  if (!Number.isInteger(value) || value < least) throw new Error(`Expected --${name} to be a whole number from ${least}, got ${values[name]}.`);
  return value;
};
const wanted = values.only.split(',');
for (const name of wanted)
  if (!KINDS.includes(name as (typeof KINDS)[number])) throw new Error(`Expected --only to name some of ${KINDS.join(', ')}, got ${name}.`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(128 + constants.signals[signal]));

const broken: string[] = [];
const seed = number('seed', 0);
const keep = (row: object): void => {
  if (values.out !== undefined) appendFileSync(values.out, `${JSON.stringify(row)}\n`);
};
/** What was not as promised: the first few of it, and how much more. */
function tell(name: string, faults: readonly string[]): void {
  broken.push(...faults.map((fault) => `${name}: ${fault}`));
  for (const fault of faults.slice(0, SHOWN)) say(`    ${fault}`);
  if (faults.length > SHOWN) say(`    … and ${faults.length - SHOWN} more`);
}

// What runs is a copy, so that a build meanwhile changes nothing of it.
using built = new BuiltCopy(values.build ?? fileURLToPath(new URL('../../', import.meta.url)));
say(`Seed ${seed}`);
if (wanted.includes('histories')) await histories();
if (wanted.includes('faults')) await faults();
if (wanted.includes('kills')) await kills();
say(broken.length === 0 ? 'PASSED' : `FAILED: ${broken.length} promises not kept`);
process.exitCode = broken.length === 0 ? 0 : 1;

async function histories(): Promise<void> {
  const processes = 4;
  const names = Array.from({ length: 20 }, (_, i) => `user-${i}`);
  {
    await using redis = await startRedis();
    const taken = await takeHistories({ build: built.folder, url: redis.url, processes, calls: 100, seed, names });
    const wrong = [...taken].flatMap(([name, { seats, log }]) =>
      [checkedSeats(seats), checkedLog(log)].flatMap((verdict) => (verdict.is === 'linearizable' ? [] : [`${name}: ${JSON.stringify(verdict)}`])),
    );
    say(`histories: ${callsOf(taken)} calls of ${processes} processes for seats and streams of ${names.length} users; ${verdictOf(wrong)}`);
    tell('histories', wrong);
  }
  await using redis = await startRedis({ appendonly: true });
  const during = async (): Promise<void> => {
    for (let i = 0; i < RESTARTS; i++) {
      await delay(RESTART_EVERY_MS);
      await redis.kill();
      await redis.start();
    }
  };
  const taken = await takeHistories({ build: built.folder, url: redis.url, processes, calls: 250, seed, names: names.slice(0, 8), during });
  const logs = [...taken].map(([name, { log }]) => [name, log] as const);
  const wrong = logs.flatMap(([name, log]) => {
    const verdict = checkedLog(log);
    return verdict.is === 'linearizable' ? [] : [`${name}: ${JSON.stringify(verdict)}`];
  });
  const unanswered = logs.reduce((all, [, log]) => all + log.filter(({ returnedAt }) => returnedAt === null).length, 0);
  say(
    `histories of a store that is killed ${RESTARTS} times: ${logs.reduce((all, [, log]) => all + log.length, 0)} calls for streams, ${unanswered} without an answer; ${verdictOf(wrong)}`,
  );
  tell('histories', wrong);
}

function callsOf(taken: ReadonlyMap<string, Taken>): number {
  return [...taken.values()].reduce((all, { seats, log }) => all + seats.length + log.length, 0);
}

function verdictOf(wrong: readonly string[]): string {
  return wrong.length === 0 ? 'one order explains all answers' : `${wrong.length} histories that no order explains`;
}

async function faults(): Promise<void> {
  for (const row of FAULT_ROWS.filter(({ name }) => values.row === undefined || name === values.row)) {
    say(`${row.name}: ${row.story}`);
    const figures = await playFault({ ...row, cluster: { ...row.cluster, build: built.folder } });
    keep(figures);
    const { events, lost, doubled, reordered, gaps, closes, came, seated, slowestSeatMs, mostSeated, agreedMs } = figures;
    say(
      `  ${events} events: ${lost} lost, ${doubled} doubled, ${reordered} reordered, ${gaps} gaps; ${closes} closes; ${seated} of ${came} newcomers seated, the slowest after ${slowestSeatMs} ms; ` +
        `at most ${mostSeated} seats of one user; all counts agreed ${agreedMs === null ? 'never' : `${agreedMs} ms after`}`,
    );
    tell(row.name, figures.broken);
  }
}

async function kills(): Promise<void> {
  await using redis = await startRedis({ appendonly: true });
  await using cluster = await Cluster.start({ store: redis.url, balancer: 'nginx', build: built.folder });
  await using people = await People.arrive(number('clients', 2), [cluster.wsUrl]);
  const random = seeded(seed);
  const rows: KillRow[] = [];
  const first = number('first', 1);
  for (let run = first; run < first + number('runs', 1); run++) {
    const row = await killRun(cluster, people, { run, random });
    rows.push(row);
    keep(row);
    say(
      `run ${run}: node ${row.killed} after ${row.killAfterMs} ms, ${row.affected} of ${row.clients} clients: lost ${row.lost}, doubled ${row.doubled}, reordered ${row.reordered}; ` +
        `back p50 ${row.backMs.p50} max ${row.backMs.max} ms; ${row.lostRuns} runs ended within ${row.endedMs.max} ms; seats ${row.reclaimedMs === null ? 'not measured' : `after ${row.reclaimedMs} ms`}`,
    );
    tell(`run ${run}`, row.broken);
  }
  const sum = (of: (row: KillRow) => number): number => rows.reduce((all, row) => all + of(row), 0);
  const most = (of: (row: KillRow) => number): number => Math.max(0, ...rows.map(of));
  const reclaimed = timesOf(rows.flatMap(({ reclaimedMs }) => (reclaimedMs === null ? [] : [reclaimedMs])));
  say(
    `${rows.length} runs: ${sum((r) => r.expected)} events, ${sum((r) => r.lost)} lost, ${sum((r) => r.doubled)} doubled, ${sum((r) => r.reordered)} reordered; ` +
      `seats of the dead node after p50 ${reclaimed.p50}, max ${reclaimed.max} ms (≤ ${BOUNDS.reclaimedMs}); served at most ${most((r) => r.servedMs.max)} ms after a transport was open (≤ ${BOUNDS.backMs}); ` +
      `lost runs ended after ${most((r) => r.endedMs.max)} ms at most (≤ ${BOUNDS.endedMs})`,
  );
}
