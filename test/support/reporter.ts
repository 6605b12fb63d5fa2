import { writeFileSync } from 'node:fs';
import type { Reporter, TestCase, TestModule } from 'vitest/node';
import { confusionTable, takeRecorded } from './confusion.ts';

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** Files named as the slowest: where the time of a run goes. */
const SLOWEST = 12;
const SLOW_MS = 5_000;

/** Prints verdicts against truth over all scenarios that ran, which files took longest, why tests were skipped and, as the very last line,
 *  `N passed, N failed, N skipped`. Files that failed to load, errors of suites and unhandled errors count as failed. With
 *  `SPILLWAY_TEST_COUNTS` the counts go to that file instead, for a caller that adds its own. */
export class ClosingLine implements Reporter {
  onTestRunStart(): void {
    // Of a run that was killed, if its process had our number.
    takeRecorded();
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const counts: Counts = { passed: 0, failed: unhandled.length, skipped: 0 };
    const reasons = new Map<string, number>();
    for (const module of modules) {
      counts.failed += module.errors().length;
      for (const suite of module.children.allSuites()) counts.failed += suite.errors().length;
      for (const test of module.children.allTests()) count(test, counts, reasons);
    }
    const fates = takeRecorded();
    if (fates.length > 0) process.stdout.write(confusionTable(fates));
    process.stdout.write(slowest(modules));
    const lines = [...reasons].map(([reason, times]) => `skipped ${times}: ${reason}`);
    const file = process.env.SPILLWAY_TEST_COUNTS;
    if (file === undefined) lines.push(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
    else writeFileSync(file, JSON.stringify(counts));
    if (lines.length > 0) process.stdout.write(`\n${lines.join('\n')}\n`);
  }
}

function slowest(modules: readonly TestModule[]): string {
  const timed = modules.map((m) => ({ file: m.relativeModuleId, ms: m.diagnostic().duration })).filter(({ ms }) => ms > SLOW_MS);
  timed.sort((a, b) => b.ms - a.ms);
  return timed.length === 0
    ? ''
    : `\nslowest: ${timed
        .slice(0, SLOWEST)
        .map(({ file, ms }) => `${file} ${Math.round(ms / 1000)} s`)
        .join(' · ')}\n`;
}

function count(test: TestCase, counts: Counts, reasons: Map<string, number>): void {
  const result = test.result();
  if (result.state === 'passed') counts.passed += 1;
  else if (result.state === 'skipped') {
    counts.skipped += 1;
    const reason = result.note ?? `no reason given (${test.module.relativeModuleId})`;
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  } else counts.failed += 1; // Also a test that never came to its end.
}
