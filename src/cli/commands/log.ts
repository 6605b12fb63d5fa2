import type { Command } from 'commander';
import type { ThreadLog } from '../../admin/index.ts';
import { SpillwayError } from '../../protocol/errors.ts';
import { EXIT } from '../exit-codes.ts';
import { gatewayCommand, type Job, onGateway } from '../operator-command.ts';
import { bold, coloured, dim } from '../output/style.ts';
import type { Column } from '../output/table.ts';
import { bytes, count, counted, instant, isoInstant } from '../output/words.ts';
import { rowsOf } from '../pages.ts';
import { print, printJson, printRows, printTable } from '../terminal.ts';

/** `spillway log` */
export function logCommand(): Command {
  return gatewayCommand('log', 'A conversation’s log: offsets and sizes, never what is in it', [
    ['spillway log alice t_42', 'its first part that is kept'],
    ['spillway log alice t_42 --verify', 'is it whole? every offset once, in order, each run with one start and one end'],
  ])
    .argument('<user>')
    .argument('<conversation>')
    .option('--verify', 'reads all of it; exit status 1 if anything is wrong')
    .option('--from <offset>', 'begins there; default: the first that is kept')
    .option('-n <rows>', 'at most so many', '20')
    .action(onGateway(log));
}

interface Flags {
  readonly verify?: true;
  readonly from?: string;
  readonly n: string;
}
type Entry = ThreadLog['entries'][number];

const COLUMNS: readonly Column<Entry>[] = [
  { title: 'OFFSET', text: (e) => count(e.offset), raw: (e) => e.offset, right: true },
  { title: 'AT', text: (e) => instant(e.at), raw: (e) => isoInstant(e.at) },
  { title: 'KIND', text: (e) => e.kind },
  { title: 'TYPE', text: (e) => e.type ?? '-', raw: (e) => e.type, shrink: 10 },
  { title: 'SIZE', text: (e) => bytes(e.bytes), raw: (e) => e.bytes, right: true },
  { title: 'RUN', text: (e) => e.run ?? '-', raw: (e) => e.run, shrink: 11 },
  { title: 'CODEC', text: (e) => e.codec, drop: 1 },
];

async function log({ client, json, isTerminal, flags }: Job<Flags>, user: string, thread: string): Promise<void> {
  const from = flags.from === undefined ? {} : { from: offsetOf(flags.from) };
  const told = await client.threadLog(user, thread, { limit: Math.min(1_000, rowsOf(flags.n)), ...from, ...(flags.verify ? { verify: true } : {}) });
  if (told.verified !== null && told.verified.findings.length > 0) process.exitCode = EXIT.failed;
  if (json) printJson(told);
  else if (told.verified !== null) tellVerified(told, told.verified, isTerminal);
  else tellEntries(told, isTerminal);
}

const headOf = ({ user, thread, epoch, first, head, activeRun }: ThreadLog): string =>
  `${bold(thread)} of ${user}  epoch ${epoch}  offsets ${count(first)}…${count(head)}${activeRun === null ? '' : `  run ${activeRun} under way`}`;

function tellEntries(told: ThreadLog, isTerminal: boolean): void {
  if (isTerminal) print(headOf(told));
  printTable(COLUMNS, told.entries);
  if (isTerminal && told.nextFrom !== null) print(dim(`what follows: spillway log ${told.user} ${told.thread} --from ${told.nextFrom}`));
}

function tellVerified(told: ThreadLog, { checked, runs, findings, more }: NonNullable<ThreadLog['verified']>, isTerminal: boolean): void {
  if (!isTerminal) {
    printRows([
      ['checked', String(checked)],
      ['runs', String(runs)],
      ...findings.map(({ kind, offset, run, detail }) => [kind, String(offset), run ?? '', detail]),
    ]);
    return;
  }
  print(headOf(told));
  const read = `${counted(checked, 'entry', 'entries')} of ${counted(runs, 'run')} read`;
  if (findings.length === 0) {
    print(`${coloured('green', '✓')} whole: ${read}; every offset once and in order, every run with one start and one end`);
    return;
  }
  print(`${coloured('red', '✕')} ${read}; ${more ? 'more than ' : ''}${counted(findings.length, 'thing')} wrong:`);
  for (const { kind, offset, run, detail } of findings) print(`  ${bold(kind)} at ${offset}${run === null ? '' : ` (${run})`}: ${detail}`);
}

function offsetOf(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new SpillwayError('SPILLWAY_BAD_OPTION', `Expected \`--from\` to be an offset, a whole number, got \`${text}\``);
}
