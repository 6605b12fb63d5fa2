/** A request of an operator that may concern another node was read before anybody looked at it, however long it was: a body that told no
 *  length, and never ended, filled the memory of the node. What was no list of managers, and a path that was spelled wrong, was answered as
 *  an error of the gateway. */

import { request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { memoryStore } from '../../src/stores/memory.ts';
import { ADMIN_KEY, type AdminGateway, startWithAdmin } from '../support/admin.ts';

const stack = new AsyncDisposableStack();
let one: AdminGateway;

beforeAll(async () => {
  const store = memoryStore({ cluster: true });
  one = stack.use(await startWithAdmin({ store, node: 'gw-1' }));
  const two = stack.use(await startWithAdmin({ store, node: 'gw-2' }));
  await two.gw.seat('ada');
  const { cluster } = one.gw.gateway.factory;
  while (cluster?.living !== 2) await new Promise((resolve) => setTimeout(resolve, 20));
});
afterAll(() => stack.disposeAsync());

test('a body that does not end is refused as soon as it is too long', async () => {
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const headers = { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' };
    const asking = request(`${one.url}/admin/api/v1/users/ada/free`, { method: 'POST', headers });
    asking.on('response', (response) => {
      resolve(response.statusCode);
      asking.destroy();
    });
    asking.on('error', reject);
    // Two megabytes, and then nothing.
    asking.write(`{"reason":"${'x'.repeat(2 * 1_048_576)}`);
  });
  expect(status).toBe(413);
});

test('what is wrong with a request is said, as with one node', async () => {
  const reason = 'seen in a test';
  expect((await one.ask('POST', 'users/ada/free', { managers: 5, reason })).status).toBe(400);
  expect((await one.ask('POST', 'users/ada/free', { managers: {}, reason })).status).toBe(400);
  expect((await one.ask('GET', 'managers/%E0%A4%A')).status).toBe(404);
  expect((await one.ask('POST', 'nodes/%E0%A4%A/drain', { reason })).status).toBe(404);
});
