import type { ManagerExplanation } from '../../admin/index.ts';
import { bold, dim } from './style.ts';
import { factLines, tableLines } from './table.ts';
import { count, duration, paintVerdict, SIGNALS, verdict } from './words.ts';

/** Why a manager is what it is, for people. */
export function explanationLines(told: ManagerExplanation): string[] {
  const levels = told.kept.map(({ level, because }) => [level, `keeps it: ${because}`] as const);
  const fate: readonly [string, string] =
    told.goesAt === null ? ['then', 'no level may take it'] : [told.goesAt, 'takes it, if a seat is needed and nobody cheaper is there'];
  return [
    `${bold(told.managerId)}  ${told.userId} (${told.tier})  ${paintVerdict(verdict(told.verdict), told.verdict)} for ${duration(told.sinceMs)}: ${told.reason}`,
    `  ${told.text}`,
    '',
    ...evidenceLines(told.evidence),
    '',
    ...factLines([...levels, fate]),
    dim(`${told.rank.position} of ${told.rank.of} in the order in which ${told.userId}’s sessions would go`),
  ];
}

function evidenceLines(evidence: ManagerExplanation['evidence']): string[] {
  if (evidence.length === 0) return ['no evidence yet'];
  return tableLines(
    [
      { title: 'EVIDENCE', text: ({ signal }) => `${signal} ${SIGNALS[signal] ?? ''}` },
      { title: 'WHEN', text: ({ ageMs }) => (ageMs < 50 ? 'now' : `${duration(ageMs)} ago`), right: true },
      { title: '', text: ({ signal, value }) => (signal === 'E1' && value !== undefined ? `${count(value)} owed` : '') },
    ],
    evidence,
    { isTerminal: true },
  );
}

/** The same for programs: a name and its values a line. */
export function explanationRows(told: ManagerExplanation): string[][] {
  return [
    ['manager', told.managerId],
    ['user', told.userId],
    ['verdict', told.verdict],
    ['reason', told.reason],
    ['text', told.text],
    ['rank', `${told.rank.position}/${told.rank.of}`],
    ...told.evidence.map(({ signal, ageMs, value }) => ['evidence', signal, String(ageMs), value === undefined ? '' : String(value)]),
    ...told.kept.map(({ level, because }) => ['kept', level, because]),
    ['goes-at', told.goesAt ?? ''],
  ];
}
