/** Who can log in at a node that cannot ask the store it shares. */

import { expect, test } from 'vitest';
import { memoryStore } from '../../src/stores/memory.ts';
import { eventually } from '../support/bare-node.ts';
import { FaultyStore } from '../support/faulty-store.ts';
import { HELLO, startGateway } from '../support/gateway.ts';
import { expectProblem } from './http-support.ts';

const DEADLINE_MS = 150;

test('a token is enough for a seat; a ticket is not, and whoever brings one or asks for one is told to come again', async () => {
  const road = new FaultyStore(memoryStore({ cluster: true }));
  await using gw = await startGateway({ store: road, adminKey: 'a-key-of-the-tests-of-log-ins-000' });
  const bought = await gw.request('POST', '/v1/auth/ticket', { user: 'ada', body: { ttlMs: 60_000 } });
  const { ticket } = (await bought.json()) as { ticket: string };
  road.away(DEADLINE_MS);

  const startedAt = performance.now();
  const { ready } = await gw.seat('ada');
  expect(performance.now() - startedAt).toBeLessThan(1_000);
  expect(ready.limits).toMatchObject({ used: 1 });
  expect(gw.gateway.factory.getFactoryStatus().storeFailOpen).toBe(true);

  const refused = await expectProblem(await gw.request('POST', '/v1/auth/ticket', { user: 'ada', body: {} }), 503, 'store-unavailable');
  expect(refused).toMatchObject({ retryable: true });
  const late = await gw.open({ query: `?ticket=${ticket}` });
  late.sendFrame(HELLO);
  const bye = await late.next('bye');
  expect(['now', 'after']).toContain(bye.return);
  expect(bye).toMatchObject({ code: 4009 });

  road.back();
  await eventually('the store to be asked again', () => !gw.gateway.factory.getFactoryStatus().storeFailOpen);
  const again = await gw.open({ query: `?ticket=${ticket}` });
  again.sendFrame(HELLO);
  expect((await again.next('welcome')).user).toMatchObject({ id: 'ada' });
  expect((await again.next('ready')).limits).toMatchObject({ used: 2 });
});
