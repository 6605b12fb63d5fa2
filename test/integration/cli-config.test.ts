import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runCli, temporaryFolder } from '../support/cli.ts';

const show = async (cwd: string, args: readonly string[] = [], env: Record<string, string> = {}) => {
  const { code, stdout, stderr } = await runCli(['config', 'show', '--json', ...args], { cwd, env });
  expect(code, stderr).toBe(0);
  return { values: JSON.parse(stdout) as Record<string, { value: unknown; source: string }>, stderr };
};

const GOOD = ['--auth.jwt-secret', 'a-secret-of-the-issuer-32-bytes-long', '--auth.origins', 'https://chat.example'];

describe('configuration', () => {
  it('flags win over the environment, the environment over the file, the file over defaults', async () => {
    using folder = temporaryFolder();
    writeFileSync(join(folder.path, 'spillway.yaml'), 'listen: 127.0.0.1:1\nlimits:\n  perUser: 3\n  burst: { perUser: 6, forMs: 90s }\n');
    const { values } = await show(folder.path, ['--listen', '127.0.0.1:3'], { SPILLWAY_LISTEN: '127.0.0.1:2', SPILLWAY_LIMITS_PER_USER: '4', PORT: '9' });
    expect(values.listen).toEqual({ value: '127.0.0.1:3', source: 'flag' });
    expect(values['limits.perUser']).toEqual({ value: 4, source: 'environment' });
    expect(values['limits.burst.forMs']).toEqual({ value: 90_000, source: 'spillway.yaml' });
    expect(values['queue.places']).toEqual({ value: 10, source: 'default' });
  });

  it('reads PORT as a weaker SPILLWAY_LISTEN, for `dev` on loopback', async () => {
    using folder = temporaryFolder();
    expect((await show(folder.path, [], { PORT: '9000' })).values.listen).toEqual({ value: ':9000', source: 'PORT' });
    expect((await show(folder.path, ['--dev'], { PORT: '9000' })).values.listen).toEqual({ value: '127.0.0.1:9000', source: 'PORT' });
    expect((await show(folder.path, ['--dev'])).values.listen).toEqual({ value: '127.0.0.1:8787', source: 'default of dev' });
  });

  it.each([
    ['spillway.json', '{ "limits": { "perUser": 5 } }'],
    ['spillway.config.js', 'export default { limits: { perUser: 5 } };'],
    ['spillway.yml', 'limits:\n  perUser: 5\n'],
  ])('reads %s', async (name, text) => {
    using folder = temporaryFolder();
    writeFileSync(join(folder.path, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(folder.path, name), text);
    expect((await show(folder.path)).values['limits.perUser']).toEqual({ value: 5, source: name });
  });

  it('keeps the store in the data folder, wherever that is', async () => {
    using folder = temporaryFolder();
    expect((await show(folder.path, ['--data', '/var/lib/spillway'])).values.store?.value).toBe('sqlite:/var/lib/spillway/spillway.sqlite');
    expect((await show(folder.path, ['--data', 'memory'])).values.store?.value).toBe('memory');
    expect((await show(folder.path, ['--data', 'memory', '--store', 'sqlite:x'])).values.store?.value).toBe('sqlite:x');
  });

  it('reads a secret from a file and never shows it', async () => {
    using folder = temporaryFolder();
    const secret = join(folder.path, 'secret');
    writeFileSync(secret, 'hunter2\n');
    const { values } = await show(folder.path, [], { SPILLWAY_AUTH_JWT_SECRET_FILE: secret });
    expect(values['auth.jwtSecret']).toEqual({ value: '[secret]', source: 'environment' });
    const missing = await runCli(['config', 'show'], { cwd: folder.path, env: { SPILLWAY_AUTH_JWT_SECRET_FILE: `${secret}x` } });
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('SPILLWAY_AUTH_JWT_SECRET_FILE') });
  });

  it('warns of a SPILLWAY_ variable that nothing reads, and goes on', async () => {
    using folder = temporaryFolder();
    const { stderr } = await show(folder.path, [], { SPILLWAY_LIMITS_PERUSER: '3' });
    expect(stderr).toContain('warning: nothing reads the environment variable SPILLWAY_LIMITS_PERUSER; did you mean SPILLWAY_LIMITS_PER_USER?');
  });

  it('names every mistake of all origins in one message, each in the spelling of its origin', async () => {
    using folder = temporaryFolder();
    writeFileSync(join(folder.path, 'spillway.yaml'), 'limits:\n  perUsr: 3\nhealth:\n  pingEveryMs: soon\n');
    const { code, stderr } = await runCli(['config', 'show', '--queue.places', '0'], { cwd: folder.path, env: { SPILLWAY_TIMING: 'slow' } });
    expect(code).toBe(2);
    expect(stderr).toContain('4 options are wrong');
    for (const part of [
      'spillway.yaml: Unknown option `limits.perUsr`; did you mean `limits.perUser`?',
      '`health.pingEveryMs`',
      '`--queue.places`',
      '`SPILLWAY_TIMING`',
    ])
      expect(stderr).toContain(part);
  });

  it('says line and column of broken YAML', async () => {
    using folder = temporaryFolder();
    writeFileSync(join(folder.path, 'spillway.yaml'), 'limits:\n  perUser: 3\n  perUser: 4\n');
    expect(await runCli(['config', 'check'], { cwd: folder.path })).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/spillway\.yaml: .*line 3, column 3/s),
    });
  });

  it('refuses to guess between two files, and a file that is not there', async () => {
    using folder = temporaryFolder();
    writeFileSync(join(folder.path, 'spillway.yaml'), '');
    writeFileSync(join(folder.path, 'spillway.json'), '{}');
    expect(await runCli(['config', 'show'], { cwd: folder.path })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('spillway.yaml and spillway.json'),
    });
    expect(await runCli(['config', 'show', '-c', 'spillway.yaml'], { cwd: folder.path })).toMatchObject({ code: 0 });
    expect(await runCli(['config', 'show', '-c', 'no.yaml'], { cwd: folder.path })).toMatchObject({ code: 2, stderr: expect.stringContaining('no.yaml') });
  });

  it('`config check` says all that forbids a start, and nothing when it is good', async () => {
    using folder = temporaryFolder();
    mkdirSync(join(folder.path, 'empty'));
    const bad = await runCli(['config', 'check', '--agent.kind', 'openai-compatible'], { cwd: folder.path });
    expect(bad.code).toBe(2);
    for (const part of ['`auth.origins`', '`auth.jwtSecret` and `auth.jwksUrl`', '`agent.baseUrl`', '`agent.model`']) expect(bad.stderr).toContain(part);
    const beyond = await runCli(['config', 'check', '--dev', '--listen', ':8787'], { cwd: folder.path });
    expect(beyond).toMatchObject({ code: 2, stderr: expect.stringContaining('`auth.mode: dev`') });
    const good = await runCli(['config', 'check', ...GOOD], { cwd: folder.path });
    expect(good).toMatchObject({ code: 0, stdout: 'The configuration is good.\n', stderr: '' });
  });

  it('does not start with a secret that can be guessed, and says how to make one', async () => {
    using folder = temporaryFolder();
    const short = await runCli(['config', 'check', '--auth.jwt-secret', 'thirty-one-bytes-are-not-enough', '--auth.origins', 'https://chat.example'], {
      cwd: folder.path,
    });
    expect(short.code).toBe(2);
    expect(short.stderr).toContain('Expected `auth.jwtSecret` to be at least 32 bytes, got 31');
    expect(short.stderr).toContain('`openssl rand -base64 32`');
    expect(short.stderr).not.toContain('thirty-one');
  });

  it('lets nobody else reach the admin API without a key of the operator’s own', async () => {
    using folder = temporaryFolder();
    const check = (...args: string[]) => runCli(['config', 'check', ...GOOD, ...args], { cwd: folder.path });
    const open = await check('--admin.listen', ':8788');
    expect(open).toMatchObject({ code: 2, stderr: expect.stringContaining('needs `admin.token`; or listen on `127.0.0.1:8788`') });
    const short = await check('--admin.listen', ':8788', '--admin.token', 'short');
    expect(short).toMatchObject({ code: 2, stderr: expect.stringContaining('`admin.token` to be a key of at least 16 characters') });
    expect(await check('--admin.listen', ':8788', '--admin.token', 'a-key-of-the-operators')).toMatchObject({ code: 0 });
    expect(await check('--admin.listen', '[::1]:8788')).toMatchObject({ code: 0 });
    expect(await check('--listen', '127.0.0.1:8788')).toMatchObject({ code: 2, stderr: expect.stringContaining('a port of their own') });
    expect(await check('--admin.listen', 'here')).toMatchObject({ code: 2, stderr: expect.stringContaining('`admin.listen`') });
  });

  it('puts the operators’ port behind the public one in `dev`, and anywhere with it', async () => {
    using folder = temporaryFolder();
    const admin = async (...args: string[]) => (await show(folder.path, args)).values['admin.listen']?.value;
    expect(await admin()).toBe('127.0.0.1:8788');
    expect(await admin('--dev')).toBe('127.0.0.1:8788');
    expect(await admin('--dev', '--listen', '127.0.0.1:9000')).toBe('127.0.0.1:9001');
    expect(await admin('--listen', ':9000')).toBe('127.0.0.1:8788');
    expect(await admin('--listen', ':0')).toBe('127.0.0.1:0');
    expect(await admin('--dev', '--listen', '127.0.0.1:9000', '--admin.listen', '127.0.0.1:1')).toBe('127.0.0.1:1');
  });

  it('`config explain` tells value, source, default, spellings and what it does', async () => {
    const { code, stdout } = await runCli(['config', 'explain', 'limits.burst.forMs', '--limits.burst.for-ms', '2min']);
    expect(code).toBe(0);
    expect(stdout).toBe(
      'limits.burst.forMs: How long a burst lease runs.\nvalue\t120000 (flag)\ndefault\t60000\nenvironment\tSPILLWAY_LIMITS_BURST_FOR_MS\nflag\t--limits.burst.for-ms\n',
    );
  });
});

it('docs/options.md is what the option table says', () => {
  const script = fileURLToPath(new URL('../../scripts/generate-docs.mjs', import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
});
