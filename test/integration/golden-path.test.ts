/** The client of our own that logs in, asks and checks the answer, beside a gateway as it is run. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { runCli, startCli, temporaryFolder } from '../support/cli.ts';

const SECRET = 'a-secret-of-the-issuer-32-bytes-long';
const OFTEN = { SPILLWAY_GOLDEN_PATH_EVERY_MS: '400', SPILLWAY_RATE_LOGINS_PER_MINUTE: '1000' };
const PLACES = ['--admin.listen', '127.0.0.1:0', '--logging.format', 'json'];
const SERVE = [
  'serve',
  '--listen',
  '127.0.0.1:0',
  ...PLACES,
  '--data',
  'memory',
  '--store',
  'memory',
  '--auth.jwt-secret',
  SECRET,
  '--auth.origins',
  'https://chat.example',
];
const KEY = 'a-key-of-the-tests';

const tokenFor = (secret: string): Promise<string> =>
  new SignJWT({}).setProtectedHeader({ alg: 'HS256' }).setSubject('golden').setExpirationTime('1h').sign(new TextEncoder().encode(secret));

/** The operators' side of a gateway. */
function operator(url: string, key: string) {
  const headers = { authorization: `Bearer ${key}` };
  return {
    get: async (path: string) => (await fetch(`${url}/admin/api/v1/${path}`, { headers })).json(),
    async ran(result: string): Promise<number> {
      const text = await (await fetch(`${url}/metrics`, { headers })).text();
      return Number(new RegExp(`^spillway_golden_path_runs_total\\{result="${result}"\\} (\\d+)`, 'm').exec(text)?.[1]);
    },
  };
}

async function until(what: string, holds: () => Promise<boolean>, withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`Expected ${what} within ${withinMs} ms.`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('the golden path', () => {
  it('logs in with an account of its own, gets the right answer from the built-in agent, and leaves nothing behind', async () => {
    using folder = temporaryFolder();
    await using dev = startCli(['dev', '--no-open', '--port', '0', ...PLACES], { cwd: folder.path, env: OFTEN });
    const [, url = ''] = await dev.until(/Dashboard\s+(http:\/\/[\d.:]+)\//);
    const { get, ran } = operator(url, readFileSync(join(folder.path, '.spillway', 'admin-key'), 'utf8').trim());
    await until('two good walks', async () => (await ran('ok')) >= 2, 15_000);
    expect(await ran('failed')).toBe(0);
    await until('nobody to be here between two walks', async () => (await get('status')).seats === 0, 5_000);
    const users = ((await get('users')).users as { user: string }[]).map(({ user }) => user);
    expect(users.filter((user) => user !== 'spillway:golden-path')).toEqual([]);
    dev.child.kill('SIGTERM');
    expect(await dev.finished).toMatchObject({ code: 0 });
  });

  it('goes with its token where another issuer makes them; one that is refused is said, counted and an alert', async () => {
    const env = { ...OFTEN, SPILLWAY_ADMIN_TOKEN: KEY, SPILLWAY_GOLDEN_PATH_TOKEN: await tokenFor('another secret, of nobody we know') };
    await using serve = startCli(SERVE, { env });
    const [, url = ''] = await serve.until(/"admin":"(http:[^"]+)"/);
    const { get, ran } = operator(url, KEY);
    await serve.until(/"event":"golden-path-failed",.*"message":"The golden path failed at its seat: /);
    await until(
      'the alert',
      async () => (await get('alerts')).alerts.some((a: { alert: string; state: string }) => a.alert === 'GoldenPathFailing' && a.state === 'firing'),
      15_000,
    );
    expect(await ran('failed')).toBeGreaterThanOrEqual(2);
    expect(serve.stdout()).not.toContain(env.SPILLWAY_GOLDEN_PATH_TOKEN);
  });

  it('with a good token it works there, too; without one it is off and says so', async () => {
    const env = { ...OFTEN, SPILLWAY_ADMIN_TOKEN: KEY };
    await using off = startCli(SERVE, { env });
    await off.until(/"event":"golden-path-off",.*"message":"[^"]*goldenPath\.token/);
    await using serve = startCli(SERVE, { env: { ...env, SPILLWAY_GOLDEN_PATH_TOKEN: await tokenFor(SECRET) } });
    const [, url = ''] = await serve.until(/"admin":"(http:[^"]+)"/);
    await until('a good walk', async () => (await operator(url, KEY).ran('ok')) >= 1, 15_000);
  });

  it('is refused where it would lock itself out by logging in too often', async () => {
    using folder = temporaryFolder();
    const env = { SPILLWAY_GOLDEN_PATH_EVERY_MS: '1000', SPILLWAY_ALERTS_WEBHOOK: 'chat.example/a-secret' };
    const { code, stderr } = await runCli(['config', 'check', '--dev'], { cwd: folder.path, env });
    expect(code).not.toBe(0);
    expect(stderr).toContain('logs in 60 times a minute, and `rate.loginsPerMinute` allows 10');
    expect(stderr).toContain('Expected `alerts.webhook` to be an address');
    expect(stderr).not.toContain('a-secret');
  });
});
