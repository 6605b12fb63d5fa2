import { spawn } from 'node:child_process';
import { need } from '../../support/tools.ts';
import { reasonAgainst, run } from './net-run.ts';

/** Where this program runs. */
export type Network =
  /** In a network of its own, in which the gateway's address is `GATEWAY_ADDRESS`. */
  | { readonly is: 'private' }
  /** In the machine's, since a private one cannot be had here. */
  | { readonly is: 'shared'; readonly reason: string };

/** Where clients in namespaces of the private network find the gateway. */
export const GATEWAY_ADDRESS = '10.77.0.1';
export const BRIDGE = 'spillway0';

const MARK = 'SPILLWAY_PRIVATE_NETWORK';
/** Programs without which there is no lab. */
const TOOLS = ['unshare', 'nsenter', 'setpriv', 'ip', 'nft', 'bash'] as const;
/** What rows inside will want; nothing can be installed from in there. */
const ALSO = ['conntrack', 'ethtool', 'python3', 'nginx', 'haproxy'] as const;
const UNSHARE = ['unshare', '--net', '--mount', '--propagation', 'private'] as const;
/** As root, and as somebody who is root only in a namespace of his own. */
const WAYS = [UNSHARE, [...UNSHARE, '--user', '--map-root-user']] as const;
/** What the lab is made of, tried once. */
const TRIAL = `
  set -e
  mount -t tmpfs tmpfs /run
  ip link set lo up
  ip link add trial0 type bridge
  ip netns add trial
  ip link add trial1 type veth peer name eth0 netns trial
  nsenter --net=/run/netns/trial nft add table inet trial
`;

/** Runs this program a second time in a private network, and ends with its exit code; there it resolves. Where no private network can
 *  be had it resolves with the reason. To be called before anything else; programs must have been installed before. */
export async function enterPrivateNetwork(argv: readonly string[] = process.argv.slice(1)): Promise<Network> {
  if (process.env[MARK] === '1') return await setUp();
  if (process.platform !== 'linux') return { is: 'shared', reason: `network namespaces need Linux, this is ${process.platform}` };
  for (const name of TOOLS) {
    const { missing } = need(name);
    if (missing !== null) return { is: 'shared', reason: missing };
  }
  for (const name of ALSO) need(name);
  const reasons = new Set<string>();
  for (const way of WAYS) {
    const reason = await reasonAgainst(...way, '--', 'bash', '-c', TRIAL);
    if (reason === null) process.exit(await runAgain([...way, '--', 'setpriv', '--pdeathsig', 'KILL'], argv));
    reasons.add(reason);
  }
  return { is: 'shared', reason: [...reasons].join('; ') };
}

async function runAgain([program = '', ...args]: readonly string[], argv: readonly string[]): Promise<number> {
  const child = spawn(program, [...args, process.execPath, ...process.execArgv, ...argv], { stdio: 'inherit', env: { ...process.env, [MARK]: '1' } });
  // A terminal tells both; whoever tells only this one means the other.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

async function setUp(): Promise<Network> {
  await run('mount', '-t', 'tmpfs', 'tmpfs', '/run');
  await run('ip', 'link', 'set', 'lo', 'up');
  await run('ip', 'link', 'add', BRIDGE, 'type', 'bridge');
  await run('ip', 'address', 'add', `${GATEWAY_ADDRESS}/16`, 'dev', BRIDGE);
  await run('ip', 'link', 'set', BRIDGE, 'up');
  return { is: 'private' };
}
