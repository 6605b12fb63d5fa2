import { type RedisServer, startRedis } from '../../test/support/redis.ts';

/** What a Redis server counts of itself. */
export interface Counted {
  /** Of its process, user and system. */
  readonly cpuMs: number;
  readonly scripts: { readonly calls: number; readonly us: number };
}

/** A server of its own for one scenario; it writes to disk as docs/redis.md advises. */
export const benchServer = (): Promise<RedisServer> => startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'everysec'] });

export function count(server: RedisServer): Counted {
  const info = server.cli('info', 'all');
  const figure = (pattern: RegExp): number => Number(pattern.exec(info)?.[1] ?? 0);
  const own = (name: string): number => figure(new RegExp(`^cmdstat_${name}:calls=(\\d+)`, 'm'));
  const us = (name: string): number => figure(new RegExp(`^cmdstat_${name}:calls=\\d+,usec=(\\d+)`, 'm'));
  return {
    cpuMs: 1_000 * (figure(/^used_cpu_user:([\d.]+)/m) + figure(/^used_cpu_sys:([\d.]+)/m)),
    scripts: { calls: own('evalsha') + own('eval'), us: us('evalsha') + us('eval') },
  };
}

export const versionOf = (server: RedisServer): string => /redis_version:(\S+)/.exec(server.cli('info', 'server'))?.[1] ?? 'unknown';
