import { Command } from 'commander';
import { AdminProblem, type ManagerExplanation } from '../../admin/index.ts';
import { becauseOf, closedLately } from '../closings.ts';
import { agreed, type ChangeFlags, reasonOf, withChangeFlags } from '../confirm.ts';
import { EXIT } from '../exit-codes.ts';
import { gatewayCommand, type Job, onGateway } from '../operator-command.ts';
import { explanationLines, explanationRows } from '../output/explanation.ts';
import { managerColumns, unacked } from '../output/managers.ts';
import { bold, dim, harmless } from '../output/style.ts';
import { factLines, withNodes } from '../output/table.ts';
import { count, duration, instant, verdict } from '../output/words.ts';
import { everyPage } from '../pages.ts';
import { print, printJson, printLines, printRows, printTable, say } from '../terminal.ts';
import { wholeManager } from '../whole-id.ts';

/** `spillway managers list|show|explain|probe|evict` */
export function managersCommand(): Command {
  const managers = new Command('managers').description('One session each: what it is, why, and how to end it');
  managers.addCommand(
    gatewayCommand('list', 'Sessions that hold a seat', [
      ['spillway managers list --verdict zombie', 'those that are found dead'],
      ['spillway managers list --user alice', 'those of one user'],
    ])
      .option('--user <id>', 'of this user')
      .option('--verdict <verdict>', 'healthy, idle, suspect, zombie, inactive or unknown')
      .option('-n <rows>', 'at most so many')
      .action(onGateway(list)),
  );
  managers.addCommand(
    gatewayCommand('show', 'One session', [['spillway managers show mgr_…', 'what it is']])
      .argument('<id>')
      .action(onGateway(show)),
  );
  managers.addCommand(
    gatewayCommand('explain', 'Why it is what it is, when it would be given up, or why it was closed', [
      ['spillway managers explain mgr_…', 'its verdict, the evidence, and what each cleanup level would do to it'],
    ])
      .argument('<id>')
      .action(onGateway(explain)),
  );
  managers.addCommand(
    gatewayCommand('probe', 'Asks it for a sign of life now, then explains it', [['spillway managers probe mgr_…', 'is its page there?']])
      .argument('<id>')
      .action(onGateway(probe)),
  );
  managers.addCommand(
    withChangeFlags(
      gatewayCommand('evict', 'Takes its seat; nothing of its conversations is lost', [
        ['spillway managers evict mgr_… --reason "seen in ticket 42"', 'its client may come back when its person asks'],
      ])
        .argument('<id>')
        .option('--override', 'takes a pinned one too'),
    ).action(onGateway(evict)),
  );
  return managers;
}

type ListFlags = { readonly user?: string; readonly verdict?: string; readonly n?: string };

async function list({ client, json, isTerminal, late, flags: { user, verdict: name, n } }: Job<ListFlags>): Promise<void> {
  const filter = { ...(user === undefined ? {} : { user }), ...(name === undefined ? {} : { verdict: name }) };
  const managers = await everyPage((query) => client.managers({ ...query, ...filter }).then((page) => ({ items: page.managers, next: page.nextCursor })), n);
  if (json) return printJson({ managers, nextCursor: null, unanswered: [...late] });
  if (managers.length === 0 && isTerminal) return say('No session holds a seat that fits.');
  printTable(withNodes(managerColumns(Date.now(), true), managers), managers);
}

async function show({ client, json, isTerminal }: Job, id: string): Promise<void> {
  const manager = await client.manager(await wholeManager(client, id));
  if (json) return printJson(manager);
  const facts: (readonly [string, string])[] = [
    ['user', harmless(`${manager.userId} (${manager.tier})`)],
    ['client', harmless(manager.label === null ? manager.client : `${manager.client}, ${manager.label}`)],
    ['verdict', `${verdict(manager.verdict)} for ${duration(manager.sinceMs)}: ${manager.reason}`],
    ['in words', manager.text],
    ['seat', `${manager.seat}, held by ${manager.node}`],
    ['connected', yesNo(manager.connected)],
    ['run', manager.running ? 'an answer is being written' : 'none'],
    ['unacked', count(unacked(manager))],
    ['quiet for', duration(manager.quietMs)],
    ['open since', instant(manager.openedAt)],
    ['given up at', manager.goesAt ?? 'never'],
    ['conversations', manager.threads.join(', ') || 'none'],
  ];
  if (!isTerminal) return printRows([['manager', manager.managerId], ...facts.map((fact) => [...fact])]);
  print(bold(manager.managerId));
  printLines(factLines(facts));
  print(dim(`why: spillway managers explain ${manager.managerId}`));
}

async function explain(job: Job, given: string): Promise<void> {
  const id = await wholeManager(job.client, given);
  try {
    tellExplanation(job, await job.client.explain(id));
  } catch (error) {
    if (!AdminProblem.is(error) || error.code !== 'not-found' || job.json) throw error;
    await explainClosed(job, id, error);
  }
}

async function probe(job: Job, given: string): Promise<void> {
  const id = await wholeManager(job.client, given);
  const before = await job.client.explain(id);
  const after = await job.client.probe(id);
  tellExplanation(job, after);
  if (!job.json && before.verdict !== after.verdict) say(`It was ${before.verdict} before.`);
}

function tellExplanation({ json, isTerminal }: Job, told: ManagerExplanation): void {
  if (json) printJson(told);
  else if (isTerminal) printLines(explanationLines(told));
  else printRows(explanationRows(told));
}

/** It holds no seat any more: when and why it lost it. */
async function explainClosed({ client, isTerminal }: Job, id: string, problem: AdminProblem): Promise<void> {
  const [closing] = await closedLately(client, { manager: id }, 1);
  if (closing === undefined) throw problem;
  if (!isTerminal)
    return printRows([
      ['manager', id],
      ['user', closing.user],
      ['closed', String(closing.at)],
      ['reason', closing.reason],
      ['text', becauseOf(closing)],
      ['cleanup', closing.run ?? ''],
    ]);
  print(`${bold(id)}  ${closing.user}  closed ${instant(closing.at)}: ${closing.reason}`);
  print(`  ${becauseOf(closing)}`);
  if (closing.run !== null) print(dim(`the whole record: spillway cleanup show ${closing.run}`));
}

type EvictFlags = ChangeFlags & { readonly override?: true };

async function evict(job: Job<EvictFlags>, given: string): Promise<void> {
  const { client, json, flags } = job;
  const id = await wholeManager(client, given);
  const told = await client.explain(id);
  say(`${told.managerId}  ${told.userId}  ${verdict(told.verdict)}: ${told.text}`);
  if (!(await agreed(flags, 'Take its seat?'))) {
    process.exitCode = EXIT.failed;
    return;
  }
  const answer = await client.evict(id, { reason: reasonOf(flags, 'spillway managers evict'), ...(flags.override ? { overrideProtection: true } : {}) });
  if (json) printJson(answer);
  else printLines(answer.freed);
  say('Its seat is free; nothing of its conversations is lost.');
}

const yesNo = (value: boolean): string => (value ? 'yes' : 'no');
