import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createAccounts } from '../../src/auth/accounts.ts';
import { ensureUsersFile, readUsersFile } from '../../src/auth/users-file.ts';
import type { AgentRun } from '../../src/ports/agent.ts';
import type { EventName } from '../../src/ports/events.ts';
import type { AgentYield } from '../../src/protocol/agent-events.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { EVENTS } from '../../src/telemetry/event-table.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { ADMIN_KEY, startWithAdmin } from '../support/admin.ts';
import { temporaryFolder } from '../support/cli.ts';
import { HELLO } from '../support/gateway.ts';
import { scrape } from '../support/scrape.ts';

/** Says again what it was asked, in every field that an agent has; asked for it, it yields what is no event. */
async function* talkative({ messages }: AgentRun): AsyncIterable<AgentYield> {
  const part = messages.at(-1)?.parts[0];
  const said = part?.type === 'text' ? part.text : '';
  yield { type: 'agent_started', agent_name: 'talkative' };
  yield { type: 'agent_thinking', reasoning: said };
  yield { type: 'tool_executing', tool_name: 'look', execution_id: 'e1', parameters: { query: said } };
  yield { type: 'tool_completed', tool_name: 'look', execution_id: 'e1', success: true, results: { found: said } };
  yield { type: 'text_delta', text: said };
  if (said.startsWith('broken')) yield { type: said, text: { is: said } } as unknown as AgentYield;
  yield { type: 'agent_completed', status: 'completed', result: { said } };
}

const secretText = fc.uuid().map((id) => `hush-${id}`);

test('what people say and what they sign in with is in no log, no metric and no event', async () => {
  using folder = temporaryFolder();
  const file = `${folder.path}/users.json`;
  await ensureUsersFile(file);
  const store = memoryStore();
  const lines: string[] = [];
  const log = createLog({ level: 'debug', format: 'json', write: (line) => lines.push(line) });
  const signingKey = new TextEncoder().encode('a signing key of the tests, 32 b.');
  const accounts = createAccounts({
    users: readUsersFile(file),
    signingKey,
    store: store.credentials,
    tokenTtlMs: 60_000,
    refreshTtlMs: 60_000,
    loginsPerMinute: 1_000,
  });
  await using admin = await startWithAdmin({ store, accounts, authenticate: accounts.authenticator, agent: talkative, telemetry: log, signingKey });
  const { gw } = admin;
  const told: string[] = [];
  for (const name of Object.keys(EVENTS) as EventName[]) gw.gateway.factory.telemetry.on(name, (event) => told.push(JSON.stringify({ name, event })));

  await fc.assert(
    fc.asyncProperty(secretText, fc.boolean(), async (said, isBroken) => {
      const text = isBroken ? `broken-${said}` : said;
      const secrets = [said];
      const login = async (password: string) => gw.request('POST', '/v1/auth/login', { body: { username: 'ada', password } });
      await login(`wrong-${said}`);
      const { accessToken, refreshToken } = (await (await login('spillway')).json()) as { accessToken: string; refreshToken: string };
      const { ticket } = (await (await gw.request('POST', '/v1/auth/ticket', { token: accessToken, body: {} })).json()) as { ticket: string };
      secrets.push(accessToken, refreshToken, ticket);
      await gw.request('GET', `/v1/threads?limit=${said}`, { token: said, headers: { cookie: `spillway_session=${said}` } });
      await gw.request('POST', '/v1/auth/refresh', { body: { refreshToken: said } });
      await gw.request('POST', `/v1/threads/t/messages`, { token: accessToken, body: { id: 'x', data: { text, parts: said }, [said]: said } });

      const stranger = await gw.open({ query: `?ticket=${said}` });
      stranger.sendFrame(HELLO);
      await stranger.close();
      const garbled = await gw.open();
      garbled.sendFrame(`{"type":"hello","token":"${said}`);
      await garbled.close();

      const client = (await gw.open({ query: `?ticket=${ticket}` })).behave();
      client.sendFrame(HELLO);
      const { resumeToken } = await client.next('ready');
      secrets.push(resumeToken as string);
      client.sendFrame({ type: 'subscribe', sub: 1, thread: 'th', from: 'now' });
      client.sendFrame({ type: 'send', id: `send-${lines.length}`, thread: 'th', data: { text } });
      await client.nextWhere('the end', ({ type, data }) => type === 'event' && /agent_completed|agent_error/.test(JSON.stringify(data)));
      client.sendFrame({ type: said, text: said });
      client.sendFrame(`no json: ${said}`);
      await client.close();

      const metrics = await scrape(admin.url, ADMIN_KEY, 'application/openmetrics-text');
      const api = await Promise.all(['events', 'status', 'users', 'managers', 'cleanup/history'].map(async (path) => (await admin.ask('GET', path)).text()));
      for (const secret of [...secrets, ADMIN_KEY, 'spillway_session']) {
        expect(lines.join(''), 'the log').not.toContain(secret);
        expect(told.join('\n'), 'events').not.toContain(secret);
        expect(metrics.text, 'metrics').not.toContain(secret);
        expect(api.join('\n'), 'the admin API').not.toContain(secret);
      }
    }),
    { numRuns: 5, endOnFailure: true },
  );
  expect(lines.length).toBeGreaterThan(20);
  expect(told.length).toBeGreaterThan(100);
});
