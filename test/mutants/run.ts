// Proves that the tests can fail: applies each mutant to a copy of the repository and expects its test to fail there.
//   npm run test:mutants [-- --only NAME] [--list]
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { allMutants } from './lists.ts';
import { catcherOf, type Mutant, occurrences } from './mutant.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const LEFT_OUT = new Set(['.git', 'node_modules', 'dist', '.spillway', '.cache', 'test-results']);
const RUN_MAX_MS = 600_000;
/** A scenario that was held up is void, which shows nothing: it is run again. */
const TRIES = 3;

/** What a patch may leave behind: names that nobody reads any more. */
const UNUSED = /error TS61(33|38|92|96):/;

type Ran = { readonly is: 'passed' | 'failed' | 'void'; readonly output: string };
type Result = { readonly mutant: Mutant; readonly is: 'caught' | 'survived' | 'stale'; readonly detail: string; readonly seconds: number };

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const { values } = parseArgs({ options: { only: { type: 'string', multiple: true }, list: { type: 'boolean' } } });
const wanted = (await allMutants()).filter((mutant) => values.only === undefined || values.only.includes(mutant.name));
if (wanted.length === 0) {
  say(`Expected the name of a mutant, got ${values.only?.join(', ')}. All: npm run test:mutants -- --list`);
  process.exit(2);
}
if (values.list) {
  for (const { name, proves, caughtBy } of wanted) say(`${name}: ${proves}\n  ${caughtBy}`);
  process.exit(0);
}

const folder = mkdtempSync(join(tmpdir(), 'spillway-mutants-'));
const copy = join(folder, 'copy');
const results: Result[] = [];
try {
  cpSync(root, copy, { recursive: true, filter: (source) => !LEFT_OUT.has(source.slice(root.length).split('/')[0] ?? '') });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  compile();
  const isSound = new Map<string, string | null>();
  for (const mutant of wanted) {
    const startedAt = performance.now();
    if (!isSound.has(mutant.caughtBy)) isSound.set(mutant.caughtBy, soundness(mutant));
    const result = { mutant, ...tryOut(mutant, isSound.get(mutant.caughtBy) ?? null), seconds: Math.round((performance.now() - startedAt) / 1_000) };
    results.push(result);
    say(`${result.is.padEnd(8)} ${mutant.name} (${result.seconds} s)${result.detail === '' ? '' : `: ${result.detail}`}`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
report();

/** Null if the test passes without any mutant; else why it proves nothing. */
function soundness(mutant: Mutant): string | null {
  const ran = runUntilClear(mutant, 'passed');
  return ran.is === 'passed' ? null : `without it ${mutant.caughtBy} is ${ran.is} too\n${tail(ran.output)}`;
}

function tryOut(mutant: Mutant, unsound: string | null): Pick<Result, 'is' | 'detail'> {
  if (unsound !== null) return { is: 'stale', detail: unsound };
  const path = join(copy, mutant.file);
  const before = readFileSync(path, 'utf8');
  const times = occurrences(before, mutant.find);
  if (times !== 1) return { is: 'stale', detail: `its text occurs ${times} times in ${mutant.file}` };
  try {
    writeFileSync(
      path,
      before.replace(mutant.find, () => mutant.replace),
    );
    const wrong = compile();
    if (wrong !== null) return { is: 'stale', detail: `it does not compile\n${wrong}` };
    const ran = runUntilClear(mutant, 'failed');
    if (ran.is === 'failed') return { is: 'caught', detail: '' };
    return { is: 'survived', detail: `${mutant.caughtBy} ${ran.is === 'void' ? 'was void' : 'passed'}` };
  } finally {
    writeFileSync(path, before);
  }
}

/** Null if `src` compiles: a mutant that does not would fail every test, and show nothing. */
function compile(): string | null {
  const { stdout } = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b', 'src'], { cwd: copy, encoding: 'utf8' });
  // What needs no compiler is copied, as the build does it.
  cpSync(join(copy, 'src/stores/redis/lua'), join(copy, 'dist/stores/redis/lua'), { recursive: true });
  const wrong = stdout.split('\n').filter((line) => line.includes('error TS') && !UNUSED.test(line));
  return wrong.length === 0 ? null : tail(wrong.join('\n'));
}

function runUntilClear(mutant: Mutant, wanted: Ran['is']): Ran {
  let ran = runOnce(mutant);
  for (let i = 1; i < TRIES && ran.is === 'void'; i++) ran = runOnce(mutant);
  // What should pass may fail by bad luck once; what should fail may not pass.
  return ran.is === wanted || wanted === 'failed' ? ran : runOnce(mutant);
}

function runOnce(mutant: Mutant): Ran {
  const catcher = catcherOf(mutant);
  if (catcher.is === 'command') {
    const { status, stdout, stderr } = spawnSync(catcher.command, { cwd: copy, shell: true, encoding: 'utf8', timeout: RUN_MAX_MS });
    return { is: status === 0 ? 'passed' : 'failed', output: `${stdout}${stderr}` };
  }
  const counts = join(folder, 'counts.json');
  rmSync(counts, { force: true });
  const args = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', catcher.file, ...(catcher.name === null ? [] : ['-t', escaped(catcher.name)])];
  const env = { ...process.env, SPILLWAY_TEST_COUNTS: counts, NO_COLOR: '1' };
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: copy, encoding: 'utf8', timeout: RUN_MAX_MS, env });
  const output = `${stdout}${stderr}`;
  const { passed, failed } = countsIn(counts);
  return { is: failed > 0 ? 'failed' : passed > 0 ? 'passed' : 'void', output };
}

/** Killed for taking too long, or dead: that is a failure too. */
function countsIn(path: string): { readonly passed: number; readonly failed: number } {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as { passed: number; failed: number };
  } catch {
    // No counts were written, because the run did not come to its end.
    return { passed: 0, failed: 1 };
  }
}

function escaped(name: string): string {
  return name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function tail(text: string): string {
  return text
    .trimEnd()
    .split('\n')
    .slice(-30)
    .map((line) => `    ${line}`)
    .join('\n');
}

function report(): void {
  const of = (is: Result['is']): number => results.filter((result) => result.is === is).length;
  const width = Math.max(...results.map(({ mutant }) => mutant.name.length));
  say('');
  for (const { mutant, is, seconds } of results) say(`| ${mutant.name.padEnd(width)} | ${is.padEnd(8)} | ${String(seconds).padStart(4)} s | ${mutant.proves}`);
  say(`${of('caught')} caught, ${of('survived')} survived, ${of('stale')} stale`);
  process.exitCode = of('caught') === results.length ? 0 : 1;
}
