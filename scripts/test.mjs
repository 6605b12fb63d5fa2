// Everything that has to hold, one after the other, then one line: `N passed, N failed, N skipped`.
//   npm test                                        all of it
//   npm test -- src/core/judge.test.ts              these files only, without the checks of the whole repository
// A check that fails counts as one failed test; the tests run anyway, unless the build failed.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildStamp, holds, root, sourcesHash } from './fingerprint.mjs';

const wanted = process.argv.slice(2);
const failed = [];
const counts = { passed: 0, failed: 0, skipped: 0 };

if (holds(buildStamp, sourcesHash()) || passes('build', 'scripts/build.mjs', [])) {
  if (wanted.length === 0) {
    passes('format and lint', 'node_modules/@biomejs/biome/bin/biome', ['check', '--error-on-warnings', '.']);
    passes('promises and open switches', 'node_modules/oxlint/bin/oxlint', ['--type-aware', '--deny-warnings', '.']);
    passes('types of the tests', 'node_modules/typescript/bin/tsc', ['-p', 'test/tsconfig.json']);
    passes('types of the benchmarks', 'node_modules/typescript/bin/tsc', ['-p', 'bench/tsconfig.json']);
  }
  runTests();
}

const also = failed.length === 0 ? '' : `failed checks: ${failed.join(', ')}\n`;
console.log(`${also}${counts.passed} passed, ${counts.failed + failed.length} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed + failed.length === 0 && counts.passed > 0 ? 0 : 1;

function passes(name, file, args) {
  console.log(`── ${name}`);
  const { status } = spawnSync(process.execPath, [join(root, file), ...args], { cwd: root, stdio: 'inherit' });
  if (status !== 0) failed.push(name);
  return status === 0;
}

function runTests() {
  const folder = mkdtempSync(join(tmpdir(), 'spillway-test-'));
  const file = join(folder, 'counts.json');
  console.log('── tests');
  const { status } = spawnSync(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...wanted], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, SPILLWAY_TEST_COUNTS: file },
  });
  try {
    Object.assign(counts, JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    // No counts: the runner died, which its exit code says too.
  }
  if (status !== 0 && counts.failed === 0) failed.push('test runner');
  rmSync(folder, { recursive: true, force: true });
}
