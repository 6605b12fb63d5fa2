import { defineConfig } from 'vitest/config';
import { ClosingLine } from './test/support/reporter.ts';

/** Files that need the whole machine: a browser with its tabs, the faults, whose own gate says whether it was calm enough, and deadlines
 *  of half a second and less. */
const ALONE = [
  'test/browser/**/*.test.{ts,tsx}',
  'test/faults/**/*.test.ts',
  'test/acceptance/as-05*.test.ts',
  'test/integration/admission-guards.test.ts',
  'test/integration/store-ground.test.ts',
];

export default defineConfig({
  test: {
    reporters: [process.stdout.isTTY ? 'default' : 'dot', new ClosingLine()],
    projects: [
      {
        // One context for all files: a unit test leaves no global changed.
        test: { name: 'unit', include: ['src/**/*.test.{ts,tsx}'], pool: 'threads', isolate: false, testTimeout: 10_000, sequence: { groupOrder: 0 } },
      },
      {
        // Sockets, files and processes: most of their time is waiting.
        test: {
          name: 'integration',
          include: ['test/**/*.test.{ts,tsx}'],
          exclude: ['test/acceptance/**', ...ALONE],
          pool: 'forks',
          maxWorkers: 3,
          testTimeout: 30_000,
          hookTimeout: 180_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        // Scenarios over real processes: they wait more than they compute, and their deadlines leave room for a neighbour.
        test: {
          name: 'acceptance',
          include: ['test/acceptance/**/*.test.ts'],
          exclude: ALONE,
          pool: 'forks',
          maxWorkers: 2,
          testTimeout: 30_000,
          hookTimeout: 180_000,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'alone',
          include: ALONE,
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 30_000,
          hookTimeout: 180_000,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
