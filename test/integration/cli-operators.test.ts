import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort, runCli, temporaryFolder } from '../support/cli.ts';
import { ALL_FROZEN, type CliScene, FROZEN, OTHER, OTHERS_FROZEN, startCliScene, USER } from '../support/cli-scene.ts';
import { startCuttingProxy } from '../support/cutting-proxy.ts';
import { inATerminal } from './cli-in-a-terminal.ts';

// One gateway for all: what they look at is the same, and only the last part changes it.
let scene: CliScene;
beforeAll(async () => {
  scene = await startCliScene();
}, 40_000);
afterAll(() => scene?.[Symbol.asyncDispose]());

const lines = (text: string): string[] => text.trimEnd().split('\n');
const cells = (text: string): string[][] => lines(text).map((line) => line.split('\t'));

describe('in a pipe', () => {
  it.concurrent('every --json is what openapi.json describes', async () => {
    const [zombie] = (await scene.admin.managers({ verdict: 'zombie' })).managers;
    const id = zombie?.managerId ?? '';
    await Promise.all(
      (
        [
          ['get /status', 'status'],
          ['get /users', 'users', 'list'],
          ['get /users/{id}', 'users', 'show', USER],
          ['get /managers', 'managers', 'list', '--verdict', 'zombie'],
          ['get /managers/{id}', 'managers', 'show', id],
          ['get /managers/{id}/explain', 'managers', 'explain', id],
          ['post /managers/{id}/probe', 'managers', 'probe', id],
          ['post /cleanup/plan', 'cleanup', 'plan', USER],
          ['get /cleanup/history', 'cleanup', 'history'],
          ['get /queue', 'queue', 'list'],
          ['get /nodes', 'nodes', 'list'],
          ['get /alerts', 'alerts'],
          ['get /audit', 'audit'],
          ['get /drills', 'drill', 'list'],
          ['get /threads/{user}/{thread}/log', 'log', USER, 't1', '--verify'],
          ['get /consistency', 'api', 'get-consistency'],
        ] as const
      ).map(([operation, ...args]) => scene.json(operation, ...args)),
    );
  });

  it.concurrent('rows are tab-separated, whole, and without a head', async () => {
    const [users, zombies, status] = await Promise.all([
      scene.run('users', 'list'),
      scene.run('managers', 'list', '--user', USER, '--verdict', 'zombie'),
      scene.run('status'),
    ]);
    const ofUser = cells(users.stdout).find(([user]) => user === USER);
    expect(ofUser?.slice(0, 4)).toEqual([USER, 'free', String(FROZEN + 1), '1']);
    expect(cells(zombies.stdout)).toHaveLength(FROZEN);
    for (const row of cells(zombies.stdout))
      expect(row).toEqual([
        expect.stringMatching(/^mgr_\w{20}$/),
        USER,
        'zombie',
        ...Array(4).fill(expect.stringMatching(/^\d*$/)),
        'Old phone',
        expect.stringMatching(/^moderate: .*unacknowledged/),
        expect.stringMatching(/^gw-\w{6}$/),
      ]);
    expect(cells(status.stdout)).toContainEqual(['managersByVerdict.zombie', String(ALL_FROZEN)]);
  });

  it.concurrent('`top` looks once and ends', async () => {
    const { code, stdout, stderr } = await scene.run('top', '-n', '2', '--user', USER, '--verdict', 'zombie');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(cells(stdout).map(([, user, verdict]) => [user, verdict])).toEqual([
      [USER, 'zombie'],
      [USER, 'zombie'],
    ]);
    expect(stdout).not.toContain('\x1b');
  });

  it.concurrent('`events tail` gives one JSON object a line, and says when it shows a sample', async () => {
    const { code, stdout, stderr } = await scene.run(
      'events',
      'tail',
      '--since',
      '1h',
      '--type',
      'manager-seated',
      '--user',
      USER,
      '--sample',
      '1/2',
      '-n',
      '2',
    );
    expect(code, stderr).toBe(0);
    const events = lines(stdout).map((line) => JSON.parse(line));
    expect(events).toEqual([expect.objectContaining({ type: 'manager-seated' }), expect.objectContaining({ type: 'manager-seated' })]);
    expect(stderr).toContain('one event in 2 is shown');
  });

  it.concurrent('`api` calls what the running gateway describes, and names the nearest operation', async () => {
    const [list, plan, wrong, missing] = await Promise.all([
      scene.run('api'),
      scene.run('api', 'post-cleanup-plan', '--param', `user=${USER}`, '--param', 'need=0'),
      scene.run('api', 'get-user-id'),
      scene.run('api', 'get-users-id'),
    ]);
    expect(cells(list.stdout).map(([name]) => name)).toEqual(expect.arrayContaining(['get-status', 'post-users-id-free', 'get-threads-user-thread-log']));
    expect(JSON.parse(plan.stdout)).toMatchObject({ user: USER, need: 0 });
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('did you mean `get-users-id`?') });
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('--param id=VALUE') });
  });

  it.concurrent('`check` answers in the words and with the status that monitoring reads', async () => {
    const [node, nagios, late, prometheus, unknown] = await Promise.all([
      scene.run('check', 'node'),
      scene.run('check', 'cleanup', '--format', 'nagios'),
      scene.run('check', 'store', '--critical', '0ms'),
      scene.run('check', 'lockouts', '--format', 'prometheus'),
      scene.run('check', 'nodes'),
    ]);
    expect(node).toMatchObject({ code: 0, stdout: expect.stringMatching(/^OK {2}node/) });
    expect(nagios).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^SPILLWAY CLEANUP OK - .* \| since_watch=[\d.]+s;15;30 zombies=7;; failed_cleanups=0;;\n$/),
    });
    expect(late).toMatchObject({ code: 2, stdout: expect.stringMatching(/^CRITICAL {2}store/) });
    expect(prometheus).toMatchObject({ code: 0, stdout: expect.stringContaining('spillway_check_value{check="lockouts",name="lockouts_24h"} 0') });
    expect(unknown).toMatchObject({ code: 3, stderr: expect.stringContaining('did you mean `node`?') });
  });

  it.concurrent('`doctor` compares this machine with the gateway that runs', async () => {
    const { code, stdout, stderr } = await scene.run('doctor', '--json', '--dev', '--listen', `127.0.0.1:${await freePort()}`, '--admin-port', '0');
    expect(code, stderr + stdout).toBe(0);
    const found = new Map((JSON.parse(stdout) as { check: string; result: string }[]).map(({ check, result }) => [check, result]));
    expect(found).toEqual(expect.objectContaining({ size: 11 }));
    expect([found.get('gateway'), found.get('clock skew'), found.get('consistency')]).toEqual(['ok', 'ok', 'ok']);
  });
});

