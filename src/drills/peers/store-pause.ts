// Lets a Redis or Valkey answer nobody for a while, as a long fork or a slow command does: CLIENT PAUSE, on every server that takes writes.

import './end-with-parent.ts';
import { Cluster, Redis } from 'ioredis';
import type { SharedStore } from '../order.ts';
import type { LockNews } from './store-lock.ts';

/** Which store, and for how long. */
export interface PauseOrder {
  readonly store: SharedStore;
  readonly holdMs: number;
}

const say = (news: LockNews): void => void (process.connected && process.send?.(news));
process.channel?.ref();
process.once('message', (order) => {
  pause(order as PauseOrder).catch((error: unknown) => {
    throw error;
  });
});

async function pause({ store, holdMs }: PauseOrder): Promise<void> {
  const client = clientOf(store);
  const servers = client instanceof Cluster ? client.nodes('master') : [client];
  await Promise.all(servers.map((server) => server.call('CLIENT', 'PAUSE', String(holdMs), 'ALL')));
  const heldAt = performance.now();
  say({ held: true });
  // It answers when it goes on.
  await Promise.all(servers.map((server) => server.ping()));
  say({ releasedAfterMs: performance.now() - heldAt });
  client.disconnect();
}

function clientOf({ url, nodes, sentinels, sentinelName = 'spillway', username, password, tls }: SharedStore): Redis | Cluster {
  const common = { ...(username === undefined ? {} : { username }), ...(password === null ? {} : { password }), ...(tls === true ? { tls: {} } : {}) };
  if (nodes !== undefined) return new Cluster(nodes.map(addressOf), { redisOptions: common });
  if (sentinels !== undefined) return new Redis({ sentinels: sentinels.map(addressOf), name: sentinelName, ...common });
  return new Redis(url ?? '', common);
}

function addressOf(text: string): { readonly host: string; readonly port: number } {
  const at = text.lastIndexOf(':');
  return at < 0 ? { host: text, port: 6379 } : { host: text.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(text.slice(at + 1)) };
}
