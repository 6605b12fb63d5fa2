import { Command } from 'commander';
import type { QueuedTicket } from '../../admin/index.ts';
import { gatewayCommand, type Job, onGateway } from '../operator-command.ts';
import { type Column, ID_COLUMNS, withNodes } from '../output/table.ts';
import { duration } from '../output/words.ts';
import { printJson, printTable, say } from '../terminal.ts';

/** `spillway queue list` */
export function queueCommand(): Command {
  const queue = new Command('queue').description('Who waits for a seat');
  queue.addCommand(
    gatewayCommand('list', 'Who waits for a seat, in users’ queues and at a full node', [['spillway queue list', 'everybody who waits']]).action(
      onGateway(list),
    ),
  );
  return queue;
}

const COLUMNS: readonly Column<QueuedTicket>[] = [
  { title: 'MANAGER', text: (t) => t.manager, shrink: ID_COLUMNS },
  { title: 'USER', text: (t) => t.user, shrink: 12 },
  { title: 'TIER', text: (t) => t.tier, drop: 2 },
  { title: 'WAITS AT', text: (t) => (t.at === 'queue' ? 'own queue' : 'full node'), raw: (t) => t.at },
  { title: 'FOR', text: (t) => (t.class === 'user' ? 'a person' : 'its program'), raw: (t) => t.class, drop: 1 },
  { title: 'PLACE', text: (t) => String(t.position), right: true },
  { title: 'SEATED IN ABOUT', text: (t) => duration(t.etaMs), raw: (t) => t.etaMs, right: true },
  { title: 'AT THE LATEST IN', text: (t) => duration(t.deadlineMs), raw: (t) => t.deadlineMs, right: true },
];

async function list({ client, json, isTerminal }: Job): Promise<void> {
  const answer = await client.queue();
  if (json) return printJson(answer);
  if (answer.queued.length === 0 && isTerminal) return say('Nobody waits.');
  printTable(withNodes(COLUMNS, answer.queued), answer.queued);
}
