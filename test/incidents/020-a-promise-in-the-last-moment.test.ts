/** A server was asked to stop while a message was on its way into the log. The message was stored, and its run with it, as one that is
 *  running; but the server counted the runs under way before that, found none, and ended without beginning it. The next instance found a
 *  run whose process had died, and the person read "the answer did not finish" of an answer that nobody had begun. And where the store
 *  hung while a conversation was being opened, the server never came to its end at all. */

import { expect, test } from 'vitest';
import { FaultyStore } from '../support/faulty-store.ts';
import { startGateway } from '../support/gateway.ts';

const ENDS_WITHIN_MS = 8_000;

test('a message accepted in the moment of the stop is answered before the server ends', async () => {
  const store = new FaultyStore();
  const gw = await startGateway({ store, shutdown: { spreadMs: 0 } });
  const append = store.hold('log.append');
  const asked = gw.request('POST', '/v1/threads/t/messages', { user: 'ada', body: { id: 'a', data: { parts: [{ type: 'text', text: 'one two' }] } } });
  await append.reached;
  const drained = gw.gateway.drain({ withinMs: 5_000 });
  // Whoever comes now is put off, and whoever came before is not forgotten.
  const late = await gw.request('POST', '/v1/threads/t/messages', { user: 'ada', body: { id: 'b', data: { parts: [{ type: 'text', text: 'late' }] } } });
  expect({ status: late.status, body: await late.json() }).toMatchObject({ status: 503, body: { code: 'draining', retryable: true } });
  append.release();
  expect((await asked).status).toBe(202);
  await drained;
  const snapshot = (await (await gw.request('GET', '/v1/threads/t/messages', { user: 'ada' })).json()) as { messages: object[] };
  expect(snapshot.messages).toMatchObject([
    { role: 'user', status: 'complete' },
    { role: 'assistant', status: 'complete', parts: [{ text: 'one two ' }] },
  ]);
  await gw[Symbol.asyncDispose]();
});

test('a store that hangs while a conversation is being opened does not keep the server from ending', async () => {
  const store = new FaultyStore();
  const gw = await startGateway({ store, shutdown: { spreadMs: 0 } });
  const state = store.hold('log.state');
  const asked = gw.request('POST', '/v1/threads/t/messages', { user: 'ada', body: { id: 'a', data: { parts: [{ type: 'text', text: 'one' }] } } });
  await state.reached;
  const startedAt = performance.now();
  await gw.gateway.drain({ withinMs: 100 });
  expect(performance.now() - startedAt).toBeLessThan(ENDS_WITHIN_MS);
  state.release();
  await asked;
  await gw[Symbol.asyncDispose]();
});
