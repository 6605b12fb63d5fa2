import { writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Command } from 'commander';
import { AdminProblem, type DrillInfo, type DrillName, type DrillRun } from '../../admin/index.ts';
import { nearest } from '../../core/nearest.ts';
import { SpillwayError } from '../../protocol/errors.ts';
import { EXIT } from '../exit-codes.ts';
import { junit } from '../junit.ts';
import { gatewayCommand, type Job, onGateway } from '../operator-command.ts';
import { bold, coloured, dim, wrapped } from '../output/style.ts';
import { type Column, terminalWidth } from '../output/table.ts';
import { duration, instant, paintState } from '../output/words.ts';
import { print, printJson, printLines, printRows, printTable, say } from '../terminal.ts';

/** `spillway drill list|run|stop|report` */
export function drillCommand(): Command {
  const drill = new Command('drill').description('Real trouble on a button: frozen tabs, a crash, a stalled store');
  drill.addCommand(
    gatewayCommand('list', 'What trouble there is, how it is made, and what must happen', [['spillway drill list', 'the catalogue']]).action(onGateway(list)),
  );
  drill.addCommand(
    gatewayCommand('run', 'Makes the trouble and says whether what must happen happened', [
      ['spillway drill run frozen-tabs', 'twenty tabs that answer pings and nothing else'],
      ['spillway drill run crash --junit drill.xml', 'for a build server'],
    ])
      .argument('<name>')
      .option('--count <clients>', 'how many clients; each drill has its own default')
      .option('--user <name>', 'whose tabs they are, behind `drill:`')
      .option('--junit <file>', 'writes the result as JUnit XML too')
      .action(onGateway(run)),
  );
  drill.addCommand(gatewayCommand('stop', 'Stops the drill that runs', [['spillway drill stop', 'its processes end']]).action(onGateway(stop)));
  drill.addCommand(
    gatewayCommand('report', 'What happened in a drill', [['spillway drill report drl_…', 'steps and expectations']])
      .argument('<id>')
      .action(onGateway(report)),
  );
  return drill;
}

const COLUMNS: readonly Column<DrillInfo>[] = [
  { title: 'DRILL', text: (d) => d.name },
  { title: 'CLIENTS', text: (d) => String(d.count.default) },
  { title: 'HOW IT IS REAL', text: (d) => d.how },
  { title: 'MUST HAPPEN', text: (d) => d.mustHappen },
];

async function list({ client, json, isTerminal }: Job): Promise<void> {
  const answer = await client.drills().catch(withoutDrills);
  if (json) printJson(answer);
  else if (isTerminal) printLines(answer.drills.flatMap(catalogueLines));
  else printTable(COLUMNS, answer.drills);
}

/** Whole sentences, which columns would cut off. */
const catalogueLines = ({ name, title, how, mustHappen, count }: DrillInfo): string[] => [
  `${bold(name)}  ${title}  ${dim(`${count.default} clients, at most ${count.most}`)}`,
  ...wrapped(how, terminalWidth(), '  '),
  ...wrapped(`Must happen: ${mustHappen}`, terminalWidth(), '  '),
];

/** Where drills are not on, their paths are not there. */
function withoutDrills(error: unknown): never {
  if (AdminProblem.is(error) && error.code === 'not-found')
    throw new AdminProblem('not-found', 'This gateway has no drills: they are on in `spillway dev`, and in `spillway serve` only with --drills.', {
      status: 404,
      cause: error,
    });
  throw error;
}

type RunFlags = { readonly count?: string; readonly user?: string; readonly junit?: string };

