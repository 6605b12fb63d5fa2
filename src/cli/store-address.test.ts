import { expect, it } from 'vitest';
import { storeAddress } from './store-address.ts';

const read = (store: string, password: string | null = null) => storeAddress({ store, redis: { prefix: 'sp', password } });

it.each([
  ['memory', { is: 'memory' }],
  ['sqlite:.spillway/spillway.sqlite', { is: 'sqlite', file: '.spillway/spillway.sqlite' }],
  ['redis://127.0.0.1:6379', { is: 'redis', options: { url: 'redis://127.0.0.1:6379', prefix: 'sp' } }],
  ['rediss://ada:p%40ss@cache.example/2', { is: 'redis', options: { url: 'rediss://ada:p%40ss@cache.example/2', prefix: 'sp' } }],
  ['valkey://[::1]:6379', { is: 'redis', options: { url: 'valkey://[::1]:6379', prefix: 'sp' } }],
  ['redis+cluster://ada:p%40ss@a:7000,b:7001', { is: 'redis', options: { nodes: ['a:7000', 'b:7001'], username: 'ada', password: 'p@ss', prefix: 'sp' } }],
  [
    'rediss+sentinel://a:26379,[::1]:26380/main/3',
    { is: 'redis', options: { sentinels: ['a:26379', '[::1]:26380'], sentinelName: 'main', database: 3, tls: true, prefix: 'sp' } },
  ],
])('%s', (store, address) => {
  expect(read(store)).toEqual(address);
});

it.each([
  [
    '',
    'sqlite:',
    'redis:',
    'redis://',
    'redis://a,b',
    'redis://a/db',
    'redis+sentinel://a:1',
    'redis+cluster://a/1',
    'http://a',
    'redis+raft://a',
    'redis+cluster://a:x',
  ],
])('anything else is refused: %s', (...stores) => {
  for (const store of stores) expect(read(store), store).toBeNull();
});

it('the password of the option counts where the address has none', () => {
  expect(read('redis://a', 'secret')).toMatchObject({ options: { password: 'secret' } });
  expect(read('redis+cluster://:own@a', 'secret')).toMatchObject({ options: { password: 'own' } });
});
