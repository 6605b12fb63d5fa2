import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
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

export type ToolName = keyof typeof PACKAGES;
export type Tool = { readonly path: string; readonly missing: null } | { readonly path: null; readonly missing: string };

const found = new Map<ToolName, Tool>();

/** Where a program is. What is missing is installed, if this is root on Debian and `SPILLWAY_NO_INSTALL` is not 1.
 *  @throws if it is still missing and `SPILLWAY_REQUIRE_TOOLS` is 1. */
export function need(name: ToolName): Tool {
  let tool = found.get(name);
  if (tool !== undefined) return tool;
  if (locate(name) === null && mayInstall()) install(PACKAGES[name]);
  const path = locate(name);
  tool = path === null ? { path, missing: `${name} is not installed: apt-get install ${PACKAGES[name]}` } : { path, missing: null };
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

function locate(name: string): string | null {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/usr/sbin']) {
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