async function run(job: Job<RunFlags>, name: string): Promise<void> {
  const { client, json, flags } = job;
  const { drills } = await client.drills().catch(withoutDrills);
  const info = drills.find((one) => one.name === name);
  if (info === undefined) throw new SpillwayError('SPILLWAY_BAD_OPTION', unknown(name, drills));
  const body = { ...(flags.count === undefined ? {} : { count: clientsOf(flags.count, info) }), ...(flags.user === undefined ? {} : { user: flags.user }) };
  const started = await client.startDrill(info.name, body);
  let isInterrupted = false;
  const interrupt = (): void => {
    isInterrupted = true;
    // What it comes to is told by the run itself; not being able to stop it is told by that run going on.
    client.stopDrill(started.id).catch(() => {});
  };
  process.on('SIGINT', interrupt);
  const tell = json ? () => {} : tellerOf(job.isTerminal);
  if (job.isTerminal) print(`${bold(started.name)} x${started.count}  ${started.user}  ${dim(started.id)}`);
  const ended = await followed(job, started, tell);
  process.off('SIGINT', interrupt);
  if (json) printJson(ended);
  else printEnd(job, ended);
  if (flags.junit !== undefined) writeFileSync(flags.junit, junit(ended));
  if (ended.state !== 'passed') process.exitCode = isInterrupted ? 130 : EXIT.failed;
}

const POLL_MS = 300;

/** Tells each step once, until the run is over. */
async function followed({ client }: Job<RunFlags>, started: DrillRun, tell: (run: DrillRun, from: number) => void): Promise<DrillRun> {
  let [told, now] = [0, started];
  for (;;) {
    tell(now, told);
    told = now.steps.length;
    if (now.state !== 'running') return now;
    await delay(POLL_MS);
    now = await client.drill(started.id);
  }
}

const seconds = (ms: number): string => (ms / 1_000).toFixed(1);

const tellerOf =
  (isTerminal: boolean) =>
  (run: DrillRun, from: number): void => {
    for (const { atMs, text } of run.steps.slice(from)) print(isTerminal ? `${seconds(atMs).padStart(6)}  ${text}` : `${atMs}\t${text}`);
  };

function printEnd({ isTerminal }: Job<RunFlags>, run: DrillRun): void {
  if (!isTerminal) {
    printRows([...run.expectations.map(({ text, ok, seen }) => ['expectation', spell(ok), text, seen]), ['end', run.state, run.id]]);
    return;
  }
  printLines(['', ...expectationLines(run), '', endOf(run)]);
  say(dim(`again: spillway drill report ${run.id}    why sessions went: spillway cleanup history --user ${run.user}`));
}

const expectationLines = ({ expectations }: DrillRun): string[] =>
  expectations.map(({ text, ok, seen }) => {
    const mark = ok === null ? dim('?') : ok ? coloured('green', '✓') : coloured('red', '✕');
    return `${mark} ${text}${seen === '' ? '' : dim(`  ${seen}`)}`;
  });

const endOf = ({ state, startedAt, endedAt }: DrillRun): string =>
  `${bold(paintState({ passed: 'PASS', failed: 'FAIL', stopped: 'STOPPED', running: 'RUNNING' }[state], state))} after ${duration((endedAt ?? Date.now()) - startedAt)}`;

const spell = (ok: boolean | null): string => (ok === null ? 'unknown' : ok ? 'ok' : 'failed');

async function stop({ client, json }: Job): Promise<void> {
  const { runs } = await client.drills().catch(withoutDrills);
  const running = runs.find(({ state }) => state === 'running');
  if (running === undefined) {
    if (json) printJson(null);
    say('No drill is running.');
    return;
  }
  const answer = await client.stopDrill(running.id);
  if (json) printJson(answer);
  say(`${running.name} (${running.id}) is stopped.`);
}

async function report(job: Job<RunFlags>, id: string): Promise<void> {
  const found = await job.client.drill(id);
  if (job.json) return printJson(found);
  if (job.isTerminal) print(`${bold(found.name)} x${found.count}  ${found.user}  ${instant(found.startedAt)}`);
  tellerOf(job.isTerminal)(found, 0);
  printEnd(job, found);
}

function clientsOf(text: string, { name, count }: DrillInfo): number {
  const clients = Number(text);
  if (/^\d+$/.test(text) && clients >= 1 && clients <= count.most) return clients;
  throw new SpillwayError('SPILLWAY_BAD_OPTION', `Expected \`--count\` to be a number from 1 to ${count.most} for ${name}, got \`${text}\``);
}

function unknown(name: string, drills: readonly DrillInfo[]): string {
  const names: readonly DrillName[] = drills.map((one) => one.name);
  const near = nearest(name, names);
  return `Unknown drill \`${name}\`${near === null ? '.' : `; did you mean \`${near}\`?`} There are: ${names.join(', ')}`;
}
