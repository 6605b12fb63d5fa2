import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { runCli } from '../support/cli.ts';
import { ALL_FROZEN, type CliScene, FROZEN, THIRD, USER } from '../support/cli-scene.ts';
import { runInTerminal, startInTerminal, withoutColours } from '../support/pty.ts';
import { need, skipWithout } from '../support/tools.ts';

const python = need('python3');
/** The other screen without a cursor, and back. */
const ENTERED = '\x1b[?1049h\x1b[?25l';
const LEFT = '\x1b[?25h\x1b[?1049l';

/** What operators' commands show and ask in a real terminal. What changes something comes last. */
export function inATerminal(sceneOf: () => CliScene): void {
  describe('in a terminal', () => tests(sceneOf));
}

function tests(sceneOf: () => CliScene): void {
  skipWithout(python);
  const terminal = (args: readonly string[], o: { readonly columns?: number; readonly env?: Record<string, string> } = {}) =>
    runInTerminal([...args, ...sceneOf().at], { python: python.path ?? '', cwd: sceneOf().cwd, ...o });
  const start = (...args: readonly string[]) => startInTerminal([...args, ...sceneOf().at], { python: python.path ?? '', cwd: sceneOf().cwd });

  it.concurrent('`users show` says who is there, why, and what to type', async () => {
    const { code, shown } = await terminal(['users', 'show', USER]);
    expect(code, shown).toBe(0);
    const text = withoutColours(shown);
    expect(text).toMatch(/^ada {2}tier free {2}seats 5\/20 \(effective 1\) {2}sockets 5 {2}burst available {2}queue 0\n/);
    expect(text).toMatch(/\nMANAGER +VERDICT +AGE +LAST ACK +UNACKED +PONG +CLIENT +GIVEN UP AT\n/);
    expect(text.match(/✕ zombie .* moderate: \d+ events unacknowledged for/g)).toHaveLength(FROZEN);
    expect(text).toContain('free the dead: spillway users free ada --unresponsive');
    expect(shown).toContain('\x1b[38;5;');
  });

  it.concurrent('tables fit: 80, 120 and 200 columns, none longer, and the verdict is never cut off', async () => {
    await Promise.all(
      [80, 120, 200].map(async (columns) => {
        const { shown } = await terminal(['managers', 'list'], { columns });
        const rows = withoutColours(shown).trimEnd().split('\n');
        for (const row of rows) expect(row.length, row).toBeLessThanOrEqual(columns);
        expect(rows.filter((row) => row.includes('✕ zombie'))).toHaveLength(ALL_FROZEN);
      }),
    );
  });

  it.concurrent('NO_COLOR takes the colours away and leaves the words; FORCE_COLOR gives them to a pipe', async () => {
    const [plain, forced] = await Promise.all([
      terminal(['status'], { env: { NO_COLOR: '1' } }),
      runCli(['check', 'node', ...sceneOf().at], { cwd: sceneOf().cwd, env: { NO_COLOR: undefined, FORCE_COLOR: '1' } }),
    ]);
    expect(plain.shown).not.toContain('\x1b');
    expect(plain.shown).toContain(`✕ zombie ${ALL_FROZEN}`);
    expect(forced.stdout).toContain('\x1b[38;5;');
  });

  it.concurrent('`cleanup plan` shows what each level would do, where it stops, and that nothing was changed', async () => {
    const text = withoutColours((await terminal(['cleanup', 'plan', USER])).shown);
    expect(text).toMatch(/^conservative {2}examined 5 {2}free 0 {2}keep 5\nmoderate {6}examined 5 {2}free 4 {2}keep 1 {3}<- would stop here \(need 1\)\n/);
    expect(text).toContain('plan valid 30 s; nothing was changed');
  });

  it.concurrent('`explain`, `nodes`, `alerts`, `log --verify` and `doctor` are sentences and tables', async () => {
    const [id = ''] = (await sceneOf().admin.managers({ user: USER, verdict: 'zombie' })).managers.map(({ managerId }) => managerId);
    const all = await Promise.all([
      terminal(['managers', 'explain', id]),
      terminal(['nodes', 'list']),
      terminal(['alerts']),
      terminal(['log', USER, 't1', '--verify']),
    ]);
    const [explained, nodes, alerts, log] = all.map(({ shown }) => withoutColours(shown));
    expect(all.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(explained).toMatch(/E1 acknowledged +\S+ ago +\d+ owed/);
    expect(explained).toMatch(/moderate {6}takes it, if a seat is needed/);
    expect(nodes).toMatch(/^NODE +STATE +MANAGERS/);
    expect(alerts).toMatch(/^STATE +ALERT/);
    expect(log).toContain('✓ whole:');
  });

  it.concurrent('`top` takes the whole screen, obeys keys, and gives the terminal back', async () => {
    await using top = start('top', '-d', '0.2');
    await top.until(/✕ zombie 7[\s\S]*MANAGER/);
    expect(top.shown().startsWith(ENTERED)).toBe(true);
    top.type('s');
    await top.until(/by unacked/);
    top.type('v');
    await top.until(/healthy by unacked/);
    top.type('q');
    expect(await top.ended).toBe(0);
    expect(top.shown().trimEnd().endsWith(LEFT)).toBe(true);
  });

  it.concurrent('`top` gives the terminal back after Ctrl-C too', async () => {
    await using top = start('top');
    await top.until(/MANAGER/);
    top.type('\u0003');
    expect(await top.ended).toBe(0);
    expect(top.shown().trimEnd().endsWith(LEFT)).toBe(true);
  });

  it.concurrent('`events tail` is a line an event, until Ctrl-C', async () => {
    await using tail = start('events', 'tail', '--since', '1h', '--type', 'manager-seated');
    await tail.until(/manager-seated.*ada mgr_\w{20} fresh, seat soft/);
    tail.type('\u0003');
    expect(await tail.ended).toBe(0);
  });

  it.concurrent('`drill run` tells each step, stops its drill at Ctrl-C, and leaves a report that nobody takes for a success', async () => {
    const file = join(sceneOf().cwd, 'drill.xml');
    await using drill = start('drill', 'run', 'suspended', '--count', '1', '--junit', file);
    await drill.until(/\d\.\d {2}1 tab/);
    drill.type('\u0003');
    expect(await drill.ended).toBe(130);
    expect(withoutColours(drill.shown())).toContain('STOPPED after');
    expect(readFileSync(file, 'utf8')).toMatch(/<testsuite name="spillway drill suspended"[^>]* failures="1"[\s\S]*<failure message="stopped"\/>/);
    const id = /drl_\w+/.exec(drill.shown())?.[0] ?? '';
    expect(await sceneOf().json('get /drills/runs/{id}', 'drill', 'report', id)).toMatchObject({ id, state: 'stopped' });
  });

  it('does nothing, with status 4, if the evidence changes while it asks', async () => {
    await using run = start('cleanup', 'run', THIRD);
    await run.until(/Free this one\? \[y\/N\]/);
    const [before] = (await sceneOf().admin.managers({ user: THIRD })).managers;
    sceneOf().thirdTab?.cut();
    await until(async () => (await sceneOf().admin.explain(before?.managerId ?? '')).connected === false);
    run.type('y\r');
    expect(await run.ended, run.shown()).toBe(4);
    expect(run.shown()).toContain('Nothing was changed.');
    expect((await sceneOf().admin.managers({ user: THIRD })).managers).toHaveLength(1);
  });

  it('asks before it frees anybody: no changes nothing, yes frees them, and `users show` tells why', async () => {
    await using refusing = start('users', 'free', USER, '--unresponsive');
    await refusing.until(/Free these 4\? \[y\/N\]/);
    refusing.type('n\r');
    expect(await refusing.ended).toBe(1);
    expect(refusing.shown()).toContain('Nothing was changed.');
    await using agreeing = start('cleanup', 'run', USER);
    await agreeing.until(/Free these 4\? \[y\/N\]/);
    agreeing.type('y\r');
    expect(await agreeing.ended).toBe(0);
    const run = /spillway cleanup show (cln_\w+)/.exec(agreeing.shown())?.[1] ?? '';
    const [user, record] = await Promise.all([terminal(['users', 'show', USER], { columns: 200 }), terminal(['cleanup', 'show', run])]);
    expect(withoutColours(user.shown)).toMatch(/CLOSED +MANAGER.*\n.*✕ zombie +ack-timeout|probe-timeout/);
    expect(withoutColours(user.shown)).toContain(`spillway cleanup show ${run}`);
    expect(withoutColours(record.shown)).toMatch(/trigger: operator {2}enough\n[\s\S]*moderate {6}examined 5 {2}freed 4/);
  });
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 10_000;
  while (!(await isTrue())) {
    if (Date.now() > end) throw new Error('It did not become true within 10 s.');
    await delay(20);
  }
}
