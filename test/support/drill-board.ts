import type { DrillBoard } from '../../src/ports/drills.ts';
import { newId, systemRandom } from '../../src/ports/random.ts';
import type { DrillInfo, DrillRun, DrillState } from '../../src/protocol/drills.ts';
import { SpillwayError } from '../../src/protocol/errors.ts';

const CATALOGUE: readonly DrillInfo[] = [
  {
    name: 'frozen-tabs',
    title: 'Frozen tabs',
    how: 'Sockets that answer pings while nothing reads them.',
    mustHappen: 'They are found, and a log-in is seated.',
    count: { default: 20, most: 40 },
  },
];

/** A board that keeps its rules, one drill at a time, and starts no process: for tests of what stands in front of it. */
export function drillBoard(): DrillBoard {
  const runs: DrillRun[] = [];
  const replace = (id: string, state: DrillState): void => {
    const at = runs.findIndex((run) => run.id === id);
    const run = runs[at];
    if (run !== undefined) runs[at] = { ...run, state, endedAt: Date.now() };
  };
  return {
    catalogue: CATALOGUE,
    runs,
    async start({ name, count = 20, user = 'somebody' }) {
      if (runs.some(({ state }) => state === 'running')) throw new SpillwayError('SPILLWAY_BUSY', 'Another drill runs. Stop it, or wait for its end.');
      const run: DrillRun = {
        id: newId(systemRandom, 'cln').replace('cln', 'drl'),
        name,
        user: `drill:${user}`,
        count,
        state: 'running',
        startedAt: Date.now(),
        endedAt: null,
        steps: [{ atMs: 0, text: 'it begins' }],
        expectations: [{ text: 'It ends.', ok: null, seen: '' }],
      };
      runs.unshift(run);
      return run;
    },
    run: (id) => runs.find((run) => run.id === id) ?? null,
    async stop(id) {
      if (runs.find((run) => run.id === id)?.state !== 'running') return false;
      replace(id, 'stopped');
      return true;
    },
    onChange: () => () => {},
    close: async () => {},
  };
}
