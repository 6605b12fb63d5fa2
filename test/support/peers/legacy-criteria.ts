/** What the old cleanup of the incident could see of one manager. */
export interface Seen {
  readonly truth: 'working' | 'dead';
  readonly isFlaggedClosed: boolean;
  readonly isConnected: boolean;
  /** Since anything came from its transport. */
  readonly silentMs: number;
  readonly ageMs: number;
}

const HOUR_MS = 3_600_000;
const OLD_MS = 1_800_000;

/** The incident's criteria: flagged closed, silent for an hour, or old and without a connection. */
export const isLegacyVictim = (s: Seen): boolean => s.isFlaggedClosed || s.silentMs >= HOUR_MS || (s.ageMs >= OLD_MS && !s.isConnected);

export interface Outcome {
  readonly found: number;
  readonly freed: number;
  readonly closedWorking: number;
}

/** The same broken clients under the old criteria and under ours, as a table. */
export function comparisonTable(seen: readonly Seen[], ours: Outcome): string {
  const dead = seen.filter((s) => s.truth === 'dead').length;
  const working = seen.length - dead;
  const taken = seen.filter(isLegacyVictim);
  const legacyDead = taken.filter((s) => s.truth === 'dead').length;
  const row = (name: string, o: Outcome): string =>
    `| ${name.padEnd(50)} | ${`${o.found} of ${dead}`.padStart(9)} | ${`${o.freed} of ${dead}`.padStart(9)} | ${`${o.closedWorking} of ${working}`.padStart(14)} |\n`;
  return [
    `\n| ${'cleanup'.padEnd(50)} | dead seen | freed     | working closed |\n`,
    `| ${'-'.repeat(50)} | --------- | --------- | -------------- |\n`,
    row('closed, silent for an hour, or old and unconnected', { found: legacyDead, freed: legacyDead, closedWorking: taken.length - legacyDead }),
    row('acknowledged offsets, answered probes, nonce pongs', ours),
  ].join('');
}
