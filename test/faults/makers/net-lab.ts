import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { until } from '../../support/peers/kernel.ts';
import { BRIDGE, GATEWAY_ADDRESS } from './net-enter.ts';
import { run } from './net-run.ts';

/** The network namespace of one client. Its interface is `eth0`. */
export interface Namespace extends AsyncDisposable {
  /** Its address as the gateway sees it, until the client takes another. */
  readonly address: string;
  /** Runs a program inside to its end. */
  run(...command: readonly string[]): Promise<string>;
  /** Put before a command line it makes the program run inside, and end with this process. */
  readonly inside: readonly string[];
  /** Whether a fresh TCP connection to this port of the gateway's address comes about, soon. */
  reaches(port: number): Promise<boolean>;
  /** Waits until one does. @throws if none comes about. */
  untilReached(port: number): Promise<void>;
}

/** A namespace behind another one, through which all its packets go. */
export interface Behind extends Namespace {
  /** Runs a program in the one between. */
  runBetween(...command: readonly string[]): Promise<string>;
}

/** Of addresses in 10.77.0.0/16; the first are the gateway's and whatever proxies need. */
const FIRST = 256;
const CONNECTS_WITHIN_S = '2';
/** Of a machine on which many such programs start at once. */
const REACHED_WITHIN_MS = 20_000;
let made = 0;

const addressOf = (n: number): string => `10.77.${n >> 8}.${n & 255}`;
/** An address of the bridge that nobody has had. */
export const freshAddress = (): string => addressOf(FIRST + made++);

const enter = (name: string): readonly string[] => ['nsenter', `--net=/run/netns/${name}`, '--'];

/** Namespaces end with the last process in them, and the names with the private network; what lives on is removed here. */
async function remove(names: readonly string[]): Promise<void> {
  for (const name of names) await run('ip', 'netns', 'delete', name);
}

async function add(kind: string, n: number): Promise<string> {
  const name = `spillway-${process.pid}-${n}-${kind}`;
  await run('ip', 'netns', 'add', name);
  await run('ip', '-n', name, 'link', 'set', 'lo', 'up');
  return name;
}

/** A cable between two interfaces; `null` is the bridge. */
async function join(n: number, left: string, leftName: string, right: string | null, rightName: string): Promise<void> {
  // Made with names of its own, since the bridge's side must differ from client to client.
  const near = `a${n}`;
  const far = `b${n}`;
  await run('ip', 'link', 'add', near, 'type', 'veth', 'peer', 'name', far);
  await run('ip', 'link', 'set', near, 'netns', left, 'name', leftName, 'up');
  if (right === null) await run('ip', 'link', 'set', far, 'name', rightName, 'master', BRIDGE, 'up');
  else await run('ip', 'link', 'set', far, 'netns', right, 'name', rightName, 'up');
}

function namespaceOf(name: string, address: string, all: readonly string[]): Namespace {
  const runInside = (...command: readonly string[]): Promise<string> => run(...enter(name), ...command);
  const reaches = async (port: number): Promise<boolean> => {
    try {
      await runInside('timeout', CONNECTS_WITHIN_S, 'bash', '-c', `exec 3<>/dev/tcp/${GATEWAY_ADDRESS}/${port}`);
      return true;
    } catch {
      // Refused, unreachable or silent: all the same here.
      return false;
    }
  };
  return {
    address,
    run: runInside,
    inside: [...enter(name), 'setpriv', '--pdeathsig', 'KILL', '--'],
    reaches,
    async untilReached(port) {
      await until(`${address} to reach port ${port}`, () => reaches(port), REACHED_WITHIN_MS);
    },
    [Symbol.asyncDispose]: () => remove(all),
  };
}

/** A namespace with a cable to the bridge. */
export async function namespace(): Promise<Namespace> {
  const n = FIRST + made++;
  const address = addressOf(n);
  const name = await add('client', n);
  await join(n, name, 'eth0', null, `v${n}`);
  await run('ip', '-n', name, 'address', 'add', `${address}/16`, 'dev', 'eth0');
  return namespaceOf(name, address, [name]);
}

/** A namespace behind one that masquerades, as a home router does. Its flows are entries of the router's table. */
export async function namespaceBehindRouter(): Promise<Behind> {
  const n = FIRST + made++;
  const address = addressOf(n);
  const client = await add('client', n);
  const router = await add('router', n);
  await join(n, router, 'wan0', null, `v${n}`);
  await join(n, client, 'eth0', router, 'lan0');
  const runBetween = (...command: readonly string[]): Promise<string> => run(...enter(router), ...command);
  await run('ip', '-n', router, 'address', 'add', `${address}/16`, 'dev', 'wan0');
  await run('ip', '-n', router, 'address', 'add', '192.168.77.1/24', 'dev', 'lan0');
  await run('ip', '-n', client, 'address', 'add', '192.168.77.2/24', 'dev', 'eth0');
  await run('ip', '-n', client, 'route', 'add', 'default', 'via', '192.168.77.1');
  await runBetween('bash', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 0 >/proc/sys/net/netfilter/nf_conntrack_tcp_loose');
  await runBetween(
    'nft',
    `add table ip nat
     add chain ip nat out { type nat hook postrouting priority srcnat; }
     add rule ip nat out oifname wan0 masquerade`,
  );
  return { ...namespaceOf(client, address, [client, router]), runBetween };
}

/** A namespace behind one that passes nothing on by itself: whatever crosses from `left0` to `right0` and back is somebody's doing. */
export async function namespaceBehindGap(): Promise<Behind & { readonly insideBetween: readonly string[] }> {
  const n = FIRST + made++;
  const address = addressOf(n);
  const client = await add('client', n);
  const middle = await add('middle', n);
  await join(n, middle, 'right0', null, `v${n}`);
  await join(n, client, 'eth0', middle, 'left0');
  await run('ip', '-n', client, 'address', 'add', `${address}/16`, 'dev', 'eth0');
  const runBetween = (...command: readonly string[]): Promise<string> => run(...enter(middle), ...command);
  const off = ['tx', 'off', 'gso', 'off', 'tso', 'off', 'gro', 'off'];
  // Whoever reads frames sees them as they would be on a cable: with their checksum, and not as parts of a larger one.
  await run('ethtool', '-K', `v${n}`, ...off);
  await run(...enter(client), 'ethtool', '-K', 'eth0', ...off);
  for (const side of ['left0', 'right0']) await runBetween('ethtool', '-K', side, ...off);
  const insideBetween = [...enter(middle), 'setpriv', '--pdeathsig', 'KILL', '--'];
  return { ...namespaceOf(client, address, [client, middle]), runBetween, insideBetween };
}

/** Starts a program that stays. */
export function startInside(inside: readonly string[], ...command: readonly string[]): ChildProcessByStdio<Writable, Readable, null> {
  const [program = '', ...args] = [...inside, ...command];
  return spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
}

export async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
