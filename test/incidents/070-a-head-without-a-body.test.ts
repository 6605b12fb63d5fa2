/** A monitor asked for the head of a conversation's events (`HEAD`), every few seconds. Each time the gateway opened a stream that nobody
 *  read and nobody could end: it was kept until the token ended, and one after the other they took the places of the streams in which the
 *  person was reading. */

import { expect, test } from 'vitest';
import { bearer, EventReader } from '../integration/http-support.ts';
import { startWithAdmin } from '../support/admin.ts';
import { startGateway } from '../support/gateway.ts';

const STREAM = { accept: 'text/event-stream' };
const headOf = ({ status, headers }: Response) => [status, headers.get('content-type')];
const HEAD = [200, 'text/event-stream; charset=utf-8'];

test('who asks for the head of a stream opens none, and takes nobody’s place', async () => {
  await using gw = await startGateway({ sse: { perUser: 2 } });
  const token = await gw.token('ada');
  await using reader = new EventReader(await fetch(`${gw.url}/v1/threads/t/events?from=start`, { headers: bearer(token) }));
  expect((await reader.next())?.data).toMatchObject({ type: 'replayed' });
  for (let i = 0; i < 3; i++) expect(headOf(await gw.request('HEAD', '/v1/threads/t/events', { token }))).toEqual(HEAD);
  expect((await gw.request('POST', '/v1/threads/t/messages', { token, body: { id: 'm', data: { text: 'still there?' } } })).status).toBe(202);
  expect((await reader.next())?.data).toMatchObject({ type: 'event', offset: 1 });
});

test('nor an operator’s', async () => {
  await using admin = await startWithAdmin();
  await using reader = new EventReader(await admin.ask('GET', 'events', undefined, STREAM));
  for (let i = 0; i < 11; i++) expect(headOf(await admin.ask('HEAD', 'events', undefined, STREAM))).toEqual(HEAD);
  await admin.gw.seat('ada');
  expect((await reader.next())?.event).not.toBe('bye');
});
