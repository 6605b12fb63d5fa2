// npm run test:deploy: everything in deploy/ is checked by the program that it is for; the boards and the rules against a real Prometheus that scrapes a
// real gateway. A check whose program is missing is skipped and said so; it never counts as passed. Missing programs are installed where that
// is possible (root on Debian), unless SPILLWAY_NO_INSTALL=1. With SPILLWAY_REQUIRE_TOOLS=1 a missing one is a failure.

import { ARTEFACTS, rulesCheck } from './artefacts.ts';
import { outcomeOf } from './check.ts';
import { clusterPageCheck } from './cluster-page.ts';
import { helmChecks } from './helm.ts';
import { liveChecks } from './live.ts';
import { replayCheck } from './replay.ts';
import { openScene, type Scene } from './scene.ts';

const MARKS = { passed: 'ok  ', failed: 'FAIL', skipped: 'SKIP' } as const;

const scenes: Promise<Scene>[] = [];
/** Opened by the first check that needs it. */
const scene = (): Promise<Scene> => {
  if (scenes[0] === undefined) scenes.push(openScene());
  return scenes[0] as Promise<Scene>;
};
const counts = { passed: 0, failed: 0, skipped: 0 };
const skipped: string[] = [];

try {
  for (const check of [...ARTEFACTS, ...helmChecks, rulesCheck(), replayCheck, clusterPageCheck('haproxy'), clusterPageCheck('nginx'), ...liveChecks(scene)]) {
    const startedAt = performance.now();
    const { is, detail } = await outcomeOf(check);
    counts[is]++;
    if (is === 'skipped') skipped.push(`${check.name}: ${detail}`);
    process.stdout.write(`${MARKS[is]} ${check.name.padEnd(46)} ${((performance.now() - startedAt) / 1_000).toFixed(1).padStart(5)} s  ${detail}\n`);
  }
} finally {
  for (const open of await Promise.allSettled(scenes)) if (open.status === 'fulfilled') await open.value[Symbol.asyncDispose]();
}

if (skipped.length > 0) process.stdout.write(`\nNOT CHECKED, because something is missing:\n${skipped.map((line) => `  ${line}`).join('\n')}\n`);
process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
process.exitCode = counts.failed > 0 ? 1 : 0;
