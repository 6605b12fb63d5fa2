import { expect, test } from 'vitest';
import { z } from 'zod';
import { CancelAnswer, Config, Freed, Health, LoginSession, Me, RunAcceptedBody, Sessions, Threads, TicketAnswer } from '../../src/schemas/bodies.ts';
import { ThreadSnapshot } from '../../src/schemas/messages.ts';
import { SERVER_FRAMES } from '../../src/schemas/server-frames.ts';
import { startWithAccounts } from './http-support.ts';

/** Checks a value by a schema that allows no field beside those it names. */
function expectShape(schema: z.ZodObject, value: unknown): void {
  const found = schema.strict().safeParse(value);
  expect(found.success ? 'as described' : `${JSON.stringify(value)}: ${z.prettifyError(found.error)}`).toBe('as described');
}

test('every answer of a day’s work has the shape that the OpenAPI document gives', async () => {
  await using a = await startWithAccounts();
  const login = await (await a.post('/v1/auth/login', { username: 'ada', password: 'spillway' })).json();
  expectShape(LoginSession, login);
  const token = (login as { accessToken: string }).accessToken;
  const ask = async (method: string, path: string, body?: unknown): Promise<unknown> =>
    (await a.gw.request(method, path, { token, ...(body === undefined ? {} : { body }) })).json();
  const { ready } = await a.gw.seat('ada', { token });
  expectShape(Me, await ask('GET', '/v1/auth/me'));
  expectShape(TicketAnswer, await ask('POST', '/v1/auth/ticket', {}));
  const accepted = (await ask('POST', '/v1/threads/t/messages', { id: 'c-1', data: { parts: [{ type: 'text', text: 'hello' }] } })) as { run: string };
  expectShape(RunAcceptedBody, accepted);
  expectShape(CancelAnswer, await ask('POST', `/v1/runs/${accepted.run}/cancel`));
  expectShape(ThreadSnapshot, await ask('GET', '/v1/threads/t/messages'));
  expectShape(Threads, await ask('GET', '/v1/threads'));
  expectShape(Sessions, await ask('GET', '/v1/me/sessions'));
  expectShape(Freed, await ask('DELETE', `/v1/me/sessions/${ready.manager}`));
  expectShape(Config, await ask('GET', '/v1/config'));
  expectShape(Health, await ask('GET', '/readyz'));
});

test('every frame of a session has the shape that the AsyncAPI document gives', async () => {
  await using a = await startWithAccounts();
  const { accessToken: token, refreshToken } = await a.login();
  const { client } = await a.gw.seat('ada', { token });
  client.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
  client.sendFrame({ type: 'send', id: 'c-1', thread: 't', data: { text: 'hello there' } });
  const accepted = await client.next('run-accepted');
  client.sendFrame({ type: 'cancel', run: accepted.run });
  await client.next('cancelled');
  client.sendFrame({ type: 'check', n: 1 });
  client.sendFrame({ type: 'token', token });
  client.sendFrame({ type: 'subscribe', sub: 1, thread: 't' });
  await client.next('error');
  client.sendFrame({ type: 'unsubscribe', sub: 1 });
  await client.next('unsubscribed');
  await a.post('/v1/auth/logout', { refreshToken });
  await client.next('bye');
  for (const frame of client.frames) expectShape(SERVER_FRAMES[frame.type as keyof typeof SERVER_FRAMES] as unknown as z.ZodObject, frame);
  const seen = new Set(client.frames.map((frame) => frame.type));
  for (const type of [
    'welcome',
    'ready',
    'subscribed',
    'replayed',
    'run-accepted',
    'event',
    'cancelled',
    'check-ok',
    'token-ok',
    'error',
    'unsubscribed',
    'bye',
  ])
    expect(seen).toContain(type);
});
