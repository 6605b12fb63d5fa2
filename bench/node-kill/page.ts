/** `docs/cluster-benchmark.md`, made of the rows in `results` alone:  node bench/node-kill/page.ts */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type FaultFigures, type KillRow, PLAN, type RunRow, timesOf } from './plan.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
export const PAGE = fileURLToPath(new URL('../../docs/cluster-benchmark.md', import.meta.url));

interface Environment {
  readonly date: string;
  readonly machine: string;
  readonly versions: string;
  /** What is to be known of these rows. */
  readonly note: string;
}

const rowsOf = <T>(name: string): readonly T[] =>
  readFileSync(join(HERE, 'results', name), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);

const count = (n: number): string => n.toLocaleString('en');
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

/** The page, as the committed rows make it. */
export function pageOfResults(): string {
  return pageOf(
    rowsOf<KillRow>('spillway.jsonl'),
    rowsOf<RunRow>('socketio.jsonl'),
    rowsOf<FaultFigures>('faults.jsonl'),
    JSON.parse(readFileSync(join(HERE, 'results', 'environment.json'), 'utf8')) as Environment,
  );
}

function pageOf(spillway: readonly KillRow[], socketIo: readonly RunRow[], faults: readonly FaultFigures[], where: Environment): string {
  const sum = (rows: readonly RunRow[], of: (row: RunRow) => number): number => rows.reduce((all, row) => all + of(row), 0);
  const most = (rows: readonly RunRow[], of: (row: RunRow) => number): number => Math.max(0, ...rows.map(of));
  const median = (rows: readonly RunRow[], of: (row: RunRow) => number): number => timesOf(rows.map(of)).p50;
  const line = (what: string, of: (rows: readonly RunRow[]) => string): string => `| ${what} | ${of(spillway)} | ${of(socketIo)} |`;
  const reclaimed = timesOf(spillway.flatMap(({ reclaimedMs }) => (reclaimedMs === null ? [] : [reclaimedMs])));
  const measured = spillway.filter(({ reclaimedMs }) => reclaimedMs !== null).length;
  const late = spillway.filter(({ reclaimedMs }) => (reclaimedMs ?? 0) > 6_500).length;
  return `# A node is killed

<!-- Made of the rows in bench/node-kill/results by \`node bench/node-kill/page.ts\`; measure anew instead of changing it. -->

Three nodes share one Redis behind nginx. ${PLAN.clients} clients follow ${PLAN.clients / PLAN.together} conversations, two clients each, and in every one of them an answer is streaming,
${PLAN.perSecond} pieces a second, ${PLAN.pieces} in all. ${PLAN.killAfterMs[0]} to ${PLAN.killAfterMs[1]} ms after all have begun one of the nodes, drawn at random, gets SIGKILL; it is started again
${PLAN.downMs / 1_000} s later, with Spillway not before everybody has the end of their answer, or, one time in five, at once. In the end every client's record is compared with the log, piece by piece. The next run goes on with
the same clients and nodes, a third of the clients loaded anew.

| | Spillway | Socket.IO 4 with recovery, Redis streams adapter |
| --- | --- | --- |
${[
  line('runs', (rows) => count(rows.length)),
  line('clients whose node was killed', (rows) => count(sum(rows, (row) => row.affected))),
  line('pieces logged, times their readers', (rows) => count(sum(rows, (row) => row.expected))),
  line('**lost**', (rows) => `**${count(sum(rows, (row) => row.lost))}**`),
  line('doubled', (rows) => count(sum(rows, (row) => row.doubled))),
  line('out of order', (rows) => count(sum(rows, (row) => row.reordered))),
  line('clients that lost something', (rows) => count(sum(rows, (row) => row.losers))),
  line('most that one client lost in a run', (rows) => count(most(rows, (row) => row.mostLost))),
  line('from the kill until served again, median of the runs’ medians', (rows) => `${count(median(rows, (row) => row.backMs.p50))} ms`),
  line('the slowest client of all runs', (rows) => `${count(most(rows, (row) => row.backMs.max))} ms`),
  line('load of the machine: median, highest', (rows) => `${median(rows, (row) => row.hostLoad)}, ${most(rows, (row) => row.hostLoad)}`),
].join('\n')}

What was logged is what the comparison expects: with Spillway every event of the conversation's log; with Socket.IO every piece that its adapter had put into the Redis
stream, from which its recovery replays. A piece that died with its process before it was logged counts against nobody. Socket.IO's recovery needs what a node saves
when a client *disconnects*; a killed node saves nothing, so no client was recovered, and whatever was sent until it was back is lost to it. An application can repeat such
pieces by itself; then it keeps a log with offsets, which is what is compared here. Reconnecting follows each maker's defaults.

## What Spillway promises besides

| promise | bound | seen in ${count(spillway.length)} runs |
| --- | --- | --- |
| somebody sits on a seat of the dead node | 6.5 s after the kill | median ${seconds(reclaimed.p50)}, longest ${seconds(reclaimed.max)} of ${measured} measured${late === 0 ? '' : `; ${late} later than the bound`} |
| a client is live again | 5 s after its transport is open | longest ${count(Math.max(0, ...spillway.map(({ servedMs }) => servedMs.max)))} ms |
| a run whose node died has exactly one end, \`producer_lost\` | 15 s after the kill | ${count(spillway.reduce((all, { lostRuns }) => all + lostRuns, 0))} such runs, the last end read after ${seconds(Math.max(0, ...spillway.map(({ endedMs }) => endedMs.max)))} |

Seats are measured from outside: a user has all 20 seats on the node that will be killed, and somebody new, who would wait rather than take a living one's place, dials
another node at the kill.

## What may happen to the store

48 tabs of eight users read answers, twenty tabs of another user hold all of its seats, and new tabs come all the time, every 0.7 s one of a guest and every 1.5 s one more of
the full user. Nobody who lives may be dropped, everybody who comes must sit within 12 s of dialling (10.5 s in the queue at most), no token may be given twice, and in the end store, tabs and the admin API of
every node agree.

| fault | events lost / doubled / out of order | gaps told | newcomers seated | slowest seat | most tabs of the full user | broken promises |
| --- | --- | --- | --- | --- | --- | --- |
${faults
  .map(
    (row) =>
      `| ${row.story} | ${row.lost} / ${row.doubled} / ${row.reordered} of ${count(row.events)} | ${row.gaps} | ${row.seated} of ${row.came} | ${seconds(row.slowestSeatMs)} | ${row.mostSeated} | ${row.broken.length} |`,
  )
  .join('\n')}

A gap is what a client is told where the store itself has lost entries that it had confirmed; what it holds instead is the conversation as the store has it now.

## How it was measured

${where.date}: ${where.machine}. ${where.versions}. The machine was shared with other work: the load is in every row. Times are context; that nothing was lost does not depend on them.
${where.note}

\`\`\`
npm run test:cluster                                   kills, store faults, histories; about 25 minutes
npm run test:cluster -- --only kills --runs 10
npm run test:cluster -- --only faults --row cut-off
node bench/node-kill/socketio.ts --runs 100            the same runs with Socket.IO
node bench/node-kill/page.ts                           this page, out of the rows in bench/node-kill/results
\`\`\`
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(PAGE, pageOfResults());
