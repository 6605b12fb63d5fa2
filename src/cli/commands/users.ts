import { Command } from 'commander';
import type { CleanupPlan, UserReport, UserSummary } from '../../admin/index.ts';
import { SpillwayError } from '../../protocol/errors.ts';
import { closedLately, closedLines } from '../closings.ts';
import { agreed, type ChangeFlags, reasonOf, withChangeFlags } from '../confirm.ts';
import { EXIT } from '../exit-codes.ts';
import { gatewayCommand, type Job, onGateway } from '../operator-command.ts';
import { byVerdict, managerColumns } from '../output/managers.ts';
import { planLines, victimsOf, victimTable } from '../output/plans.ts';
import { bold, dim } from '../output/style.ts';
import { type Column, withNodes } from '../output/table.ts';
import { counted, duration } from '../output/words.ts';
import { everyPage } from '../pages.ts';
import { print, printJson, printLines, printTable, say } from '../terminal.ts';
import { wholeManager } from '../whole-id.ts';

/** `spillway users list|show|free|tier` */
export function usersCommand(): Command {
  const users = new Command('users').description('Who holds seats, why, and how to free some');
  users.addCommand(
    gatewayCommand('list', 'Users that hold or wait for a seat', [['spillway users list', 'all of them']])
      .option('-n <rows>', 'at most so many')
      .action(onGateway(list)),
  );
  users.addCommand(
    gatewayCommand('show', 'A user’s room, each of the user’s sessions with its verdict and why, and who was closed lately', [
      ['spillway users show alice', 'why is alice at her limit? who was closed, and why?'],
      ['spillway users show alice --all', 'every session, however many'],
    ])
      .argument('<user>')
      .option('--all', 'every session, not the first 20')
      .action(onGateway(show)),
  );
  users.addCommand(
    withChangeFlags(
      gatewayCommand('free', 'Frees seats of a user: shows who would go, asks, and frees exactly those', [
        ['spillway users free alice --unresponsive', 'exactly the dead'],
        ['spillway users free alice --manager mgr_…', 'one session'],
      ])
        .argument('<user>')
        .option('--unresponsive', 'those that are proved dead')
        .option('--manager <id...>', 'these'),
    ).action(onGateway(free)),
  );
  users.addCommand(
    withChangeFlags(
      gatewayCommand('tier', 'Gives a user another tier, until the nodes restart', [
        ['spillway users tier alice enterprise', 'for new admissions, and for those who wait at a full node'],
        ['spillway users tier alice --reset', 'the one in her credential again'],
      ])
        .argument('<user>')
        .argument('[tier]')
        .option('--reset', 'the tier of the credential counts again'),
    ).action(onGateway(tier)),
  );
  return users;
}

const LIST: readonly Column<UserSummary>[] = [
  { title: 'USER', text: (u) => u.user, shrink: 16 },
  { title: 'TIER', text: (u) => u.tier },
  { title: 'SEATS', text: (u) => String(u.seats), right: true },
  { title: 'EFFECTIVE', text: (u) => String(u.effective), right: true },
  { title: 'SOCKETS', text: (u) => String(u.sockets), right: true, drop: 2 },
  { title: 'QUEUED', text: (u) => String(u.queued), right: true, drop: 1 },
  { title: 'ZOMBIES', text: (u) => String(u.verdicts.zombie), right: true },
  { title: 'NODES', text: (u) => u.nodes.join(','), drop: 3 },
];

async function list({ client, json, isTerminal, late, flags }: Job<{ readonly n?: string }>): Promise<void> {
  const users = await everyPage((query) => client.users(query).then((page) => ({ items: page.users, next: page.nextCursor })), flags.n);
  if (json) return printJson({ users, nextCursor: null, unanswered: [...late] });
  if (users.length === 0 && isTerminal) return say('Nobody holds a seat, and nobody waits for one.');
  printTable(LIST, users);
}

/** Sessions shown on a terminal unless all are asked for. */
const SHOWN = 20;

async function show({ client, json, isTerminal, flags }: Job<{ readonly all?: true }>, id: string): Promise<void> {
  const [user, closed] = await Promise.all([client.user(id).catch(orGone(isTerminal)), json ? [] : closedLately(client, { user: id })]);
  const now = Date.now();
  if (json) return printJson(user);
  if (user === null && closed.length === 0) {
    say(`spillway: User ${id} holds no seat here, waits for none, and none was closed lately.`);
    process.exitCode = EXIT.failed;
    return;
  }
  if (!isTerminal) return printTable(withNodes(managerColumns(now, false), user?.managers ?? []), user?.managers ?? []);
  print(user === null ? `${bold(id)}  holds no seat now` : headOf(user, now));
  if (user !== null) {
    const shown = flags.all ? user.managers : user.managers.slice(0, SHOWN);
    printTable(withNodes(managerColumns(now, false), user.managers), shown);
    const rest = user.managers.slice(shown.length);
    if (rest.length > 0) print(`… ${rest.length} more (${byVerdict(rest)})        all: spillway users show ${id} --all`);
    if (user.effective < user.seats) print(dim(`free the dead: spillway users free ${id} --unresponsive`));
  }
  printLines(closedLines(closed, now));
}

