import { Command } from 'commander';
import type { CleanupLevelName, CleanupRecord, PastCleanup } from '../../admin/index.ts';
import { SpillwayError } from '../../protocol/errors.ts';
import { agreed, type ChangeFlags, reasonOf, withChangeFlags } from '../confirm.ts';
import { EXIT } from '../exit-codes.ts';
import { gatewayCommand, type Job, onGateway } from '../operator-command.ts';
import { evidenceOf, planLines, victimsOf, victimTable } from '../output/plans.ts';
import { bold, dim } from '../output/style.ts';
import { type Column, ID_COLUMNS, withNodes } from '../output/table.ts';
import { counted, duration, instant, isoInstant, paintState, paintVerdict, verdict } from '../output/words.ts';
import { everyPage } from '../pages.ts';
import { print, printJson, printLines, printTable, say } from '../terminal.ts';
import { sinceOf } from '../times.ts';
import { wholeRun } from '../whole-id.ts';

/** `spillway cleanup plan|run|history|show` */
export function cleanupCommand(): Command {
  const cleanup = new Command('cleanup').description('What a cleanup would do, doing it, and what was done and why');
  const need = '--need <seats>';
  cleanup.addCommand(
    gatewayCommand('plan', 'A dry run for one user: who would go at each level. It changes nothing', [
      ['spillway cleanup plan alice', 'if she needed one seat more'],
    ])
      .argument('<user>')
      .option(need, 'seats wanted; 0: only the dead go', '1')
      .action(onGateway(plan)),
  );
  cleanup.addCommand(
    withChangeFlags(
      gatewayCommand('run', 'Shows the plan, asks, and carries out exactly that', [
        ['spillway cleanup run alice', 'as far as the plan says'],
        ['spillway cleanup run alice --level moderate --yes', 'in a script'],
      ])
        .argument('<user>')
        .option('--level <level>', 'how far it may go: conservative, moderate, aggressive or force')
        .option(need, 'seats wanted; 0: only the dead go', '1'),
    ).action(onGateway(run)),
  );
  cleanup.addCommand(
    gatewayCommand('history', 'Cleanups that were, newest first', [['spillway cleanup history --since 1h --user alice', 'of one user, in the last hour']])
      .option('--since <time>', 'an instant, or how long ago: 1h, 30min')
      .option('--user <id>', 'of this user')
      .option('-n <rows>', 'at most so many', '50')
      .action(onGateway(history)),
  );
  cleanup.addCommand(
    gatewayCommand('show', 'One cleanup: who went, who stayed, and on what evidence', [['spillway cleanup show cln_…', 'why was this session closed?']])
      .argument('<run>')
      .action(onGateway(show)),
  );
  return cleanup;
}

async function plan({ client, json, isTerminal, flags }: Job<{ readonly need: string }>, user: string): Promise<void> {
  const planned = await client.planCleanup({ user, need: seatsOf(flags.need) });
  if (json) return printJson(planned);
  const victims = victimsOf(planned, planned.stopsAt ?? 'force');
  if (!isTerminal) return printLines(victimTable(victims));
  printLines(planLines(planned));
  if (victims.length > 0) printLines(['', ...victimTable(victims), '']);
  say('plan valid 30 s; nothing was changed');
}

type RunFlags = ChangeFlags & { readonly level?: string; readonly need: string };

async function run({ client, json, flags }: Job<RunFlags>, user: string): Promise<void> {
  const planned = await client.planCleanup({ user, need: seatsOf(flags.need) });
  const level = flags.level === undefined ? planned.stopsAt : levelOf(flags.level);
  for (const line of planLines(planned, level)) say(line);
  if (level === null) {
    say('Nothing was changed. To take them all the same: --level force');
    process.exitCode = EXIT.refused;
    return;
  }
  const victims = victimsOf(planned, level);
  for (const line of victimTable(victims, true)) say(line);
  if (victims.length > 0 && !(await agreed(flags, `Free ${victims.length === 1 ? 'this one' : `these ${victims.length}`}?`))) {
    process.exitCode = EXIT.failed;
    return;
  }
  const done = await client.runPlan({ planId: planned.planId, level, reason: reasonOf(flags, 'spillway cleanup run') });
  if (json) printJson(done);
  else printLines(done.cleanup.victims.map(({ managerId }) => managerId));
  say(`${summaryOf(done.cleanup)}. The record: spillway cleanup show ${done.cleanup.run}`);
  process.exitCode = exitOf(done.cleanup);
}

const exitOf = ({ result, victims }: CleanupRecord): number =>
  result === 'enough' ? EXIT.done : result === 'short' && victims.length > 0 ? EXIT.partly : EXIT.failed;

const deepest = ({ levels }: CleanupRecord): string => levels.at(-1)?.level ?? 'no level';
const summaryOf = (record: CleanupRecord): string =>
  `freed ${record.victims.length} of ${counted(record.before, 'session')} of ${record.user} at ${deepest(record)} in ${duration(record.durationMs)}`;

