import type { Evidence } from '../../admin/index.ts';
import { type Column, ID_COLUMNS } from './table.ts';
import { count, duration, paintVerdict, verdict } from './words.ts';

/** A manager as lists and explanations tell it; what a list leaves out is absent. */
export interface ToldManager {
  readonly managerId: string;
  readonly node: string;
  readonly userId: string;
  readonly verdict: string;
  readonly reason: string;
  readonly evidence: Evidence;
  readonly sinceMs: number;
  readonly tier: string;
  readonly label: string | null;
  readonly client: string;
  readonly seat: string;
  readonly connected: boolean;
  readonly pinned: boolean;
  readonly running: boolean;
  readonly quietMs: number;
  readonly openedAt: number;
  readonly goesAt: string | null;
  readonly text: string;
}

const ageOf = (manager: ToldManager, signal: string): number | null => manager.evidence.find((one) => one.signal === signal)?.ageMs ?? null;
export const unacked = (manager: ToldManager): number => manager.evidence.find(({ signal }) => signal === 'E1')?.value ?? 0;

/** At which level a manager would be given up, and what speaks for it. */
export const givenUpAt = ({ goesAt, text }: Pick<ToldManager, 'goesAt' | 'text'>): string => `${goesAt ?? 'never'}: ${text}`;

/** Columns about managers; `ofMany` names their users too. */
export function managerColumns(now: number, ofMany: boolean): readonly Column<ToldManager>[] {
  const user: Column<ToldManager> = { title: 'USER', text: (m) => m.userId, shrink: 12 };
  return [
    { title: 'MANAGER', text: (m) => m.managerId, shrink: ID_COLUMNS },
    ...(ofMany ? [user] : []),
    { title: 'VERDICT', text: (m) => verdict(m.verdict), raw: (m) => m.verdict, paint: (text, m) => paintVerdict(text, m.verdict) },
    { title: 'AGE', text: (m) => duration(now - m.openedAt), raw: (m) => now - m.openedAt, right: true, drop: 3 },
    { title: 'LAST ACK', text: (m) => duration(ageOf(m, 'E1')), raw: (m) => ageOf(m, 'E1'), right: true, drop: 1 },
    { title: 'UNACKED', text: (m) => count(unacked(m)), raw: unacked, right: true, drop: 1 },
    { title: 'PONG', text: (m) => duration(ageOf(m, 'E4')), raw: (m) => ageOf(m, 'E4'), right: true, drop: 2 },
    { title: 'CLIENT', text: (m) => m.label ?? m.client, shrink: 14, drop: 4 },
    { title: 'GIVEN UP AT', text: givenUpAt, shrink: 44 },
  ];
}

/** `15 zombie, 2 healthy`. */
export function byVerdict(managers: readonly { readonly verdict: string }[]): string {
  const counts = new Map<string, number>();
  for (const { verdict: name } of managers) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, n]) => `${n} ${name}`).join(', ');
}
