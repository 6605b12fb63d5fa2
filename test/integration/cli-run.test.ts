import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { freePort, runCli, startCli, takePort, temporaryFolder } from '../support/cli.ts';

const SERVE = ['serve', '--auth.jwt-secret', 'a-secret-of-the-issuer-32-bytes-long', '--auth.origins', 'https://chat.example'];
const ready = /"event":"listening","url":"(http:[^"]+)"/;
const isRoot = process.getuid?.() === 0;

describe('spillway dev', () => {
  it('makes its folder for its owner only, says where it is, and stops when asked to', async () => {
    using folder = temporaryFolder();
    await using dev = startCli(['dev', '--no-open', '--port', String(await freePort())], { cwd: folder.path });
    const [, url] = await dev.until(/(ws:\/\/127\.0\.0\.1:\d+)\/v1\/ws/);
    expect(dev.stdout()).toContain('dev: loopback only · store ./.spillway/spillway.sqlite · demo accounts');
    const mode = (name: string) => (statSync(join(folder.path, '.spillway', name)).mode & 0o777).toString(8);
    expect(['', 'signing-key', 'admin-key', 'users.json', 'spillway.sqlite'].map(mode)).toEqual(['700', '600', '600', '600', '600']);
    const answer = await fetch(`${url?.replace('ws', 'http')}/readyz`);
    expect(answer.status).toBe(200);
    dev.child.kill('SIGTERM');
    expect(await dev.finished).toMatchObject({ code: 0, signal: null, stderr: '' });
  });

  it('keeps its key over a restart, so that sessions go on', async () => {
    using folder = temporaryFolder();
    const keys: string[] = [];
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      await using dev = startCli(['dev', '--no-open', '--port', '0'], { cwd: folder.path });
      await dev.until(/\/v1\/ws/);
      keys.push(readFileSync(join(folder.path, '.spillway', 'signing-key'), 'hex'));
      dev.child.kill(signal);
      expect((await dev.finished).code).toBe(0);
    }
    expect(keys[0]).toBe(keys[1]);
  });

  it('lets an answer end before it stops, unless it is told a second time', async () => {
    using folder = temporaryFolder();
    await using dev = startCli(['dev', '--no-open', '--port', '0', '--logging.format', 'json'], { cwd: folder.path });
    const [, address] = await dev.until(/ws:\/\/([\d.:]+)\/v1\/ws/);
    const token = (await runCli(['token', 'create', '--user', 'ada'], { cwd: folder.path })).stdout.trim();
    const asked = await fetch(`http://${address}/v1/threads/t1/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ id: 'm1', data: { parts: [{ type: 'text', text: 'How does eviction work?' }] } }),
    });
    expect(asked.status, await asked.clone().text()).toBe(202);
    dev.child.kill('SIGTERM');
    await dev.until(/"event":"stopping"/);
    // The same press, arriving twice as it does under npm, is one.
    dev.child.kill('SIGTERM');
    const stopped = await Promise.race([dev.finished.then(() => true), delay(400).then(() => false)]);
    expect(stopped).toBe(false);
    dev.child.kill('SIGTERM');
    expect(await dev.finished).toMatchObject({ code: 143 });
  });

  it('takes the next free port when its own is taken, and says so', async () => {
    using folder = temporaryFolder();
    await using taken = await takePort();
    await using dev = startCli(['dev', '--no-open', '--data', 'memory', '--port', String(taken.port)], { cwd: folder.path });
    const [, port] = await dev.until(/ws:\/\/127\.0\.0\.1:(\d+)\/v1\/ws/);
    expect(Number(port)).toBeGreaterThan(taken.port);
    expect(dev.stdout()).toContain(`${taken.port} and ${taken.port + 1} were not both free`);
  });

  it('with `--data memory` leaves nothing behind', async () => {
    using folder = temporaryFolder();
    await using dev = startCli(['dev', '--no-open', '--data', 'memory', '--port', '0'], { cwd: folder.path });
    await dev.until(/store memory/);
    dev.child.kill('SIGTERM');
    expect((await dev.finished).code).toBe(0);
    expect(() => statSync(join(folder.path, '.spillway'))).toThrow('ENOENT');
  });

  it('refuses to be reached from elsewhere, because everybody knows its passwords', async () => {
    using folder = temporaryFolder();
    expect(await runCli(['dev', '--no-open', '--listen', ':0'], { cwd: folder.path })).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('`auth.mode: dev`'),
    });
  });
});

describe('spillway serve', () => {
  it('starts, answers, and drains on SIGTERM with exit status 0', async () => {
    using folder = temporaryFolder();
    await using serve = startCli([...SERVE, '--listen', '127.0.0.1:0', '--logging.format', 'json'], { cwd: folder.path });
    const [, url] = await serve.until(ready);
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    serve.child.kill('SIGTERM');
    const { code, stdout } = await serve.finished;
    expect(code).toBe(0);
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { event: string }).event);
    expect(events.at(0)).toBe('listening');
    expect(events.filter((event) => /^(listening|stopping|stopped)$/.test(event))).toEqual(['listening', 'stopping', 'stopped']);
  });

  it('names the option when its port is taken, and does not touch the store of the one that runs', async () => {
    using folder = temporaryFolder();
    await using taken = await takePort();
    const { code, stdout, stderr } = await runCli([...SERVE, '--listen', `127.0.0.1:${taken.port}`], { cwd: folder.path });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(
      `spillway: Expected port ${taken.port} of \`listen\` to be free, but another program listens there. Stop it, or set \`listen\` to another port.\n`,
    );
    expect(() => statSync(join(folder.path, '.spillway'))).toThrow('ENOENT');
  });

  it('does not start without pages that may connect, nor without a key to check tokens with', async () => {
    using folder = temporaryFolder();
    const { code, stderr } = await runCli(['serve'], { cwd: folder.path });
    expect(code).toBe(2);
    expect(stderr).toContain('`auth.origins`');
    expect(stderr).toContain('`auth.jwtSecret`');
  });

  it('says which folder it cannot write in', async () => {
    using folder = temporaryFolder();
    writeFileSync(join(folder.path, 'file'), '');
    const { code, stderr } = await runCli([...SERVE, '--listen', '127.0.0.1:0', '--data', 'file/data'], { cwd: folder.path });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^spillway: Expected to be able to write in the data folder file\/data: .*set `data` to another folder\.\n$/);
  });

  it('says so too when the rights are missing', async (context) => {
    if (isRoot) context.skip('root may write everywhere');
    using folder = temporaryFolder();
    mkdirSync(join(folder.path, 'data'));
    chmodSync(join(folder.path, 'data'), 0o500);
    expect(await runCli([...SERVE, '--data', 'data'], { cwd: folder.path })).toMatchObject({ code: 1, stderr: expect.stringContaining('data folder data') });
  });

  it('waits for a store that cannot be used yet: alive, not ready, with the reason; and becomes ready by itself', async () => {
    using folder = temporaryFolder();
    const place = join(folder.path, 'later');
    writeFileSync(place, 'in the way of a folder');
    await using serve = startCli([...SERVE, '--listen', '127.0.0.1:0', '--logging.format', 'json', '--store', `sqlite:${place}/s.sqlite`], {
      cwd: folder.path,
    });
    const [, url] = await serve.until(/"event":"store-unreachable","url":"([^"]+)"/);
    const notReady = await fetch(`${url}/readyz`);
    expect(notReady.status).toBe(503);
    expect(await notReady.json()).toMatchObject({ status: 'fail', checks: [{ name: 'store', ok: false, detail: expect.stringContaining(place) }] });
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    expect(await (await fetch(`${url}/v1/me`)).json()).toMatchObject({ code: 'store-unavailable', retryable: true });
    rmSync(place);
    await serve.until(ready);
    expect((await fetch(`${url}/livez`)).status).toBe(200);
  });

  it('with `--no-retry` fails at once instead', async () => {
    using folder = temporaryFolder();
    writeFileSync(join(folder.path, 'file'), '');
    const { code, stderr } = await runCli([...SERVE, '--listen', '127.0.0.1:0', '--no-retry', '--store', 'sqlite:file/s.sqlite'], { cwd: folder.path });
    expect(code).toBe(1);
    expect(stderr).toContain('cannot be used');
  });

  it('fails at once for a store that is no store, whatever the flags', async () => {
    using folder = temporaryFolder();
    writeFileSync(join(folder.path, 'notes.txt'), 'not a database, but long enough to be one'.repeat(50));
    const { code, stderr } = await runCli([...SERVE, '--listen', '127.0.0.1:0', '--store', 'sqlite:notes.txt'], { cwd: folder.path });
    expect(code).toBe(1);
    expect(stderr).toContain('notes.txt');
  });

  it('stops while it still waits for its store', async () => {
    using folder = temporaryFolder();
    writeFileSync(join(folder.path, 'file'), '');
    await using serve = startCli([...SERVE, '--listen', '127.0.0.1:0', '--logging.format', 'json', '--store', 'sqlite:file/s.sqlite'], { cwd: folder.path });
    await serve.until(/"event":"store-unreachable"/);
    serve.child.kill('SIGTERM');
    expect((await serve.finished).code).toBe(0);
  });
});

