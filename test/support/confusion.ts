import { appendFileSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One client of a scenario: what the test did to it, and what the gateway made of it. */
export interface Fate {
  readonly scenario: string;
  /** How it was made: a key of the faults, or a kind of working client. */
  readonly kind: string;
  readonly truth: 'working' | 'dead';
  /** When its seat was taken, or at the end. */
  readonly verdict: string;
  /** Cleanup level at which its seat was taken; null: it kept it. */
  readonly takenAt: string | null;
  /** Dead, and proved so. */
  readonly isFound: boolean;
  /** From the fault to the proof, in the gateway's attentive time; null where nobody measured it. */
  readonly foundAfterMs: number | null;
  /** Dead: within which time it has to be found. */
  readonly boundMs: number;
  /** Dead: that time was over before the scenario was. */
  readonly isDue: boolean;
  /** Working, and called dead by proof at any look. */
  readonly wasCalledDead: boolean;
  /** Whether the incident's criteria would have taken it; null: nobody looked. */
  readonly isLegacyVictim: boolean | null;
}

/** The run's own file, which all its test processes share. Their common parent names it; a runner without our reporter has no name. */
const fileOf = (pid: number): string => join(tmpdir(), `spillway-confusion-${pid}.jsonl`);

export const record = (fates: readonly Fate[]): void => {
  if (fates.length > 0) appendFileSync(fileOf(process.ppid), `${fates.map((fate) => JSON.stringify(fate)).join('\n')}\n`);
};

/** What the test processes of this process have recorded; forgets it. */
export function takeRecorded(): readonly Fate[] {
  try {
    const lines = readFileSync(fileOf(process.pid), 'utf8').trim().split('\n');
    rmSync(fileOf(process.pid));
    return lines.map((line) => JSON.parse(line) as Fate);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** The scenario whose test runs now. */
export function scenarioOf(testName: string): string {
  return /AS-\d+\w?/.exec(testName)?.[0] ?? testName;
}

/** Whose seat a working client may lose below Force: one that nobody uses. */
export const isWronglyTaken = (f: Fate): boolean => f.truth === 'working' && f.takenAt !== null && f.takenAt !== 'force' && f.verdict !== 'idle';
export const isMissed = (f: Fate): boolean => f.truth === 'dead' && f.isDue && !f.isFound;

const DONE: Readonly<Record<string, string>> = {
  F02: 'F02 process stopped',
  F03p: 'F03 road swallows both ways',
  F05a: 'F05a killed behind a proxy that pongs',
  F06a: 'F06a page frozen, socket answers',
  F07: 'F07 nobody reads',
  cut: 'connection cut',
  plain: 'works',
  F08c: 'F08c works, reads slowly',
  F10: 'F10 works, never spoken to',
  F12p: 'F12 works, bad mobile link',
  tab: 'works, a tab of the SDK',
};

const share = (part: number, whole: number): string => (whole === 0 ? 'none' : `${part} of ${whole} (${Math.round((1_000 * part) / whole) / 10} %)`);

/** The confusion matrix of all these clients, and what follows from it, for people. */
export function confusionTable(fates: readonly Fate[]): string {
  const scenarios = new Set(fates.map((f) => f.scenario)).size;
  const head = ['what was done to the client', 'clients', 'dead', 'suspect', 'unknown', 'idle', 'healthy', 'taken', 'by Force'];
  const rows = [...new Set(fates.map((f) => f.kind))]
    .map((kind) => ({ kind, of: fates.filter((f) => f.kind === kind) }))
    .sort((a, b) => (a.of[0]?.truth ?? '').localeCompare(b.of[0]?.truth ?? '') || a.kind.localeCompare(b.kind))
    .map(({ kind, of }) => {
      const count = (...verdicts: readonly string[]): number => of.filter((f) => verdicts.includes(f.verdict)).length;
      const taken = of.filter((f) => f.takenAt !== null);
      const verdicts = [count('zombie', 'inactive'), count('suspect'), count('unknown'), count('idle'), count('healthy')];
      return [DONE[kind] ?? kind, of.length, ...verdicts, taken.length, taken.filter((f) => f.takenAt === 'force').length];
    });
  const line = (cells: readonly (string | number)[]): string =>
    `| ${cells.map((cell, i) => (i === 0 ? String(cell).padEnd(38) : String(cell).padStart(Math.max(7, head[i]?.length ?? 0)))).join(' | ')} |`;
  const working = fates.filter((f) => f.truth === 'working');
  const dead = fates.filter((f) => f.truth === 'dead');
  const due = dead.filter((f) => f.isDue || f.isFound);
  const found = due.filter((f) => f.isFound);
  const shareOf = (f: Fate): number => (f.foundAfterMs ?? -1) / f.boundMs;
  const slowest = found.filter((f) => f.foundAfterMs !== null && f.boundMs > 0).toSorted((x, y) => shareOf(y) - shareOf(x))[0];
  const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
  return [
    '',
    `verdicts against what was done to each client: ${fates.length} clients, ${scenarios} scenario${scenarios === 1 ? '' : 's'}`,
    line(head),
    `| ${'-'.repeat(38)} |${head
      .slice(1)
      .map((name) => ` ${'-'.repeat(Math.max(7, name.length) - 1)}: |`)
      .join('')}`,
    ...rows.map(line),
    `dead clients found: ${share(found.length, due.length)}${slowest === undefined ? '' : `, at the latest after ${seconds(slowest.foundAfterMs ?? 0)} of ${seconds(slowest.boundMs)}`}${dead.length > due.length ? `; ${dead.length - due.length} not due yet when their scenario ended` : ''}`,
    `working clients called dead: ${share(working.filter((f) => f.wasCalledDead).length, working.length)}; taken below Force while in use: ${working.filter(isWronglyTaken).length}`,
    `by the incident's criteria: ${share(due.filter((f) => f.isLegacyVictim).length, due.filter((f) => f.isLegacyVictim !== null).length)} found, ${working.filter((f) => f.isLegacyVictim).length} working ones taken`,
    '',
  ].join('\n');
}
