import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli, startCli, takePort, temporaryFolder } from '../support/cli.ts';

const SERVE = ['serve', '--auth.jwt-secret', 'a-secret-of-the-issuer-32-bytes-long', '--auth.origins', 'https://chat.example', '--logging.format', 'json'];
const BANNER = /ws:\/\/127\.0\.0\.1:(\d+)\/v1\/ws[\s\S]*Admin +(http:\S+)\/admin\/api\/v1/;
const LISTENING = /"event":"listening","url":"(http:[^"]+)","admin":"(http:[^"]+)"/;

const keyIn = (folder: string): string => readFileSync(join(folder, '.spillway', 'admin-key'), 'utf8').trim();
const status = async (url: string | undefined, key: string): Promise<number> =>
  (await fetch(`${url}/admin/api/v1/status`, { headers: { authorization: `Bearer ${key}` } })).status;

/** Two ports in a row that are free, with a listener of ours on the second if `isTaken`. */
async function takeSecond(): Promise<{ readonly first: number } & AsyncDisposable> {
  for (;;) {
    const first = await takePort();
    const second = await takePort(first.port + 1).catch(() => null);
    await first[Symbol.asyncDispose]();
    if (second !== null) return { first: first.port, [Symbol.asyncDispose]: second[Symbol.asyncDispose] };
  }
}

describe('the operators’ listener of spillway dev', () => {
  it('is opened by the key in the data folder, which stays over a restart', async () => {
    using folder = temporaryFolder();
    const keys: string[] = [];
    for (let start = 0; start < 2; start++) {
      await using dev = startCli(['dev', '--no-open', '--port', '0'], { cwd: folder.path });
      const [, , admin] = await dev.until(BANNER);
      expect(dev.stdout()).toContain('key in ./.spillway/admin-key');
      keys.push(keyIn(folder.path));
      expect((statSync(join(folder.path, '.spillway', 'admin-key')).mode & 0o777).toString(8)).toBe('600');
      expect(await status(admin, keys[start] ?? '')).toBe(200);
      expect(await status(admin, 'another key, long enough')).toBe(401);
      expect((await fetch(`${admin}/readyz`)).status).toBe(200);
      expect(dev.stdout()).not.toContain(keys[start]);
    }
    expect(keys[0]).toMatch(/^[\w-]{43}$/);
    expect(keys[0]).toBe(keys[1]);
  });

  it('shows the key itself only where nothing is kept', async () => {
    using folder = temporaryFolder();
    await using dev = startCli(['dev', '--no-open', '--port', '0', '--data', 'memory'], { cwd: folder.path });
    const [, admin, key] = await dev.until(/Admin +(http:\S+)\/admin\/api\/v1 {3}key ([\w-]{43})\n/);
    expect(await status(admin, key ?? '')).toBe(200);
  });

  it('prefers the key of `admin.token`', async () => {
    using folder = temporaryFolder();
    await using dev = startCli(['dev', '--no-open', '--port', '0'], { cwd: folder.path, env: { SPILLWAY_ADMIN_TOKEN: 'a-key-of-the-operators' } });
    const [, , admin] = await dev.until(BANNER);
    expect(dev.stdout()).toContain('key: admin.token');
    expect(await status(admin, 'a-key-of-the-operators')).toBe(200);
  });

  it('moves with the public one to the next free pair, if either port is taken', async () => {
    using folder = temporaryFolder();
    await using taken = await takeSecond();
    await using dev = startCli(['dev', '--no-open', '--data', 'memory', '--port', String(taken.first)], { cwd: folder.path });
    const [, port, admin] = await dev.until(BANNER);
    expect(Number(port)).toBeGreaterThan(taken.first);
    expect(admin).toBe(`http://127.0.0.1:${Number(port) + 1}`);
    expect(dev.stdout()).toContain(`${taken.first} and ${taken.first + 1} were not both free`);
  });

  it('does not start with a key file that holds no key', async () => {
    using folder = temporaryFolder();
    await using first = startCli(['dev', '--no-open', '--port', '0'], { cwd: folder.path });
    await first.until(BANNER);
    first.child.kill('SIGTERM');
    await first.finished;
    writeFileSync(join(folder.path, '.spillway', 'admin-key'), 'short\n');
    const { code, stderr } = await runCli(['dev', '--no-open', '--port', '0'], { cwd: folder.path });
    expect(code).toBe(2);
    expect(stderr).toMatch(/admin-key to hold a key of at least 16 characters.*Remove it/);
    expect(stderr).not.toContain('short');
  });
});

describe('the operators’ listener of spillway serve', () => {
  it('is opened by the key in the data folder too, and is not on the public port', async () => {
    using folder = temporaryFolder();
    await using serve = startCli([...SERVE, '--listen', '127.0.0.1:0'], { cwd: folder.path });
    const [, url, admin] = await serve.until(LISTENING);
    expect(await status(admin, keyIn(folder.path))).toBe(200);
    expect(await status(url, keyIn(folder.path))).toBe(404);
    expect(serve.stdout()).not.toContain(keyIn(folder.path));
    serve.child.kill('SIGTERM');
    expect((await serve.finished).code).toBe(0);
  });

  it('is read-only for everybody with `admin.readOnly`, and tells where its options come from without its secrets', async () => {
    using folder = temporaryFolder();
    const env = { SPILLWAY_ADMIN_READ_ONLY: 'true', SPILLWAY_ADMIN_TOKEN: 'a-key-of-the-operators' };
    await using serve = startCli([...SERVE, '--listen', '127.0.0.1:0'], { cwd: folder.path, env });
    const [, , admin] = await serve.until(LISTENING);
    const ask = (method: string, path: string, body?: string) =>
      fetch(`${admin}/admin/api/v1/${path}`, {
        method,
        headers: { authorization: 'Bearer a-key-of-the-operators', 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body }),
      });
    const config = await (await ask('GET', 'config')).text();
    expect(JSON.parse(config).options).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ key: 'admin.readOnly', value: true, source: 'environment' }),
        expect.objectContaining({ key: 'admin.token', value: '[secret]', source: 'environment' }),
        expect.objectContaining({ key: 'auth.jwtSecret', value: '[secret]', source: 'flag' }),
      ]),
    );
    expect(config).not.toMatch(/a-key-of-the-operators|a-secret-of-the-issuer/);
    const refused = await ask('PUT', 'users/ada/tier', '{"tier":"mid","reason":"a test"}');
    expect(refused.status).toBe(403);
    expect(await refused.text()).toContain('`admin.readOnly`');
  });

  it('names its option when its port is taken, and opens nothing', async () => {
    using folder = temporaryFolder();
    await using taken = await takePort();
    const { code, stdout, stderr } = await runCli([...SERVE, '--listen', '127.0.0.1:0', '--admin-port', String(taken.port)], { cwd: folder.path });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(
      `spillway: Expected port ${taken.port} of \`admin.listen\` to be free, but another program listens there. Stop it, or set \`admin.listen\` to another port.\n`,
    );
    expect(() => statSync(join(folder.path, '.spillway'))).toThrow('ENOENT');
  });

  it('answers that the gateway is not ready while the store is waited for', async () => {
    using folder = temporaryFolder();
    writeFileSync(join(folder.path, 'file'), 'in the way of a folder');
    const [one, two] = [await takePort(), await takePort()];
    await Promise.all([one[Symbol.asyncDispose](), two[Symbol.asyncDispose]()]);
    const ports = ['--listen', `127.0.0.1:${one.port}`, '--admin-port', String(two.port)];
    await using serve = startCli([...SERVE, ...ports, '--store', 'sqlite:file/s.sqlite'], { cwd: folder.path });
    await serve.until(/"event":"store-unreachable"/);
    const admin = `http://127.0.0.1:${two.port}`;
    expect((await fetch(`${admin}/livez`)).status).toBe(200);
    expect((await fetch(`${admin}/readyz`)).status).toBe(503);
    expect(await status(admin, 'x')).toBe(503);
  });

  it('says that nobody can use it where its key is kept nowhere', async () => {
    using folder = temporaryFolder();
    await using serve = startCli([...SERVE, '--listen', '127.0.0.1:0', '--data', 'memory'], { cwd: folder.path });
    await serve.until(/"severity":"WARNING".*"event":"admin-key-unknown".*`admin.token`/);
  });

  it('beyond this machine needs a key of the operator’s own', async () => {
    using folder = temporaryFolder();
    const { code, stderr } = await runCli([...SERVE, '--listen', '127.0.0.1:0', '--admin.listen', ':0'], { cwd: folder.path });
    expect(code).toBe(2);
    expect(stderr).toContain('needs `admin.token`');
  });
});