describe('spillway token', () => {
  it('makes a token that the running gateway takes, for a user of the data folder', async () => {
    using folder = temporaryFolder();
    await using dev = startCli(['dev', '--no-open', '--port', '0'], { cwd: folder.path });
    const [, address] = await dev.until(/ws:\/\/([\d.:]+)\/v1\/ws/);
    const token = (await runCli(['token', 'create', '--user', 'dora'], { cwd: folder.path })).stdout.trim();
    const me = await fetch(`http://${address}/v1/auth/me`, { headers: { authorization: `Bearer ${token}` } });
    expect(me.status).toBe(200);
    expect(await me.json()).toMatchObject({ user: { id: 'dora', tier: 'enterprise' } });
    const verified = await runCli(['token', 'verify', token], { cwd: folder.path });
    expect(verified.code).toBe(0);
    expect(JSON.parse(verified.stdout)).toMatchObject({ user: 'dora', name: 'Dora', tier: 'enterprise' });
  });

  it('signs with the secret of the issuer where there is one', async () => {
    using folder = temporaryFolder();
    const issuer = ['--auth.jwt-secret', 'a-secret-of-the-issuer-32-bytes-long', '--auth.issuer', 'https://issuer.example'];
    const { code, stdout } = await runCli(['token', 'create', '--user', 'u1', '--tier', 'mid', '--ttl', '90s', ...issuer], { cwd: folder.path });
    expect(code).toBe(0);
    const verified = await runCli(['token', 'verify', stdout.trim(), ...issuer], { cwd: folder.path });
    expect(JSON.parse(verified.stdout)).toMatchObject({ user: 'u1', tier: 'mid' });
    const other = await runCli(['token', 'verify', stdout.trim(), '--auth.jwt-secret', 'another'], { cwd: folder.path });
    expect(other).toMatchObject({ code: 1, stdout: '', stderr: 'invalid: forged, malformed, or made with another key\n' });
    expect(await runCli(['token', 'verify', 'not a token', ...issuer], { cwd: folder.path })).toMatchObject({ code: 1 });
  });

  it('says what it needs where there is no key, and does not take any time to live', async () => {
    using folder = temporaryFolder();
    expect(await runCli(['token', 'create', '--user', 'u'], { cwd: folder.path })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('`auth.jwtSecret`'),
    });
    expect(await runCli(['token', 'create', '--user', 'u', '--ttl', 'long', '--auth.jwt-secret', 'x'], { cwd: folder.path })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('`--ttl`'),
    });
  });
});

