/** An application named its tabs by what was said in them. One name had an emoji where the client cuts what is too long: half of it was left,
 *  which is no text at all. The gateway refused the hello for good, and the page told the person to reload it, which changed nothing. Titles
 *  of conversations and names of people were cut in the same way. */

import { expect, test } from 'vitest';
import { createSpillway } from '../../src/client/index.ts';
import { startGateway } from '../support/gateway.ts';

const SMILE = '😀';
const before = (length: number): string => 'a'.repeat(length);

test.each([
  ['is cut in the middle of a character', `${before(41)}${SMILE} and more`, before(41)],
  ['had half a character already', `left${SMILE[0]} right${SMILE[1]}`, 'left right'],
  ['is short enough', `all of ${SMILE}`, `all of ${SMILE}`],
])('a tab whose name %s gets its seat', async (_, label, shown) => {
  await using gw = await startGateway();
  const token = await gw.token('ada');
  await using client = createSpillway({ url: gw.wsUrl, getToken: async () => token, label });
  await client.connect();
  expect((await client.sessions.list()).map((session) => session.label)).toEqual([shown]);
});

test('titles and names end with a whole character', async () => {
  await using gw = await startGateway();
  const token = await gw.token('ada', { name: `${before(127)}${SMILE}` });
  await gw.request('POST', '/v1/threads/t/messages', { token, body: { id: 'm', data: { text: `${before(78)}${SMILE} and more` } } });
  const { threads } = (await (await gw.request('GET', '/v1/threads', { token })).json()) as { threads: { title: string }[] };
  expect(threads.map(({ title }) => title)).toEqual([`${before(78)}…`]);
  const { user } = (await (await gw.request('GET', '/v1/auth/me', { token })).json()) as { user: { name: string } };
  expect(user.name).toBe(before(127));
});
