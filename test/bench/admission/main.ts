// How long a person waits for a seat, with room, with twenty dead sessions and with twenty frozen ones that nobody can tell from dead yet:
//   npm run bench:admission [-- --rounds 20 --out FILE]
// The gateway has a process of its own, its clients others. It reports; it judges nothing.
import { writeFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { Lab } from '../../support/lab/lab.ts';
import { Crowd } from './crowd.ts';
import { type Ground, type RoundResult, runRound } from './round.ts';

const GOAL_P99_MS = 500;
const { values } = parseArgs({ options: { rounds: { type: 'string', default: '20' }, out: { type: 'string' } } });
const rounds = Number(values.rounds);
const say = (text: string): void => void process.stdout.write(`${text}\n`);

interface Quantiles {
  readonly n: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}
function quantiles(list: readonly number[]): Quantiles {
  const sorted = list.toSorted((a, b) => a - b);
  const at = (share: number): number => Math.round((sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0) * 10) / 10;
  return { n: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}

interface Row {
  readonly ground: Ground;
  readonly users: number;
  readonly rounds: number;
  readonly cleanup: Quantiles;
  readonly admission: Quantiles;
  readonly helloToReady: Quantiles;
  readonly dialToReady: Quantiles;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly probed: number;
}

function rowOf(ground: Ground, users: number, results: readonly RoundResult[]): Row {
  const outcomes: Record<string, number> = {};
  for (const outcome of results.flatMap((r) => r.outcomes)) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  return {
    ground,
    users,
    rounds: results.length,
    cleanup: quantiles(results.flatMap((r) => r.cleanupMs)),
    admission: quantiles(results.flatMap((r) => r.admissionMs)),
    helloToReady: quantiles(results.flatMap((r) => r.opened.map((o) => o.helloToReadyMs))),
    dialToReady: quantiles(results.flatMap((r) => r.opened.map((o) => o.readyAfterMs))),
    outcomes,
    probed: results.reduce((sum, r) => sum + r.probed, 0),
  };
}

const rows: Row[] = [];
let round = 0;
for (const ground of ['room', 'dead', 'frozen'] as const) {
  for (const users of [1, 10, 50]) {
    // A process of its own for each row: what one leaves behind does not weigh on the next.
    await using lab = await Lab.start({ options: { timing: 'fast', cleanup: { proactive: false }, rate: { upgradesPer10s: 1_000_000 } } });
    await using opener = new Crowd();
    // The first one pays for what is compiled and loaded once.
    await runRound(lab, opener, ground, [`warm-${++round}`]);
    const results: RoundResult[] = [];
    for (let i = 0; i < Math.max(1, Math.round(rounds / Math.sqrt(users))); i++) {
      round++;
      results.push(
        await runRound(
          lab,
          opener,
          ground,
          Array.from({ length: users }, (_, n) => `r${round}-u${n}`),
        ),
      );
    }
    rows.push(rowOf(ground, users, results));
    say(`measured ${ground}, ${users} at once`);
  }
}

const cell = (q: Quantiles): string => (q.n === 0 ? '–' : `${q.p50} / ${q.p99} / ${q.max}`).padEnd(22);
say(
  `\nMilliseconds: p50 / p99 / max. ${availableParallelism()} cores, load ${loadavg()
    .map((load) => load.toFixed(1))
    .join(' ')}, Node ${process.version}. Goal: p99 of the client's view ≤ ${GOAL_P99_MS} ms.\n`,
);
say(`| sessions | users at once | cleanup (record)       | admission (record)     | hello → ready (client) | dial → ready (client)  | goal   | outcomes`);
say(`| -------- | ------------- | ---------------------- | ---------------------- | ---------------------- | ---------------------- | ------ | --------`);
for (const row of rows) {
  const outcomes = Object.entries(row.outcomes)
    .map(([name, n]) => `${name} ${n}`)
    .join(', ');
  const goal = row.helloToReady.p99 <= GOAL_P99_MS ? 'met' : 'missed';
  say(
    `| ${row.ground.padEnd(8)} | ${String(row.users).padStart(13)} | ${cell(row.cleanup)} | ${cell(row.admission)} | ${cell(row.helloToReady)} | ${cell(row.dialToReady)} | ${goal.padEnd(6)} | ${outcomes}; ${row.probed} probed`,
  );
}
const json = JSON.stringify({ goalP99Ms: GOAL_P99_MS, cores: availableParallelism(), load: loadavg(), node: process.version, rows });
say(`\n${json}`);
if (values.out !== undefined) writeFileSync(values.out, `${json}\n`);
process.exit(0);
