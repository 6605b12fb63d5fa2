/** The quick part of `npm run test:deploy`: the files in `deploy/` are what their sources say, and their programs understand them. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ARTEFACTS, rulesCheck } from './artefacts.ts';
import { problemsOf, readBoards } from './boards.ts';
import { type Check, outcomeOf } from './check.ts';
import { contextFiles, DOCKERFILE, problemsOf as dockerfileProblems } from './dockerfile.ts';
import { SCENARIOS, type Scenario } from './rule-scenarios.ts';

/** Hours of samples take promtool seconds; `npm run test:deploy` has them all. */
const isShort = ({ at }: Scenario): boolean => Number(/^(\d+)m/.exec(at)?.[1] ?? 0) <= 12;

async function holds(check: Check, skip: (why: string) => void): Promise<void> {
  const outcome = await outcomeOf(check);
  if (outcome.is === 'skipped') skip(outcome.detail);
  else expect(outcome).toMatchObject({ is: 'passed' });
}

describe('what is in deploy/', () => {
  for (const check of [...ARTEFACTS, rulesCheck(SCENARIOS.filter(isShort))]) test(check.name, (context) => holds(check, context.skip));
});

test('a scenario whose alert does not do what it says is told', async (context) => {
  const wrong = SCENARIOS.filter(({ alert }) => alert === 'CleanupFreedNothing').map((one) => ({ ...one, fires: !one.fires }));
  for (const one of wrong) {
    const outcome = await outcomeOf(rulesCheck([one]));
    if (outcome.is === 'skipped') context.skip(outcome.detail);
    expect(outcome).toMatchObject({ is: 'failed', detail: expect.stringContaining('FAILED') });
  }
});

test('a Dockerfile that would run as root, or copies what is not there, is told', () => {
  const text = readFileSync(DOCKERFILE, 'utf8');
  const files = contextFiles();
  expect(dockerfileProblems(text, files)).toEqual([]);
  expect(files.filter((file) => file.startsWith('test/') || file.endsWith('.test.ts'))).toEqual([]);
  const broken: readonly (readonly [from: string | RegExp, to: string, problem: string])[] = [
    [/^USER .*$/m, '', 'runs as root'],
    [/^STOPSIGNAL .*$/m, 'STOPSIGNAL SIGKILL', 'STOPSIGNAL'],
    ['COPY web web', 'COPY pages web', 'COPY pages'],
    ['"check", "node"', '"status"', 'HEALTHCHECK'],
    ['CMD ["serve"]', 'CMD node main.js serve', 'exec form'],
    [/node:24-bookworm-slim$/m, 'node:latest', 'no fixed version'],
  ];
  for (const [from, to, problem] of broken) expect(dockerfileProblems(text.replace(from, to), files).join()).toContain(problem);
});

test('a board that would not import, or a panel that nobody would understand, is told', () => {
  const [board] = readBoards();
  if (board === undefined) throw new Error('Expected a board.');
  const [, panel] = board.panels;
  expect(problemsOf({ ...board, id: 7 as never })).toHaveLength(1);
  expect(problemsOf({ ...board, panels: [{ ...panel, type: 'stat', title: 'x', datasource: { uid: 'mine' }, fieldConfig: { defaults: {} } }] })).toHaveLength(
    2,
  );
});
