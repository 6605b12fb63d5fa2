import type { Command } from 'commander';
import type { AuditEntry } from '../../admin/index.ts';
import { gatewayCommand, type Job, onGateway } from '../operator-command.ts';
import { type Column, withNodes } from '../output/table.ts';
import { instant, isoInstant, paintState } from '../output/words.ts';
import { everyPage } from '../pages.ts';
import { printJson, printTable, say } from '../terminal.ts';
import { sinceOf } from '../times.ts';

/** `spillway audit` */
export function auditCommand(): Command {
  return gatewayCommand('audit', 'What operators did, and what was refused to them, newest first', [['spillway audit --since 1d', 'of the last day']])
    .option('--since <time>', 'an instant, or how long ago')
    .option('-n <rows>', 'at most so many', '50')
    .action(onGateway(audit));
}

const COLUMNS: readonly Column<AuditEntry>[] = [
  { title: 'WHEN', text: (e) => instant(e.at), raw: (e) => isoInstant(e.at) },
  { title: 'ROLE', text: (e) => e.role },
  { title: 'ACTION', text: (e) => e.action },
  { title: 'TARGET', text: (e) => e.target, shrink: 16 },
  { title: 'OUTCOME', text: (e) => e.outcome, paint: (text, e) => paintState(text, e.outcome) },
  { title: 'REASON', text: (e) => e.reason, shrink: 12 },
  { title: 'DETAIL', text: (e) => e.detail, shrink: 12, drop: 1 },
];

async function audit({ client, json, isTerminal, late, flags: { since, n } }: Job<{ readonly since?: string; readonly n: string }>): Promise<void> {
  const filter = since === undefined ? {} : { since: sinceOf(since) };
  const entries = await everyPage((query) => client.audit({ ...query, ...filter }).then((page) => ({ items: page.entries, next: page.nextCursor })), n, 200);
  if (json) return printJson({ entries, nextCursor: null, unanswered: [...late] });
  if (entries.length === 0 && isTerminal) return say('No operator has changed anything.');
  printTable(withNodes(COLUMNS, entries), entries);
}
