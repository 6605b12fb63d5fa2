/** Somebody had copied a refresh token and used it. When its owner used it too, the gateway said that the log-in was ended, and did not end
 *  it: whoever was connected with it stayed so for as long as their token lived, went on reading and sending, and other nodes took its
 *  access token as before. */

import { expect, test } from 'vitest';
import { memoryStore } from '../../src/stores/memory.ts';
import { bearer, EventReader, expectProblem, startWithAccounts } from '../integration/http-support.ts';
import { eventually } from '../support/bare-node.ts';
import { HELLO } from '../support/gateway.ts';

test('what a log-in holds open ends when its refresh token is used twice, on every node', async () => {
  const store = memoryStore({ cluster: true });
  await using a = await startWithAccounts({ store, node: 'a' });
  await using b = await startWithAccounts({ store, node: 'b' });
  await eventually('the nodes to know each other', () => [a, b].every(({ gw }) => gw.gateway.factory.cluster?.living === 2));
  const [owner, other] = [await a.login(), await a.login()];
  const stolen = (await (await a.post('/v1/auth/refresh', { refreshToken: owner.refreshToken })).json()) as { accessToken: string };
  const open = async ({ gw }: typeof a, token: string) => {
    const client = await gw.open();
    client.sendFrame({ ...HELLO, token });
    await client.next('ready');
    return client;
  };
  const thieves = [await open(a, stolen.accessToken), await open(b, stolen.accessToken)];
  const kept = await open(b, other.accessToken);
  await using reader = new EventReader(await fetch(`${a.gw.url}/v1/threads/t/events`, { headers: bearer(stolen.accessToken) }));
  expect((await reader.next())?.data).toMatchObject({ type: 'replayed' });

  await expectProblem(await a.post('/v1/auth/refresh', { refreshToken: owner.refreshToken }), 401, 'refresh-reused');
  for (const thief of thieves) expect(await thief.next('bye')).toMatchObject({ code: 4506, return: 'never' });
  expect((await reader.next())?.data).toMatchObject({ type: 'bye', code: 4506 });
  const me = async (token: string): Promise<number> => (await fetch(`${b.gw.url}/v1/auth/me`, { headers: bearer(token) })).status;
  await eventually('its token to be void', async () => (await me(stolen.accessToken)) === 401);
  expect(kept.isOpen).toBe(true);
});
