/** `npm run bench:compare -- [git ref] [--scenarios paced,burst8,max] [--reps 6] [--n N]`: this working tree and another commit as two peers of one
 *  run. The commit is checked out and built in a folder of its own, with the packages that are installed here. */
import { execFileSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parseArguments } from './arguments.ts';
import { BuiltCopy } from './built.ts';
import { commitOf } from './machine.ts';
import { table } from './report.ts';
import { freshFile, root } from './results.ts';
import { run } from './run.ts';
import { exitOnSignals, TemporaryFolder } from './temporary.ts';

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const git = (...args: string[]): string => execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();

exitOnSignals();
try {
  await compare();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function compare(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { scenarios: { type: 'string', default: 'paced,burst8,max' }, reps: { type: 'string', default: '6' }, n: { type: 'string' } },
  });
  if (positionals.length > 1) throw new Error(`Expected one git ref, got ${positionals.join(' ')}.`);
  const ref = git('rev-parse', '--verify', `${positionals[0] ?? mergeBase()}^{commit}`);
  const size = values.n === undefined ? [] : ['--n', values.n];
  const wanted = parseArguments([...values.scenarios.split(','), '--reps', values.reps, ...size]);
  using temporary = new TemporaryFolder();
  const folder = temporary.path;
  build(ref, folder);
  using built = new BuiltCopy(root);
  const { commit, dirty } = commitOf(root);
  say(`spillway is this tree (${commit}${dirty ? ', changed' : ''}), spillway@ref is ${ref.slice(0, 12)}`);
  const rows = await run({
    ...wanted,
    contestants: [
      { name: 'spillway', kind: 'spillway', root: built.folder },
      { name: 'spillway@ref', kind: 'spillway', root: folder },
    ],
    out: freshFile('compare'),
    root,
    tell: say,
  });
  say(`\n${table(rows)}`);
}

/** Where this branch left the main one; on the main branch itself, and with no such branch: the commit it stands on. */
function mergeBase(): string {
  for (const main of ['origin/HEAD', 'main', 'master']) {
    try {
      return execFileSync('git', ['merge-base', 'HEAD', main], { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    } catch {
      // No such branch here.
    }
  }
  return 'HEAD';
}

function build(ref: string, folder: string): void {
  const archive = execFileSync('git', ['archive', '--format=tar', ref], { cwd: root, maxBuffer: 2 ** 30 });
  execFileSync('tar', ['-x', '-C', folder], { input: archive });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  // The library alone: its pages and their bundles are measured elsewhere.
  execFileSync(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-b'], { cwd: folder, stdio: ['ignore', 2, 2] });
}
