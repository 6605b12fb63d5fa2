import type { Command } from 'commander';
import type { AlertStatus } from '../../admin/index.ts';
import { gatewayCommand, type Job, onGateway } from '../operator-command.ts';
import { bold, wrapped } from '../output/style.ts';
import { type Column, terminalWidth } from '../output/table.ts';
import { duration, isoInstant, paintState } from '../output/words.ts';
import { printJson, printLines, printTable } from '../terminal.ts';

/** `spillway alerts` */
export function alertsCommand(): Command {
  return gatewayCommand('alerts', 'Every alert: firing, pending or quiet, with its value and what to do', [
    ['spillway alerts', 'what fires comes first'],
    ['spillway alerts --json | jq -r \'.alerts[] | select(.state == "firing") | .runbook\'', 'what to read now'],
  ]).action(onGateway(alerts));
}

const ORDER = { firing: 0, pending: 1, quiet: 2 } as const;

async function alerts({ client, json, isTerminal }: Job): Promise<void> {
  const answer = await client.alerts();
  if (json) return printJson(answer);
  const now = Date.now();
  const columns: readonly Column<AlertStatus>[] = [
    { title: 'STATE', text: (a) => a.state, paint: (text, a) => paintState(text, a.state) },
    { title: 'ALERT', text: (a) => a.alert },
    { title: 'SEVERITY', text: (a) => a.severity, drop: 2 },
    { title: 'VALUE', text: (a) => (a.value === null ? '-' : String(Number(a.value.toPrecision(4)))), raw: (a) => a.value, right: true },
    { title: 'THRESHOLD', text: (a) => a.threshold, shrink: 14 },
    { title: 'SINCE', text: (a) => (a.since === null ? '-' : duration(now - a.since)), raw: (a) => isoInstant(a.since), right: true, drop: 1 },
    { title: 'WHAT', text: (a) => a.summary, shrink: 20 },
    { title: 'RUNBOOK', text: (a) => a.runbook, drop: 3 },
  ];
  printTable(
    columns,
    answer.alerts.toSorted((a, b) => ORDER[a.state] - ORDER[b.state]),
  );
  if (isTerminal) printLines(answer.alerts.filter(({ state }) => state !== 'quiet').flatMap(adviceLines));
}

/** The whole sentence of one that is not quiet, and where it is told what to do. */
const adviceLines = ({ alert, state, summary, runbook }: AlertStatus): string[] => [
  '',
  `${paintState(state, state)} ${bold(alert)}`,
  ...wrapped(summary, terminalWidth(), '  '),
  `  what to do: ${runbook}`,
];
