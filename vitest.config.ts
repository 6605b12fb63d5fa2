import { defineConfig } from 'vitest/config';
import { ClosingLine } from './test/support/reporter.ts';

export default defineConfig({
  test: {
    reporters: [process.stdout.isTTY ? 'default' : 'dot', new ClosingLine()],
    projects: [
      {
        // One context for all files: a unit test leaves no global changed.
        test: { name: 'unit', include: ['src/**/*.test.{ts,tsx}'], pool: 'threads', isolate: false, testTimeout: 10_000 },
      },
      {
        // Sockets, files and processes: one file at a time, so that two tests never share the two cores of a small machine.
        test: { name: 'integration', include: ['test/**/*.test.{ts,tsx}'], pool: 'forks', fileParallelism: false, testTimeout: 30_000, hookTimeout: 180_000 },
      },
    ],
  },
});
