import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createAccounts } from '../../src/auth/accounts.ts';
import { ensureUsersFile } from '../../src/auth/users-file.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { HELLO, startGateway } from '../support/gateway.ts';

test('whoever signs out ends their sessions, and a resume token of that log-in opens nothing any more', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'spillway-log-out-'));
  try {
    const usersFile = join(folder, 'users.json');
    await ensureUsersFile(usersFile);
    const store = memoryStore();
    const signingKey = new TextEncoder().encode('a signing key of the tests, 32 b.');
    const accounts = createAccounts({ usersFile, signingKey, store: store.credentials, tokenTtlMs: 60_000, refreshTtlMs: 600_000, loginsPerMinute: 10 });
    await using gw = await startGateway({ authenticate: accounts.authenticator, accounts, store, signingKey });
    const login = await gw.request('POST', '/v1/auth/login', { body: { username: 'ada', password: 'spillway' } });
    expect(login.status).toBe(200);
    const { accessToken, refreshToken } = (await login.json()) as { accessToken: string; refreshToken: string };
    const client = await gw.open();
    client.sendFrame({ ...HELLO, token: accessToken });
    const ready = await client.next('ready');

    const out = await gw.request('POST', '/v1/auth/logout', { token: accessToken, body: { refreshToken } });
    expect(out.status).toBe(204);
    expect(await client.next('bye')).toMatchObject({ code: 4506, return: 'never' });
    expect((await client.close()).code).toBe(4506);
    expect(gw.gateway.factory.getFactoryStatus().seats).toBe(0);

    const again = await gw.open();
    again.sendFrame({ ...HELLO, resume: { manager: ready.manager, token: ready.resumeToken, subs: [] } });
    expect((await again.close()).code).toBe(4501);
    expect(gw.gateway.factory.getFactoryStatus().seats).toBe(0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
