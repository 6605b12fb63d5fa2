/** Gateways that share a Redis, as operators start and look at them. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCli, startCli, temporaryFolder } from '../support/cli.ts';
import { redisTool, startRedis } from '../support/redis.ts';
import { skipWithout } from '../support/tools.ts';

const KEY = 'a-key-of-the-tests';
const ENV = {
  SPILLWAY_AUTH_JWT_SECRET: 'a-secret-of-the-issuer-32-bytes-long',
  SPILLWAY_AUTH_ORIGINS: 'https://chat.example',
  SPILLWAY_ADMIN_TOKEN: KEY,
  SPILLWAY_LOGGING_FORMAT: 'json',
};

describe('what cannot work is said at the start', () => {
  const refused = async (...args: readonly string[]): Promise<string> => {
    const { code, stderr } = await runCli(['config', 'check', ...args], { env: ENV });
    expect(code).toBe(2);
    return stderr;
  };

  test('several workers without a store that they can share', async () => {
    expect(await refused('--workers', '2', '--store', 'memory')).toMatch(/`workers: 2` needs a store that processes can share, got `memory`.*redis:\/\//);
  });

  test('an address of no known form, and its password is not repeated', async () => {
    const said = await refused('--store', 'mongodb://ada:geheim@10.0.0.5');
    expect(said).toContain('redis+sentinel://');
    expect(said).not.toContain('geheim');
  });

  test('a name that no node can have', async () => {
    expect(await refused('--node', 'gw 1')).toContain('Expected `node`');
  });

  test('`config show` hides the password of an address', async () => {
    const { stdout } = await runCli(['config', 'show', '--store', 'redis://ada:geheim@10.0.0.5:6379'], { env: ENV });
    expect(stdout).toContain('redis://ada:[secret]@10.0.0.5:6379');
    expect(stdout).not.toContain('geheim');
  });
});

describe('on a real Redis', () => {
  skipWithout(redisTool());

  test('two gateways agree on a signing key, know each other, and tell of each other', { timeout: 60_000 }, async () => {
    await using redis = await startRedis();
    using folder = temporaryFolder();
    const start = (node: string) =>
      startCli(['serve', '--listen', '127.0.0.1:0', '--admin.listen', '127.0.0.1:0', '--data', join(folder.path, node), '--store', redis.url, '--node', node], {
        env: ENV,
      });
    await using first = start('gw-1');
    await using second = start('gw-2');
    const listening = /"url":"(http:[^"]+)","admin":"(http:[^"]+)"/;
    const [, url = '', admin = ''] = await first.until(listening);
    const [, , other = ''] = await second.until(listening);
    const keyOf = (node: string): string => readFileSync(join(folder.path, node, 'signing-key'), 'hex');
    expect(keyOf('gw-1')).toBe(keyOf('gw-2'));

    const listed = async (at: string): Promise<string[][]> => {
      const { stdout } = await runCli(['nodes', 'list', '--url', at], { env: { SPILLWAY_ADMIN_TOKEN: KEY } });
      return stdout
        .trim()
        .split('\n')
        .map((line) => line.split('\t').slice(0, 2));
    };
    await expect
      .poll(() => listed(admin), { timeout: 15_000 })
      .toEqual([
        ['gw-1', 'ready'],
        ['gw-2', 'ready'],
      ]);
    expect((await listed(other)).toSorted()).toEqual([
      ['gw-1', 'ready'],
      ['gw-2', 'ready'],
    ]);
    expect(await (await fetch(`${url}/readyz`)).json()).toMatchObject({
      checks: expect.arrayContaining([expect.objectContaining({ name: 'lease', ok: true })]),
    });

    const drained = await runCli(['nodes', 'drain', 'gw-2', '--yes', '--reason', 'a test', '--url', admin], { env: { SPILLWAY_ADMIN_TOKEN: KEY } });
    expect(drained.code, drained.stderr).toBe(0);
    expect((await listed(admin)).toSorted()).toContainEqual(['gw-2', 'draining']);
  });

  test('`doctor` looks at everything before a gateway depends on it, and says what to do', { timeout: 30_000 }, async () => {
    await using redis = await startRedis();
    using folder = temporaryFolder();
    const doctor = async (): Promise<ReadonlyMap<string, readonly [result: string, detail: string]>> => {
      const { stdout } = await runCli(['doctor', '--store', redis.url, '--data', join(folder.path, 'data')], { env: ENV, cwd: folder.path });
      return new Map(
        stdout
          .trim()
          .split('\n')
          .map((line) => line.split('\t'))
          .map(([result = '', check = '', detail = '']) => [check, [result, detail] as const]),
      );
    };
    const good = await doctor();
    for (const check of ['store version', 'store eviction policy', 'store permissions', 'store latency', 'store clock', 'store'])
      expect(good.get(check)?.[0], check).toBe('ok');
    expect(good.get('store replicas')).toEqual(['warning', expect.stringContaining('Add a replica')]);
    redis.cli('config', 'set', 'maxmemory-policy', 'allkeys-lru');
    expect((await doctor()).get('store eviction policy')).toEqual(['problem', expect.stringContaining('CONFIG SET maxmemory-policy noeviction')]);
  });
});
