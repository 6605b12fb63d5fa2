import { Command } from 'commander';
import type { NodeStatus } from '../../admin/index.ts';
import { agreed, type ChangeFlags, reasonOf, withChangeFlags } from '../confirm.ts';
import { EXIT } from '../exit-codes.ts';
import { gatewayCommand, type Job, onGateway } from '../operator-command.ts';
import type { Column } from '../output/table.ts';
import { bytes, count, duration, paintState } from '../output/words.ts';
import { printJson, printTable, say } from '../terminal.ts';
import { durationOf } from '../times.ts';

/** `spillway nodes list|drain` */
export function nodesCommand(): Command {
  const nodes = new Command('nodes').description('The gateways that share a store');
  nodes.addCommand(gatewayCommand('list', 'Each node and how it stands', [['spillway nodes list', 'all of them']]).action(onGateway(list)));
  nodes.addCommand(
    withChangeFlags(
      gatewayCommand('drain', 'Moves a node’s clients away; nothing is lost', [
        ['spillway nodes drain gw-2 --reason "kernel update"', 'its clients go to the others, one by one'],
      ])
        .argument('<node>')
        .option('--timeout <time>', 'how long answers under way may take; default: `shutdown.timeoutMs`'),
    ).action(onGateway(drain)),
  );
  return nodes;
}

const COLUMNS: readonly Column<NodeStatus>[] = [
  { title: 'NODE', text: (n) => n.node },
  { title: 'STATE', text: (n) => n.state, paint: (text, n) => paintState(text, n.state) },
  { title: 'MANAGERS', text: (n) => count(n.managers), raw: (n) => n.managers, right: true },
  { title: 'ZOMBIES', text: (n) => (n.zombies === null ? '-' : count(n.zombies)), raw: (n) => n.zombies, right: true },
  { title: 'CPU', text: (n) => (n.cpuShare === null ? '-' : `${Math.round(n.cpuShare * 100)}%`), raw: (n) => n.cpuShare, right: true, drop: 1 },
  { title: 'LOOP P99', text: (n) => duration(n.loopP99Ms), raw: (n) => n.loopP99Ms, right: true, drop: 2 },
  { title: 'RSS', text: (n) => bytes(n.rssBytes), raw: (n) => n.rssBytes, right: true, drop: 3 },
  { title: 'STORE', text: (n) => duration(n.storeMs), raw: (n) => n.storeMs, right: true, drop: 4 },
  { title: 'LEASE', text: (n) => duration(n.leaseMs), raw: (n) => n.leaseMs, right: true, drop: 5 },
  { title: 'VERSION', text: (n) => n.version, drop: 6 },
];

async function list({ client, json }: Job): Promise<void> {
  const answer = await client.nodes();
  if (json) return printJson(answer);
  printTable(COLUMNS, answer.nodes);
}

type DrainFlags = ChangeFlags & { readonly timeout?: string };

async function drain({ client, json, flags }: Job<DrainFlags>, node: string): Promise<void> {
  const { nodes } = await client.nodes();
  const known = nodes.find((one) => one.node === node);
  if (known !== undefined)
    say(`${node} is ${known.state} with ${count(known.managers)} managers. Their clients move away one by one, and it takes no new ones.`);
  if (!(await agreed(flags, `Drain ${node}?`))) {
    process.exitCode = EXIT.failed;
    return;
  }
  const timeout = flags.timeout === undefined ? {} : { timeoutMs: durationOf('--timeout', flags.timeout) };
  const answer = await client.drainNode(node, { ...timeout, reason: reasonOf(flags, 'spillway nodes drain') });
  if (json) printJson(answer);
  say(`${node} drains. To follow it: spillway nodes list`);
}
