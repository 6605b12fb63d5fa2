import type { CleanupLevelName, CleanupPlan } from '../../admin/index.ts';
import { bold } from './style.ts';
import { ID_COLUMNS, tableLines } from './table.ts';
import { duration, paintVerdict, verdict } from './words.ts';

type Victim = CleanupPlan['levels'][number]['evict'][number] & { readonly level: string };

/** Whom a plan would take up to a level. */
export function victimsOf(plan: CleanupPlan, upTo: CleanupLevelName): readonly Victim[] {
  const last = plan.levels.findIndex(({ level }) => level === upTo);
  return plan.levels.slice(0, last + 1).flatMap(({ level, evict }) => evict.map((victim) => ({ ...victim, level })));
}

/** What each level would do, and where a cleanup would stop. `upTo`: the level that is meant, where it is not that one. */
export function planLines(plan: CleanupPlan, upTo: CleanupLevelName | null = null): string[] {
  const last = upTo ?? plan.stopsAt;
  const until = last === null ? plan.levels.length : plan.levels.findIndex(({ level }) => level === last) + 1;
  const levels = plan.levels.slice(0, until);
  const wide = (of: (level: CleanupPlan['levels'][number]) => number | string): number => Math.max(...levels.map((level) => String(of(level)).length));
  const [name, examined, free, keep] = [wide((l) => l.level), wide((l) => l.examined), wide((l) => l.evict.length), wide((l) => l.keep.length)];
  const lines = levels.map((one) => {
    const stop = plan.need > 0 && one.level === plan.stopsAt ? `   <- ${bold(`would stop here (need ${plan.need})`)}` : '';
    const counts = `examined ${String(one.examined).padStart(examined)}  free ${String(one.evict.length).padStart(free)}  keep ${String(one.keep.length).padStart(keep)}`;
    return `${one.level.padEnd(name)}  ${counts}${stop}`;
  });
  if (plan.stopsAt === null) lines.push('no level but force could free as many, and that would take healthy sessions');
  return lines;
}

/** Who they are, and on what evidence they would go. */
export function victimTable(victims: readonly Victim[], isTerminal?: boolean): string[] {
  return tableLines(
    [
      { title: 'MANAGER', text: (v) => v.manager, shrink: ID_COLUMNS },
      { title: 'VERDICT', text: (v) => verdict(v.verdict), raw: (v) => v.verdict, paint: (text, v) => paintVerdict(text, v.verdict) },
      { title: 'LEVEL', text: (v) => v.level },
      { title: 'REASON', text: (v) => v.reason },
      { title: 'EVIDENCE', text: evidenceOf, shrink: 16, drop: 1 },
    ],
    victims,
    isTerminal === undefined ? {} : { isTerminal },
  );
}

const SAYS: Readonly<Record<string, string>> = {
  E1: 'last ack',
  E2: 'probe answered',
  E3: 'sent something',
  E4: 'pong',
  E6: 'output stuck',
  E7: 'run',
  E8: 'transport gone',
  E9: 'records disagree',
};

/** `last ack 37m58s ago (214 owed) · pong 4.0s ago`. */
export function evidenceOf({ evidence }: { readonly evidence: Victim['evidence'] }): string {
  return evidence
    .map(({ signal, ageMs, value }) => `${SAYS[signal] ?? signal} ${duration(ageMs)}${signal === 'E1' && value ? ` (${value} owed)` : ''}`)
    .join(' · ');
}