/** Somebody without a seat may still have been closed lately; for programs it is a refusal. */
const orGone =
  (isTerminal: boolean) =>
  (error: unknown): null => {
    if (isTerminal && (error as { code?: string }).code === 'not-found') return null;
    throw error;
  };

function headOf({ user, tier, seats, limit, effective, sockets, quarantined, burst, queued }: UserReport, now: number): string {
  const parts = [`tier ${tier}`, `seats ${seats}/${limit} (effective ${effective})`, `sockets ${sockets}`, burstOf(burst, now), `queue ${queued.length}`];
  if (quarantined > 0) parts.push(`quarantined ${quarantined}`);
  return [bold(user), ...parts].join('  ');
}

function burstOf(burst: UserReport['burst'], now: number): string {
  const left = burst.until === undefined ? '' : ` for ${duration(Math.max(0, burst.until - now))}`;
  switch (burst.in) {
    case 'none':
      return 'burst available';
    case 'active':
      return `burst active${left}`;
    case 'debt':
      return 'burst being repaid';
    case 'cooldown':
      return `burst rests${left}`;
  }
}

type FreeFlags = ChangeFlags & { readonly unresponsive?: true; readonly manager?: readonly string[] };

async function free(job: Job<FreeFlags>, user: string): Promise<void> {
  const { unresponsive, manager: ids } = job.flags;
  if ((unresponsive === true) === (ids !== undefined))
    throw new SpillwayError(
      'SPILLWAY_BAD_OPTION',
      `Expected one of \`--unresponsive\` (exactly the dead) and \`--manager ID\`, got ${unresponsive ? 'both' : 'neither'}`,
    );
  await (ids === undefined ? freeDead(job, user) : freeNamed(job, user, ids));
}

async function freeDead({ client, json, flags }: Job<FreeFlags>, user: string): Promise<void> {
  // With no seat needed, a plan holds exactly the dead, at whatever level.
  const plan: CleanupPlan = await client.planCleanup({ user, need: 0 });
  const dead = victimsOf(plan, 'aggressive');
  if (dead.length === 0) {
    if (json) printJson({ freed: [], kept: plan.levels[0]?.examined ?? 0, run: null, unanswered: [] });
    say(`Nobody of ${user}’s ${counted(plan.levels[0]?.examined ?? 0, 'session')} is proved dead; nothing was changed.`);
    return;
  }
  for (const line of [...planLines(plan, 'aggressive'), ...victimTable(dead, true)]) say(line);
  if (!(await agreed(flags, `Free ${dead.length === 1 ? 'this one' : `these ${dead.length}`}?`))) {
    process.exitCode = EXIT.failed;
    return;
  }
  const { cleanup } = await client.runPlan({ planId: plan.planId, level: 'aggressive', reason: reasonOf(flags, 'spillway users free --unresponsive') });
  const freed = cleanup.victims.map(({ managerId }) => managerId);
  if (json) printJson({ freed, kept: cleanup.after, run: cleanup.run, unanswered: [] });
  else printLines(freed);
  say(`${counted(freed.length, 'seat')} freed, ${cleanup.after} kept. Who, and on what evidence: spillway cleanup show ${cleanup.run}`);
  if (freed.length < dead.length) process.exitCode = EXIT.partly;
}

async function freeNamed({ client, json, flags }: Job<FreeFlags>, user: string, given: readonly string[]): Promise<void> {
  const ids = await Promise.all(given.map((id) => wholeManager(client, id)));
  const known = await Promise.all(ids.map((id) => client.explain(id)));
  for (const { managerId, verdict, text } of known) say(`${managerId}  ${verdict}: ${text}`);
  if (!(await agreed(flags, `Free ${known.length === 1 ? 'this one' : `these ${known.length}`}?`))) {
    process.exitCode = EXIT.failed;
    return;
  }
  const answer = await client.freeUser(user, { managers: ids, reason: reasonOf(flags, 'spillway users free --manager') });
  if (json) printJson(answer);
  else printLines(answer.freed);
  say(`${counted(answer.freed.length, 'seat')} freed, ${answer.kept} kept.`);
  if (answer.freed.length < ids.length) process.exitCode = EXIT.partly;
}

async function tier({ client, json, flags }: Job<ChangeFlags & { readonly reset?: true }>, user: string, name?: string): Promise<void> {
  if ((name === undefined) !== (flags.reset === true))
    throw new SpillwayError('SPILLWAY_BAD_OPTION', `Expected a tier or \`--reset\`, got ${name === undefined ? 'neither' : 'both'}`);
  const answer = await client.setTier(user, { tier: name ?? null, reason: reasonOf(flags, 'spillway users tier') });
  if (json) printJson(answer);
  say(
    name === undefined
      ? `For ${user} the tier of the credential counts again.`
      : `${user} has tier ${name} until the node restarts; those that start later know nothing of it.`,
  );
}
