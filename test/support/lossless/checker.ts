/** Compares what was attempted, logged and applied. */

import { Applied } from './applied.ts';
import { Ledger } from './ledger.ts';
import type { Attempted, Findings, Line, Logged } from './records.ts';

export interface CheckOptions {
  /** Whose conversation it is. */
  readonly user: string;
  /** The whole log, oldest entry first: `readLog(…)`. */
  readonly logged: readonly Logged[];
  /** In file order: `readLines<Line>(file)`, or an array. */
  readonly lines: Iterable<Line>;
  /** Of this conversation alone. Left out: digests are compared with the log, and nothing is `unlogged`. */
  readonly attempted?: Iterable<Attempted>;
  /** Offset of the subscribed position, behind which the window starts. `first`: before the first applied entry, for clients that
   *  followed from now on. Default 0. */
  readonly from?: number | 'first';
  /** Last offset of the window. `applied`: the last that was applied, for a client that did not come back. Default: the log's last. */
  readonly to?: number | 'applied';
}

/** Exactly the definitions of `Findings`. Time and memory grow with the records once, so that minutes of hundreds of clients can be
 *  checked; `lines` are read one by one. */
export function check({ user, logged, lines, attempted, from = 0, to = Number.POSITIVE_INFINITY }: CheckOptions): Findings {
  const ledger = new Ledger(logged, attempted);
  const applied = new Applied(ledger, user, from);
  for (const line of lines) applied.take(line);
  return applied.findings(to === 'applied' ? applied.at : to);
}

/** Kinds of findings that a case may have. */
export type Allowed = 'declared' | 'unlogged' | 'gaps';

/** What speaks against a client, in words; empty if nothing does. `declared`, `gaps` and `unlogged` count unless allowed. That nothing was
 *  compared counts always. */
export function faultsOf(findings: Findings, ...allowed: readonly Allowed[]): readonly string[] {
  const { checked, gaps, ...kinds } = findings;
  const faults = Object.entries(kinds).flatMap(([kind, found]) =>
    found.length === 0 || allowed.includes(kind as Allowed)
      ? []
      : [`${kind}: ${found.slice(0, 10).join(', ')}${found.length > 10 ? ` … (${found.length})` : ''}`],
  );
  if (gaps > 0 && !allowed.includes('gaps') && !allowed.includes('declared')) faults.push(`gaps: ${gaps}`);
  return checked === 0 ? ['nothing was compared', ...faults] : faults;
}

/** Whether what was not logged is the tail of its run, as a killed process or store leaves it. */
export function isCutTail(unlogged: readonly number[], attempted: readonly Attempted[]): boolean {
  const missing = new Set(unlogged);
  const cutRuns = new Set<string>();
  for (const { run, number } of attempted) {
    if (missing.has(number)) cutRuns.add(run);
    else if (cutRuns.has(run)) return false;
  }
  return true;
}

/** Findings of many clients as one. */
export function joined(all: readonly Findings[]): Findings {
  const of = (kind: Exclude<keyof Findings, 'checked' | 'gaps'>): readonly number[] => all.flatMap((findings) => findings[kind]);
  const sum = (kind: 'checked' | 'gaps'): number => all.reduce((total, findings) => total + findings[kind], 0);
  return {
    lost: of('lost'),
    doubled: of('doubled'),
    reordered: of('reordered'),
    phantom: of('phantom'),
    altered: of('altered'),
    foreign: of('foreign'),
    ackedUnseen: of('ackedUnseen'),
    unlogged: of('unlogged'),
    declared: of('declared'),
    uneven: of('uneven'),
    gaps: sum('gaps'),
    checked: sum('checked'),
  };
}
