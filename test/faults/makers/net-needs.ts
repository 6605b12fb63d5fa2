import { need } from '../../support/tools.ts';
import type { Need } from '../row.ts';
import type { Network } from './net-enter.ts';
import { namespaceBehindGap, namespaceBehindRouter } from './net-lab.ts';
import { reasonAgainst } from './net-run.ts';

/** Tries what the network rows need in this network: null where it works, else why not. */
export async function networkNeeds(network: Network): Promise<Readonly<Record<Extract<Need, 'namespaces' | 'conntrack' | 'packet-forwarder'>, string | null>>> {
  if (network.is === 'shared') {
    const why = `no network namespaces: ${network.reason}`;
    return { namespaces: why, conntrack: why, 'packet-forwarder': why };
  }
  return { namespaces: null, conntrack: await tried(tryConntrack), 'packet-forwarder': await tried(tryForwarder) };
}

async function tried(attempt: () => Promise<string | null>): Promise<string | null> {
  try {
    return await attempt();
  } catch (error) {
    return (error as Error).message;
  }
}

async function tryConntrack(): Promise<string | null> {
  const { missing } = need('conntrack');
  if (missing !== null) return missing;
  await using place = await namespaceBehindRouter();
  await place.runBetween('conntrack', '-L');
  return null;
}

/** Packet sockets of a program. */
async function tryForwarder(): Promise<string | null> {
  for (const name of ['python3', 'ethtool'] as const) {
    const { missing } = need(name);
    if (missing !== null) return missing;
  }
  await using place = await namespaceBehindGap();
  return await reasonAgainst(...place.insideBetween, 'python3', '-c', 'import heapq, json, select, socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)');
}
