import type { Command } from 'commander';
import type { AdminStatus } from '../../admin/index.ts';
import { gatewayCommand, type Job, onGateway } from '../operator-command.ts';
import { bold, dim } from '../output/style.ts';
import { factLines } from '../output/table.ts';
import { count, counted, duration, instant, paintVerdict, verdict } from '../output/words.ts';
import { print, printJson, printLines, printRows } from '../terminal.ts';

/** `spillway status` */
export function statusCommand(): Command {
  return gatewayCommand('status', 'How a running gateway stands: seats, verdicts, queue, cleanup', [
    ['spillway status', 'of the gateway on this machine'],
    ['spillway status --json | jq .seats', 'one figure of it'],
  ]).action(onGateway(status));
}

async function status({ client, json, isTerminal }: Job): Promise<void> {
  const now = await client.status();
  if (json) return printJson(now);
  if (!isTerminal) return printRows(flat(now));
  print(`${bold(now.nodes.join(', '))}  Spillway ${now.version}  ${dim(instant(now.at))}`);
  printLines(factLines(facts(now)));
}

function facts(s: AdminStatus): (readonly [string, string])[] {
  const { limits, managersByVerdict, cleanupPasses, freed, lastCleanup } = s;
  const levels = (of: Readonly<Record<string, number>>): string =>
    Object.entries(of)
      .map(([level, n]) => `${level} ${count(n)}`)
      .join('  ');
  return [
    ['users', `${count(s.users)}, ${count(s.usersAtLimit)} of them with ${limits.perUser} seats or more`],
    [
      'seats',
      `${count(s.seats)} of ${count(limits.perNode * s.nodes.length)}  effective ${count(s.effective)}  sockets ${count(s.sockets)}  quarantined ${count(s.quarantined)}`,
    ],
    [
      'managers',
      Object.entries(managersByVerdict)
        .map(([name, n]) => paintVerdict(`${verdict(name)} ${count(n)}`, name))
        .join('  '),
    ],
    ['burst', `${counted(s.burst.active, 'user')} above the limit, ${count(s.burst.debt)} repaying`],
    ['queue', counted(s.queued, 'admission')],
    ...(s.storeFailOpen
      ? [['store', 'cannot be asked for seats: who has one keeps it, and newcomers are served by one node alone or try again'] as const]
      : []),
    ['cleanup', `passes  ${levels(cleanupPasses)}`],
    ['', `freed   ${levels(freed)}`],
    [
      '',
      lastCleanup === null
        ? 'none has freed anything yet'
        : `last ${duration(s.at - lastCleanup.at)} ago: ${lastCleanup.freed} freed at ${lastCleanup.level} in ${duration(lastCleanup.durationMs)}`,
    ],
    ['watch', s.cleanupHeartbeat === null ? 'has not come round yet' : `came round ${duration(s.at - s.cleanupHeartbeat)} ago`],
    [
      'since start',
      `${counted(s.created, 'manager')} made, ${counted(s.zombiesDetected, 'zombie')} found, ${count(s.evicted)} evicted, ${counted(s.regrets, 'regret')}, ${count(s.failedCleanups)} failed cleanups`,
    ],
  ];
}

/** Every figure under its path in the JSON. */
function flat(value: object, path = ''): string[][] {
  return Object.entries(value).flatMap(([name, inner]) =>
    typeof inner === 'object' && inner !== null ? flat(inner, `${path}${name}.`) : [[`${path}${name}`, inner === null ? '' : String(inner)]],
  );
}
