/** The Dockerfile without Docker: the context is copied, its steps are done one by one, and what comes out is started as the image would
 *  start it: by user 65532, on a root that cannot be written to, in a network of its own. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { need } from '../support/tools.ts';
import { type Check, ROOT } from './check.ts';
import { contextFiles, DOCKERFILE, type Instruction, parseDockerfile, type Stage } from './dockerfile.ts';

const BUILD_MS = 400_000;
const READY_WITHIN_MS = 30_000;
const STOP_WITHIN_MS = 15_000;
const USER = '65532';

export const replayCheck: Check = { name: 'Dockerfile, done by hand', needs: ['unshare', 'nsenter', 'setpriv', 'ip'], run: replay };

async function replay(): Promise<string> {
  // Not in /tmp, which the image has for itself.
  const folder = mkdtempSync('/var/tmp/spillway-image-');
  try {
    chmodSync(folder, 0o755);
    const context = join(folder, 'context');
    for (const file of contextFiles()) {
      mkdirSync(dirname(join(context, file)), { recursive: true });
      copyFileSync(join(ROOT, file), join(context, file));
    }
    const stages = parseDockerfile(readFileSync(DOCKERFILE, 'utf8'));
    let installed = '';
    for (const [i, stage] of stages.entries()) installed += build(stage, join(folder, stage.as ?? `stage-${i}`), context, folder);
    const image = join(folder, `stage-${stages.length - 1}`);
    const seconds = await run(stages.at(-1) as Stage, image);
    return `${installed}healthy, wrote nowhere but /data, ended ${seconds} s after SIGTERM`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A path of the image as it lies in `root`. */
const inside = (root: string, path: string): string => join(root, path);
/** Paths of the image in a shell command. */
const moved = (root: string, command: string): string => command.replace(/(^|\s)(\/(?:data|spillway)\b)/g, `$1${root}$2`);

function build({ instructions }: Stage, root: string, context: string, all: string): string {
  let cwd = '/';
  let said = '';
  for (const { name, text, flags } of instructions) {
    if (name === 'WORKDIR') {
      cwd = text;
      mkdirSync(inside(root, cwd), { recursive: true });
    } else if (name === 'COPY') {
      const paths = text.split(/\s+/);
      const target = paths.at(-1) as string;
      for (const source of paths.slice(0, -1)) {
        const from = flags.from === undefined ? join(context, source) : join(all, flags.from, source);
        const into = target.endsWith('/') ? join(inside(root, cwd), target, source.split('/').at(-1) as string) : join(inside(root, cwd), target);
        mkdirSync(dirname(into), { recursive: true });
        hardLinked(from, into);
      }
    } else if (name === 'RUN') said += step(text, root, cwd);
  }
  return said;
}

/** Half a gigabyte of modules is linked, not copied. */
function hardLinked(from: string, into: string): void {
  const { status } = spawnSync('cp', ['-al', from, into]);
  if (status !== 0) cpSync(from, into, { recursive: true });
}

function step(command: string, root: string, cwd: string): string {
  const installed = join(ROOT, 'node_modules', '.spillway-installed');
  // What is installed here is what the lock says, and was installed by the same command.
  if (/^npm ci\b/.test(command) && existsSync(installed) && process.env.SPILLWAY_REPLAY_INSTALL !== '1') {
    hardLinked(join(ROOT, 'node_modules'), join(inside(root, cwd), 'node_modules'));
    return 'npm ci not repeated (SPILLWAY_REPLAY_INSTALL=1 does); ';
  }
  const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH ?? ''}`, npm_config_update_notifier: 'false' };
  const { status, stdout, stderr } = spawnSync('sh', ['-c', moved(root, command)], { cwd: inside(root, cwd), env, encoding: 'utf8', timeout: BUILD_MS });
  if (status !== 0) throw new Error(`RUN ${command} ended with ${status}:\n${stdout.slice(-2_000)}${stderr.slice(-2_000)}`);
  return '';
}

const last = (instructions: readonly Instruction[], name: string): Instruction | undefined => instructions.findLast((one) => one.name === name);

/** Starts it, asks its health check, stops it. Answers how long the stop took. */
async function run({ instructions }: Stage, root: string): Promise<string> {
  const node = join(root, 'node');
  copyFileSync(process.execPath, node);
  chmodSync(node, 0o755);
  const exec = (name: string): readonly string[] =>
    (last(instructions, name)?.exec ?? []).map((part, i) => (i === 0 && part === 'node' ? node : moved(root, part)));
  const environment = Object.fromEntries(
    instructions
      .filter(({ name }) => name === 'ENV')
      .flatMap(({ text }) => [...text.matchAll(/(\w+)=(\S+)/g)])
      .map(([, key = '', value = '']) => [key, moved(root, value)]),
  );
  const env = {
    ...environment,
    PATH: process.env.PATH,
    SPILLWAY_AUTH_JWT_SECRET: 'a-secret-of-the-issuer-32-bytes-long',
    SPILLWAY_AUTH_ORIGINS: 'https://chat.example',
    SPILLWAY_SHUTDOWN_PREDELAY_MS: '0',
  };
  const data = inside(root, '/data');
  const alone = [
    'set -e',
    'mount --make-rprivate /',
    `mount --bind ${data} ${data}`,
    'mount -t tmpfs tmpfs /tmp',
    'mount -o remount,bind,ro /',
    `! touch ${root}/written 2>/dev/null`,
    'ip link set lo up',
    `cd ${data}`,
    `exec setpriv --reuid ${USER} --regid ${USER} --clear-groups --no-new-privs -- "$@"`,
  ].join('\n');
  const { path = 'unshare' } = need('unshare');
  const child = spawn(path ?? 'unshare', ['-m', '-n', '--', 'sh', '-c', alone, 'sh', ...exec('ENTRYPOINT'), ...exec('CMD')], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      said = `${said}${chunk.toString()}`.slice(-4_000);
    });
  try {
    await healthy(child, exec('HEALTHCHECK'), env, () => said);
    const askedAt = performance.now();
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const [code] = (await Promise.race([ended, delay(STOP_WITHIN_MS, ['late'], { ref: false })])) as [number | null | 'late'];
    if (code !== 0) throw new Error(`Expected exit status 0 within ${STOP_WITHIN_MS} ms of SIGTERM, got ${code}. It said:\n${said}`);
    return ((performance.now() - askedAt) / 1_000).toFixed(1);
  } finally {
    child.kill('SIGKILL');
  }
}

async function healthy(child: ChildProcess, command: readonly string[], env: NodeJS.ProcessEnv, said: () => string): Promise<void> {
  const deadline = performance.now() + READY_WITHIN_MS;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`It ended with ${child.exitCode}:\n${said()}`);
    const asked = ['-t', String(child.pid), '-m', '-n', '--', 'setpriv', '--reuid', USER, '--regid', USER, '--clear-groups', '--', ...command];
    const { status, stdout, stderr } = spawnSync(need('nsenter').path ?? 'nsenter', asked, { env, encoding: 'utf8', timeout: 20_000 });
    if (status === 0) return;
    if (performance.now() > deadline) throw new Error(`Its health check says ${status}: ${stdout}${stderr}\nIt said:\n${said()}`);
    await delay(200);
  }
}