it('`doctor --through` finds out that a proxy answers pings for the dead, and that none does', async () => {
  await using proxy = await startCuttingProxy(Number(new URL(scene.publicUrl).port));
  const { stdout: token } = await runCli(['token', 'create', '--user', 'doctor'], { cwd: scene.cwd });
  const look = async (through: string) => {
    const { stdout, stderr } = await scene.run('doctor', '--json', '--dev', '--listen', '127.0.0.1:0', '--through', through, '--token', token.trim());
    expect(stdout, stderr).not.toBe('');
    return (JSON.parse(stdout) as { check: string; result: string }[])
      .filter(({ check }) => /proxy|pong/.test(check))
      .map(({ check, result }) => [check, result]);
  };
  expect(await Promise.all([look(scene.publicUrl), look(proxy.url)])).toEqual([
    [
      ['proxy timeout', 'ok'],
      ['auto-pong', 'ok'],
    ],
    [
      ['proxy timeout', 'ok'],
      ['auto-pong', 'warning'],
    ],
  ]);
});

inATerminal(() => scene);

describe('when it cannot be', () => {
  it.concurrent('without a gateway it says what to type, with status 3', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const [status, check] = await Promise.all([runCli(['status', '--url', url]), runCli(['check', 'node', '--url', url])]);
    expect(status).toMatchObject({ code: 3, stdout: '', stderr: expect.stringContaining('nothing listens there') });
    expect(status.stderr).toContain('spillway dev');
    // Nobody there is what this check looks for.
    expect(check).toMatchObject({ code: 2, stdout: expect.stringContaining('CRITICAL') });
  });

  it.concurrent('at the port for people it says which one is meant, with status 3', async () => {
    expect(await runCli(['status', '--url', scene.publicUrl])).toMatchObject({
      code: 3,
      stdout: '',
      stderr: expect.stringContaining('operators have their own'),
    });
  });

  it.concurrent('with a wrong key or none it says where the key came from', async () => {
    using elsewhere = temporaryFolder();
    const [none, wrong] = await Promise.all([
      runCli(['status', ...scene.at], { cwd: elsewhere.path }),
      runCli(['status', ...scene.at], { cwd: elsewhere.path, env: { SPILLWAY_ADMIN_TOKEN: 'not-the-key-of-this-one' } }),
    ]);
    expect(none).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('SPILLWAY_ADMIN_TOKEN_FILE=FILE') });
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('The key came from SPILLWAY_ADMIN_TOKEN') });
    expect(wrong.stderr).not.toContain('not-the-key-of-this-one');
  });

  it.concurrent('a viewer may look and is refused what changes something, with status 4', async () => {
    const { stdout } = await runCli(['token', 'create', '--role', 'viewer'], { cwd: scene.cwd });
    using elsewhere = temporaryFolder();
    writeFileSync(join(elsewhere.path, 'token'), stdout);
    const env = { SPILLWAY_ADMIN_TOKEN_FILE: join(elsewhere.path, 'token') };
    const [look, act, verified] = await Promise.all([
      runCli(['users', 'list', ...scene.at], { cwd: elsewhere.path, env }),
      runCli(['cleanup', 'run', USER, '--yes', ...scene.at], { cwd: elsewhere.path, env }),
      runCli(['token', 'verify', stdout.trim()], { cwd: scene.cwd }),
    ]);
    expect(look, look.stderr).toMatchObject({ code: 0 });
    expect(act).toMatchObject({ code: 4, stdout: '' });
    expect(JSON.parse(verified.stdout)).toMatchObject({ role: 'viewer' });
  });

  it.concurrent.each([
    [['events', 'tail', '--sample', '0.1'], '--sample'],
    [['top', '--sort', 'unackd'], 'did you mean unacked?'],
    [['users', 'free', USER], '`--unresponsive`'],
    [['cleanup', 'run', USER, '--level', 'hard'], 'conservative, moderate, aggressive, force'],
    [['cleanup', 'history', '--since', 'yesterday'], '`--since`'],
    [['drill', 'run', 'frozen-tab'], 'did you mean `frozen-tabs`?'],
    [['log', USER, 't1', '--from', 'x'], '`--from`'],
    [['completion', 'tcsh'], 'bash, zsh, fish'],
    [['token', 'create', '--role', 'viewr'], 'did you mean viewer?'],
  ] as const)('answers %j as a misuse, with what helps', async (args, help) => {
    const offline = args[0] === 'completion' || args[0] === 'token';
    const answer = offline ? await runCli(args, { cwd: scene.cwd }) : await scene.run(...args);
    expect(answer).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(help) });
  });
});

