import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { VARIANTS } from './arguments.ts';
import { GOALS, standingOf } from './goals.ts';
import { table } from './report.ts';
import { root } from './results.ts';
import type { Row } from './row.ts';
import { run } from './run.ts';

const NAMES = ['paced', 'burst8', 'storm-hs256'];
const CONNECTIONS = 100;
const FIRST_REPS = 3;
const SECOND_REPS = 6;
/** Small machines and few connections scatter; what is beyond this is no scatter. */
const SLACK = 1.5;

/** A short look at everything: whole delivery, ratios not far beyond their goals, bytes within their budget. Ratios that look bad are measured
 *  again, more often, before they count. Resolves to what is wrong. Rejects where a token was lost, doubled or out of order. */
export async function smoke(tell: (line: string) => void): Promise<readonly string[]> {
  const problems: string[] = [];
  const bundle = spawnSync(process.execPath, [join(root, 'scripts', 'bundle-size.mjs')], { cwd: root, stdio: 'inherit' });
  if (bundle.status !== 0) problems.push('the browser entry is over its budget, or could not be measured');
  const rows = await measure(NAMES, FIRST_REPS, tell);
  tell(table(rows));
  const suspects = [...new Set(beyond(rows).map(({ variant }) => variant))];
  if (suspects.length === 0) return problems;
  tell(`Beyond ${SLACK} times a goal: ${suspects.join(', ')}. Once more:`);
  const again = await measure(suspects, SECOND_REPS, tell);
  tell(table(again));
  return [...problems, ...beyond(again).map(({ text }) => text)];
}

const measure = (names: readonly string[], reps: number, tell: (line: string) => void): Promise<readonly Row[]> =>
  run({
    variants: VARIANTS.filter(({ name }) => names.includes(name)),
    contestants: (['spillway', 'ws', 'socketio'] as const).map((kind) => ({ name: kind, kind, root: null })),
    reps,
    n: CONNECTIONS,
    seconds: 1,
    out: null,
    profiles: null,
    root,
    tell,
  });

/** Goals whose median is far beyond them. */
function beyond(rows: readonly Row[]): readonly { readonly variant: string; readonly text: string }[] {
  return GOALS.filter(({ unit, direction }) => unit === 'ratio' && direction === 'at most').flatMap((goal) => {
    const standing = standingOf(goal, rows);
    if (standing === null || standing.interval.median <= SLACK * goal.bound) return [];
    const text = `${goal.id} ${goal.variant}: ${goal.what} ${standing.interval.median.toFixed(2)} of ${goal.over}, more than ${SLACK} × ${goal.bound}`;
    return [{ variant: goal.variant, text }];
  });
}
