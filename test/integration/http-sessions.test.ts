import { describe, expect, test } from 'vitest';
import type { AgentRun } from '../../src/ports/agent.ts';
import { HELLO, startGateway } from '../support/gateway.ts';
import { expectProblem, startWithAccounts } from './http-support.ts';

describe('a person’s own sessions', () => {
  test('are listed with the one that asks marked', async () => {
    await using gw = await startGateway();
    const laptop = await gw.seat('ada', { client: { ...HELLO.client, label: 'Laptop' } });
    const phone = await gw.seat('ada', { client: { ...HELLO.client, label: 'Phone' } });
    await gw.seat('ben');
    const response = await gw.request('GET', '/v1/me/sessions', { user: 'ada', headers: { 'spillway-manager': phone.ready.manager } });
    const { sessions, limits } = (await response.json()) as { sessions: { id: string }[]; limits: object };
    expect(sessions).toHaveLength(2);
    expect(sessions.find((session) => session.id === phone.ready.manager)).toMatchObject({
      label: 'Phone',
      client: 'test 1.0',
      connected: true,
      visibility: 'visible',
      running: false,
      seat: 'soft',
      current: true,
    });
    expect(sessions.find((session) => session.id === laptop.ready.manager)).toMatchObject({ label: 'Laptop', current: false });
    expect(limits).toMatchObject({ used: 2, soft: 20, sockets: 2 });
  });

  test('can be ended one by one; the ended one learns from where', async () => {
    await using gw = await startGateway();
    const laptop = await gw.seat('ada', { client: { ...HELLO.client, label: 'Laptop' } });
    const phone = await gw.seat('ada', { client: { ...HELLO.client, label: 'Phone' } });
    const response = await gw.request('DELETE', `/v1/me/sessions/${laptop.ready.manager}`, {
      user: 'ada',
      headers: { 'spillway-manager': phone.ready.manager },
    });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ freed: [laptop.ready.manager], limits: { used: 1 } });
    expect(await laptop.client.next('bye')).toMatchObject({ code: 4203, return: 'user', text: 'You closed this one from Phone.' });
    await expectProblem(await gw.request('DELETE', `/v1/me/sessions/${laptop.ready.manager}`, { user: 'ada' }), 404, 'not-found');
  });

  test('that answer are kept when the unresponsive ones are freed', async () => {
    await using gw = await startGateway();
    await gw.seat('ada');
    const response = await gw.request('POST', '/v1/me/sessions/free-unresponsive', { user: 'ada', body: {} });
    expect(await response.json()).toMatchObject({ freed: [], kept: 1, limits: { used: 1 } });
  });

  test('may be asked for ten times a second; the eleventh waits, other people do not, and no seat is touched', async () => {
    await using gw = await startGateway();
    const token = await gw.token('ada');
    await gw.seat('ada');
    const answers = await Promise.all(Array.from({ length: 30 }, () => gw.request('GET', '/v1/me/sessions', { token })));
    const refused = answers.filter((answer) => answer.status === 429);
    expect(refused.length).toBeGreaterThan(0);
    const problem = await expectProblem(refused[0] as Response, 429, 'rate-limited');
    expect(problem.detail).toContain('no session is affected');
    expect((await gw.request('GET', '/v1/me/sessions', { user: 'ben' })).status).toBe(200);
    expect(await (await gw.request('GET', '/v1/auth/me', { token })).json()).toMatchObject({ limits: { used: 1 } });
  });
});

test('an agent that is asked for the sessions knows which of them asks, over either wire', async () => {
  const agent = {
    name: 'who',
    codec: 'agent-events' as const,
    async *run({ sessions }: AgentRun) {
      yield { type: 'agent_started', agent_name: 'who' } as const;
      const current = (await sessions()).filter((session) => session.current);
      yield { type: 'text_delta', text: `asked by ${current.map((session) => session.label).join()}.` } as const;
      yield { type: 'agent_completed', status: 'completed' } as const;
    },
  };
  await using gw = await startGateway({ agent });
  await gw.seat('ada', { client: { ...HELLO.client, label: 'Laptop' } });
  const phone = await gw.seat('ada', { client: { ...HELLO.client, label: 'Phone' } });
  const answer = async (thread: string): Promise<string> => {
    phone.client.sendFrame({ type: 'subscribe', sub: thread.length, thread, from: 'start' });
    const said = await phone.client.nextWhere('the answer', (f) => f.type === 'event' && f.sub === thread.length && f.data.type === 'text_delta');
    return said.data.text;
  };
  phone.client.behave().sendFrame({ type: 'send', id: 'a', thread: 'a', data: { text: 'who?' } });
  expect(await answer('a')).toBe('asked by Phone.');
  const ask = (thread: string, headers: Readonly<Record<string, string>>): Promise<Response> =>
    gw.request('POST', `/v1/threads/${thread}/messages`, { user: 'ada', headers, body: { id: 'b', data: { text: 'who?' } } });
  await ask('bb', { 'spillway-manager': phone.ready.manager });
  expect(await answer('bb')).toBe('asked by Phone.');
  await ask('ccc', {});
  expect(await answer('ccc')).toBe('asked by .');
});

describe('the page of sessions without scripts', () => {
  test('shows and ends sessions by plain forms', async () => {
    await using a = await startWithAccounts();
    const login = await a.post('/v1/auth/login', { username: 'ada', password: 'spillway', cookie: true }, { origin: a.gw.url });
    const { accessToken } = (await login.json()) as { accessToken: string };
    const cookie = (login.headers.getSetCookie()[0] as string).split(';')[0] as string;
    const seated = await a.gw.seat('ada', { token: accessToken, client: { ...HELLO.client, label: '<script>alert(1)</script>' } });
    const show = await fetch(`${a.gw.url}/me`, { headers: { cookie } });
    const page = await show.text();
    expect(show.headers.get('content-type')).toMatch('text/html');
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(page).not.toContain('<script');
    expect(page).toMatch(/Seen \d+ s ago/);
    expect(page.replace(/action="[^"]*"/g, '')).not.toMatch(/manager|seat|verdict|limit/i);
    expect(page).toContain(`action="/me/sessions/${seated.ready.manager}/free"`);

    const form = (headers: Record<string, string>) =>
      fetch(`${a.gw.url}/me/sessions/${seated.ready.manager}/free`, { method: 'POST', redirect: 'manual', headers: { cookie, ...headers } });
    await expectProblem(await form({}), 403, 'origin-denied');
    await expectProblem(await form({ origin: 'https://evil.example' }), 403, 'origin-denied');
    expect(await (await fetch(`${a.gw.url}/v1/auth/me`, { headers: { cookie, origin: a.gw.url } })).json()).toMatchObject({ limits: { used: 1 } });
    const answer = await form({ origin: a.gw.url });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/me']);
    expect(await seated.client.next('bye')).toMatchObject({ code: 4203 });
    expect(await (await fetch(`${a.gw.url}/me`, { headers: { cookie } })).text()).toContain('No session is open.');
  });

  test('asks strangers to sign in', async () => {
    await using a = await startWithAccounts();
    for (const cookie of ['', 'spillway_session=forged']) {
      const response = await fetch(`${a.gw.url}/me`, { headers: { cookie } });
      expect(response.status).toBe(401);
      expect(await response.text()).toContain('sign in');
    }
  });
});
