import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MAIN, runCli } from '../support/cli.ts';
import { need, skipWithout } from '../support/tools.ts';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };

describe('the command line', () => {
  it('prints its version', async () => {
    expect(await runCli(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('begins its help with examples', async () => {
    const { code, stdout } = await runCli(['--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Examples\n {2}spillway dev /);
    for (const command of ['dev', 'serve', 'config', 'doctor', 'token']) expect(stdout).toMatch(new RegExp(`^ {2}${command} `, 'm'));
  });

  it('explains each command, without the hundred flags that are seldom needed', async () => {
    const { code, stdout } = await runCli(['serve', '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain('--limits.per-user');
    expect(stdout).not.toContain('--health.sick-score');
  });

  it('answers a call without a command with its help, as a usage error', async () => {
    expect(await runCli([])).toMatchObject({ code: 2, stderr: expect.stringContaining('Usage: spillway') });
  });

  it.each([
    [['serv'], "spillway: unknown command 'serv'; did you mean serve?"],
    [['config', 'chek'], "spillway: unknown command 'chek'; did you mean config check?"],
    [['token', 'check'], "spillway: unknown command 'check'; did you mean config check?"],
    [['serve', '--limits.burst.formms', '3s'], "spillway: unknown option '--limits.burst.formms'; did you mean --limits.burst.for-ms?"],
    [['dev', '--no-opn'], "spillway: unknown option '--no-opn'; did you mean --no-open?"],
    [['config', 'explain', 'limits.perUsr'], 'spillway: Unknown option `limits.perUsr`; did you mean `limits.perUser`?'],
    [['token', 'create'], 'spillway: Expected `--user ID`, whose token it is, or `--role viewer|operator|admin`, got neither'],
    [['users', 'shwo'], "spillway: unknown command 'shwo'; did you mean users show?"],
    [['config', 'check', '--limits.per-user', 'many'], 'Expected `--limits.per-user` to be a whole number from 1, got `many` (text)'],
  ])('answers %j with the nearest name and exit status 2', async (args, message) => {
    expect(await runCli(args)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(message) });
  });
});

describe('on a Node that is too old', () => {
  const old = '/usr/bin/node';
  const oldVersion = existsSync(old) ? spawnSync(old, ['--version'], { encoding: 'utf8' }).stdout.trim() : '';
  const isOld = /^v(1\d|20|21)\./.test(oldVersion);

  it('says in one line what is needed, and does not crash', async (context) => {
    if (!isOld) context.skip(`no Node below 22 at ${old}`);
    const expected = `spillway needs Node.js 22.18 or newer; this is ${oldVersion} (${old}). Install Node 24, or: npx -p node@24 -p spillway spillway dev\n`;
    expect(await runCli(['dev'], { node: old })).toMatchObject({ code: 1, signal: null, stdout: '', stderr: expected });
  });

  it('looks at the floor that package.json names', () => {
    const { engines } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { engines: { node: string } };
    expect(engines.node).toBe('>=22.18');
    expect(readFileSync(MAIN, 'utf8')).toContain('major === 22 && minor < 18');
    expect(readFileSync(MAIN, 'utf8')).not.toMatch(/^import /m);
  });
});

describe('completion', () => {
  const bash = need('bash');
  skipWithout(bash);

  it('completes commands, commands below them, and flags, in a real bash', async () => {
    const { stdout } = await runCli(['completion', 'bash']);
    const complete = (...words: string[]): string[] => {
      const script = `${stdout}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _spillway; printf '%s\\n' "\${COMPREPLY[@]}"`;
      return spawnSync(bash.path ?? '', ['-c', script], { encoding: 'utf8' })
        .stdout.trim()
        .split('\n');
    };
    expect(complete('spillway', 'cl')).toEqual(['cleanup']);
    expect(complete('spillway', 'users', '')).toEqual(expect.arrayContaining(['list', 'show', 'free', 'tier']));
    expect(complete('spillway', 'users', 'show', 'alice', '--a')).toEqual(['--all']);
  });
});
