import { expect, test } from 'vitest';
import { findingsOf } from './server-info.ts';

const GOOD = {
  ...{ redis_version: '7.0.15', role: 'master', maxmemory: '0', maxmemory_policy: 'noeviction', aof_enabled: '1', cluster_enabled: '0' },
};
const wrongOf = (change: Record<string, string>, isCluster = false) =>
  findingsOf(
    Object.entries({ ...GOOD, ...change })
      .map((pair) => pair.join(':'))
      .join('\r\n'),
    isCluster,
  ).filter((finding) => finding.is !== 'ok');

test('a server as it should be, and Valkey, which names the Redis that it can stand for', () => {
  expect(wrongOf({})).toEqual([]);
  expect(wrongOf({ redis_version: '7.2.4', server_name: 'valkey', valkey_version: '9.0.1' })).toEqual([]);
  expect(wrongOf({ redis_version: '10.1.0' })).toEqual([]);
  expect(wrongOf({ cluster_enabled: '1' }, true)).toEqual([]);
});

test('what is wrong is named with what helps', () => {
  expect(wrongOf({ redis_version: '6.2.14' })).toMatchObject([
    { name: 'version', is: 'wrong', detail: 'Expected Redis 7.0 or newer, or Valkey, but this is Redis 6.2.14.', help: 'Upgrade the server.' },
  ]);
  expect(wrongOf({ role: 'slave', master_host: '10.0.0.1', master_port: '6379' })).toMatchObject([{ name: 'role', is: 'wrong' }]);
  expect(wrongOf({ maxmemory_policy: 'volatile-lru' })).toMatchObject([{ name: 'eviction', is: 'wrong', help: expect.stringContaining('noeviction') }]);
  expect(wrongOf({ cluster_enabled: '1' })).toMatchObject([{ name: 'mode', help: expect.stringContaining('`nodes`') }]);
  expect(wrongOf({}, true)).toMatchObject([{ name: 'mode', help: expect.stringContaining('`url`') }]);
});

test('a server that forgets at a restart is used, and said to be one', () => {
  expect(wrongOf({ aof_enabled: '0' })).toMatchObject([{ name: 'persistence', is: 'warning' }]);
});