const HISTORY: readonly Column<PastCleanup>[] = [
  { title: 'WHEN', text: ({ at }) => instant(at), raw: ({ at }) => isoInstant(at) },
  { title: 'CLEANUP', text: ({ cleanup }) => cleanup.run },
  { title: 'USER', text: ({ cleanup }) => cleanup.user, shrink: 10 },
  { title: 'TRIGGER', text: ({ cleanup }) => cleanup.trigger, drop: 2 },
  { title: 'LEVEL', text: ({ cleanup }) => deepest(cleanup), drop: 1 },
  { title: 'FREED', text: ({ cleanup }) => `${cleanup.victims.length}/${cleanup.before}`, raw: ({ cleanup }) => cleanup.victims.length, right: true },
  { title: 'RESULT', text: ({ cleanup }) => cleanup.result, paint: (text, { cleanup }) => paintState(text, cleanup.result) },
  { title: 'TOOK', text: ({ cleanup }) => duration(cleanup.durationMs), raw: ({ cleanup }) => cleanup.durationMs, right: true, drop: 3 },
  { title: 'WHY', text: reasonsOf, shrink: 12 },
];

/** `15 ack-timeout, 1 transport-lost`. */
function reasonsOf({ cleanup }: PastCleanup): string {
  const counts = new Map<string, number>();
  for (const { reason } of cleanup.victims) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].map(([reason, n]) => `${n} ${reason}`).join(', ') || '-';
}

type HistoryFlags = { readonly since?: string; readonly user?: string; readonly n: string };

async function history({ client, json, isTerminal, late, flags: { since, user, n } }: Job<HistoryFlags>): Promise<void> {
  const filter = { ...(user === undefined ? {} : { user }), ...(since === undefined ? {} : { since: sinceOf(since) }) };
  const cleanups = await everyPage(
    (query) => client.cleanups({ ...query, ...filter }).then((page) => ({ items: page.cleanups, next: page.nextCursor })),
    n,
    200,
  );
  if (json) return printJson({ cleanups, nextCursor: null, unanswered: [...late] });
  if (cleanups.length === 0 && isTerminal) return say('No cleanup is known; the last 1,000 of this process would be.');
  printTable(withNodes(HISTORY, cleanups), cleanups);
  const [newest] = cleanups;
  if (isTerminal && newest !== undefined) print(dim(`who went, who stayed, and why: spillway cleanup show ${newest.cleanup.run}`));
}

interface Fate {
  readonly managerId: string;
  readonly verdict: string;
  readonly fate: string;
  readonly reason: string;
  readonly text: string;
}

async function show({ client, json, isTerminal }: Job, id: string): Promise<void> {
  const past = await client.cleanup(await wholeRun(client, id));
  if (json) return printJson(past);
  const { at, cleanup } = past;
  const fates: Fate[] = [
    ...cleanup.victims.map((v) => ({ ...v, fate: v.level, text: v.text || evidenceOf(v) })),
    ...cleanup.kept.map((k) => ({ ...k, fate: 'kept', reason: k.because })),
  ];
  const columns: readonly Column<Fate>[] = [
    { title: 'MANAGER', text: (f) => f.managerId, shrink: ID_COLUMNS },
    { title: 'WENT AT', text: (f) => f.fate, paint: (text, f) => (f.fate === 'kept' ? dim(text) : bold(text)) },
    { title: 'VERDICT', text: (f) => verdict(f.verdict), raw: (f) => f.verdict, paint: (text, f) => paintVerdict(text, f.verdict) },
    { title: 'REASON', text: (f) => f.reason },
    { title: 'EVIDENCE THEN', text: (f) => f.text, shrink: 20 },
  ];
  if (!isTerminal) return printTable(columns, fates);
  print(`${bold(cleanup.run)}  ${cleanup.user}  ${instant(at)}  trigger: ${triggerOf(cleanup)}  ${paintState(cleanup.result, cleanup.result)}`);
  for (const level of cleanup.levels)
    print(`  ${level.level.padEnd(12)}  examined ${level.examined}  freed ${level.freed}  ${level.result}  ${duration(level.durationMs)}`);
  print(`  seats ${cleanup.before} -> ${cleanup.after} in ${duration(cleanup.durationMs)}`);
  print('');
  printTable(columns, fates);
}

const triggerOf = ({ trigger, admissions }: CleanupRecord): string =>
  admissions.length === 0 ? trigger : `${trigger} of ${admissions.slice(0, 3).join(', ')}${admissions.length > 3 ? ` and ${admissions.length - 3} more` : ''}`;

const LEVELS: readonly CleanupLevelName[] = ['conservative', 'moderate', 'aggressive', 'force'];

function levelOf(text: string): CleanupLevelName {
  const level = LEVELS.find((one) => one === text);
  if (level !== undefined) return level;
  throw new SpillwayError('SPILLWAY_BAD_OPTION', `Expected \`--level\` to be one of ${LEVELS.join(', ')}, got \`${text}\``);
}

function seatsOf(text: string): number {
  if (/^\d{1,4}$/.test(text) && Number(text) <= 1_000) return Number(text);
  throw new SpillwayError('SPILLWAY_BAD_OPTION', `Expected \`--need\` to be a number of seats from 0 to 1000, got \`${text}\``);
}
