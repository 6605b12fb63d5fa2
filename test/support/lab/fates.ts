import { expect } from 'vitest';
import { type Fate, isMissed, isWronglyTaken, record, scenarioOf } from '../confusion.ts';
import type { Crew } from './crew.ts';
import type { Lab } from './lab.ts';

const isDeadVerdict = (verdict: string): boolean => verdict === 'zombie' || verdict === 'inactive';

/** Records what the gateway made of these crews: its decisions about each client, or its verdict now. Throws if a zombie was missed, a
 *  working client called dead, or one in use taken below Force. To be called when the test has done what it does, and only zombies are
 *  broken. */
export async function concludeCrews(lab: Lab, crews: readonly Crew[]): Promise<void> {
  const { users } = await lab.status(...crews.map((crew) => crew.user));
  const scenario = scenarioOf(expect.getState().currentTestName ?? '');
  const fateOf = (crew: Crew, manager: string, truth: Fate['truth']): Fate => {
    const reports = lab.cleanups.map(({ report }) => report);
    const victim = reports.flatMap(({ victims }) => victims).find(({ managerId }) => managerId === manager);
    const now = users[crew.user]?.managers.find(({ id }) => id === manager);
    const verdict = victim?.verdict ?? now?.verdict.split(':')[0] ?? 'unknown';
    const said = [verdict, ...reports.flatMap(({ kept }) => kept).flatMap((kept) => (kept.managerId === manager ? [kept.verdict] : []))];
    return {
      scenario,
      kind: truth === 'dead' ? 'F05a' : 'plain',
      truth,
      verdict,
      takenAt: victim?.level ?? null,
      isFound: truth === 'dead' && said.some(isDeadVerdict),
      foundAfterMs: null,
      boundMs: 0,
      isDue: truth === 'dead',
      wasCalledDead: truth === 'working' && said.some(isDeadVerdict),
      isLegacyVictim: null,
    };
  };
  const fates = crews.flatMap((crew) => [
    ...crew.healthy.map(({ manager }) => fateOf(crew, manager, 'working')),
    ...crew.zombies.map(({ manager }) => fateOf(crew, manager, 'dead')),
  ]);
  record(fates);
  expect(
    fates.filter(({ wasCalledDead }) => wasCalledDead),
    'working clients called dead',
  ).toEqual([]);
  expect(fates.filter(isWronglyTaken), 'working clients taken below Force').toEqual([]);
  expect(fates.filter(isMissed), 'dead clients missed').toEqual([]);
}
