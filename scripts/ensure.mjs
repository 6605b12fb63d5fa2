// Makes a clone ready, then runs something on the clone's own Node:  node scripts/ensure.mjs [--counts] -- FILE [ARGUMENTS]
// `--counts`: a clone that cannot be made ready is told as a test run with one failure.
// Any Node from 18 may run this file; it has no dependencies. When nothing changed it costs a fraction of a second and no network.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { buildStamp, holds, installHash, installStamp, root, sourcesHash } from './fingerprint.mjs';

const windows = process.platform === 'win32';
const ownNode = join(root, 'node_modules', 'node', 'bin', windows ? 'node.exe' : 'node');
const lockFile = join(root, '.cache', 'ensure.lock');

const separator = process.argv.indexOf('--');
const flags = process.argv.slice(2, separator === -1 ? undefined : separator);
const rest = separator === -1 ? [] : process.argv.slice(separator + 1);

class Failure extends Error {}

try {
  if (!isReady()) await makeReady();
  if (rest.length > 0) run(rest);
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  process.stderr.write(`${error.message}\n`);
  if (flags.includes('--counts')) process.stdout.write('0 passed, 1 failed, 0 skipped\n');
  process.exitCode = 1;
}

function isReady() {
  return holds(installStamp, installHash()) && existsSync(ownNode) && holds(buildStamp, sourcesHash());
}

async function makeReady() {
  const unlock = await lock();
  try {
    if (!holds(installStamp, installHash()) || !existsSync(ownNode)) install();
    if (!holds(buildStamp, sourcesHash())) step('Building', ownNode, [join(root, 'scripts', 'build.mjs')]);
  } finally {
    unlock();
  }
}

function install() {
  const npm = process.env.npm_execpath;
  // Below `error` npm reports every package that wants a newer Node than the one npm itself runs on; none of them runs there.
  const args = ['ci', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  if (npm !== undefined && /\.[cm]?js$/.test(npm)) step('Installing dependencies', process.execPath, [npm, ...args]);
  else step('Installing dependencies', 'npm', args);
  if (!existsSync(ownNode)) fail(`npm ci left no ${ownNode}. Is \`ignore-scripts\` set? Then run: npm rebuild node`);
  writeFileSync(installStamp, installHash());
}

/** Runs one step to its end; its output goes to stderr, so that stdout belongs to what the caller asked for. */
function step(name, command, args) {
  process.stderr.write(`${name} …\n`);
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], shell: windows && command === 'npm' });
  if (status !== 0) fail(`${name} failed${error ? `: ${error.message}` : ''}`);
}

/** Thrown, so that the lock is given back on the way out. */
function fail(message) {
  throw new Failure(message);
}

/** One at a time; a second one waits. */
async function lock() {
  mkdirSync(join(root, '.cache'), { recursive: true });
  const mine = `${lockFile}.${process.pid}`;
  writeFileSync(mine, String(process.pid));
  for (let told = false; ; told = true) {
    try {
      linkSync(mine, lockFile); // Atomic, and the lock names its holder from its first moment.
      rmSync(mine);
      return () => rmSync(lockFile, { force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const holder = readHolder(lockFile);
    if (holder !== null && !isAlive(holder)) clearAway(holder);
    else {
      if (!told) process.stderr.write(`Waiting for process ${holder}, which installs or builds …\n`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

/** Removes the lock of a holder that died, and no other: what was taken by somebody else meanwhile is put back. */
function clearAway(holder) {
  const aside = `${lockFile}.${process.pid}.old`;
  try {
    renameSync(lockFile, aside);
    if (readHolder(aside) !== holder) linkSync(aside, lockFile);
  } catch {
    // Another one was faster; the next round sees what it left.
  }
  rmSync(aside, { force: true });
}

function readHolder(file) {
  try {
    return Number(readFileSync(file, 'utf8')) || null;
  } catch {
    return null; // Given back just now: the next round takes it.
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** The clone's Node takes over, signals and exit code included. Its folder comes first in `PATH`, for whatever it starts. */
function run([file, ...args]) {
  const path = `${join(root, 'node_modules', '.bin')}${windows ? ';' : ':'}${process.env.PATH ?? ''}`;
  const child = spawn(ownNode, [join(root, file), ...args], { stdio: 'inherit', env: { ...process.env, PATH: path } });
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'];
  for (const signal of windows ? ['SIGINT', 'SIGTERM'] : signals) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}