describe('what changes something', () => {
  it('does nothing without a terminal and without --yes', async () => {
    const { code, stdout, stderr } = await scene.run('users', 'free', OTHER, '--unresponsive');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(`moderate      examined 2  free 2  keep 0`);
    expect(stderr).toContain('--yes');
    expect((await scene.admin.managers({ user: OTHER, verdict: 'zombie' })).managers).toHaveLength(OTHERS_FROZEN);
  });

  it('frees exactly the dead, and two commands tell why a session was closed', async () => {
    const zombies = (await scene.admin.managers({ user: OTHER, verdict: 'zombie' })).managers.map(({ managerId }) => managerId);
    const freed = await scene.run('users', 'free', OTHER, '--unresponsive', '--yes', '--reason', 'a test');
    expect(freed, freed.stderr).toMatchObject({ code: 0 });
    expect(lines(freed.stdout).toSorted()).toEqual(zombies.toSorted());
    const [history, closed, audit] = await Promise.all([
      scene.run('cleanup', 'history', '--user', OTHER),
      scene.run('managers', 'explain', zombies[0] ?? ''),
      scene.run('audit'),
    ]);
    const run = cells(history.stdout)[0]?.[1] ?? '';
    expect(cells(closed.stdout)).toEqual(
      expect.arrayContaining([
        ['cleanup', run],
        ['reason', expect.stringMatching(/timeout/)],
      ]),
    );
    expect(audit.stdout).toContain('a test');
    const record = await scene.run('cleanup', 'show', run);
    expect(cells(record.stdout).filter(([, fate]) => fate === 'moderate')).toHaveLength(OTHERS_FROZEN);
    await scene.json('get /cleanup/history/{run}', 'cleanup', 'show', run);
    const again = await scene.run('users', 'free', OTHER, '--unresponsive', '--yes', '--json');
    expect(JSON.parse(again.stdout)).toEqual({ freed: [], kept: 0, run: null, unanswered: [] });
  });

  it('evicts one by the beginning of its id', async () => {
    await using tab = await scene.openTab(OTHER, true);
    const [victim] = (await scene.admin.managers({ user: OTHER })).managers.toSorted((a, b) => b.openedAt - a.openedAt);
    const { code, stdout, stderr } = await scene.run('managers', 'evict', `${victim?.managerId.slice(0, 10)}…`, '--yes', '--reason', 'a test');
    expect(code, stderr).toBe(0);
    expect(stdout).toBe(`${victim?.managerId}\n`);
    expect((await tab.next('bye')).reason).toBe('admin-evicted');
  });

  it('sets a tier, and gives the one of the credential back', async () => {
    expect(await scene.run('users', 'tier', USER, 'enterprise', '--json')).toMatchObject({ code: 0, stdout: expect.stringContaining('"enterprise"') });
    expect(await scene.run('users', 'tier', USER, '--reset', '--json')).toMatchObject({ code: 0, stdout: expect.stringContaining('null') });
  });
});