describe('spillway doctor', () => {
  it('finds a machine in order, and makes nothing', async () => {
    using folder = temporaryFolder();
    const { code, stdout } = await runCli(['doctor', '--json', '--listen', `127.0.0.1:${await freePort()}`, '--admin-port', '0'], { cwd: folder.path });
    expect(code).toBe(0);
    const checks = (JSON.parse(stdout) as { check: string; result: string }[]).map(({ check }) => check);
    expect(checks).toEqual(['node', 'file limit', 'data folder', 'store', 'port', 'admin port', 'clock']);
    expect(() => statSync(join(folder.path, '.spillway'))).toThrow('ENOENT');
  });

  it('names what is wrong and exits with 1', async () => {
    using folder = temporaryFolder();
    await using taken = await takePort();
    writeFileSync(join(folder.path, 'file'), '');
    writeFileSync(join(folder.path, 'foreign.sqlite'), 'not a database, but long enough to be one'.repeat(50));
    const { code, stdout } = await runCli(
      ['doctor', '--json', '--listen', `127.0.0.1:${taken.port}`, '--admin-port', '0', '--data', 'file/x', '--store', 'sqlite:foreign.sqlite'],
      {
        cwd: folder.path,
      },
    );
    expect(code).toBe(1);
    const problems = (JSON.parse(stdout) as { check: string; result: string }[]).filter(({ result }) => result === 'problem').map(({ check }) => check);
    expect(problems).toEqual(['data folder', 'store', 'port']);
  });

  it('leaves a store at work alone', async () => {
    using folder = temporaryFolder();
    await using dev = startCli(['dev', '--no-open', '--port', '0'], { cwd: folder.path });
    await dev.until(/\/v1\/ws/);
    const { stdout } = await runCli(['doctor', '--json', '--dev', '--listen', '127.0.0.1:0'], { cwd: folder.path });
    expect(stdout).toContain('can be written to; schema');
    dev.child.kill('SIGTERM');
    expect((await dev.finished).code).toBe(0);
  });
});
