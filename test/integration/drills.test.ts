/** Drills as operators start them: over the admin API of `spillway dev`, whose children are real. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type AdminClient, createAdminClient } from '../../src/admin/index.ts';
import type { DrillName, DrillRun } from '../../src/protocol/drills.ts';
import { startCli, temporaryFolder } from '../support/cli.ts';
import { until } from '../support/peers/kernel.ts';
import { descendantsOf, stillThere } from '../support/processes.ts';

const OVER_WITHIN_MS = 60_000;
const GONE_WITHIN_MS = 8_000;

interface Drilled extends AsyncDisposable {
  readonly pid: number;
  readonly admin: AdminClient;
  kill(): void;
}

/** `spillway dev` with liveness times of a tenth. */
async function startDev(...flags: string[]): Promise<Drilled> {
  const folder = temporaryFolder();
  const data = join(folder.path, 'data');
  const dev = startCli(['dev', '--no-open', '--port', '0', '--data', data, '--timing', 'fast', '--golden-path.every-ms', '0', ...flags], { cwd: folder.path });
  await dev.until(/\/v1\/ws/);
  const url = (await dev.until(/(http:\/\/127\.0\.0\.1:\d+)\/(admin|#k=)/))[1] ?? '';
  return {
    pid: dev.child.pid ?? 0,
    admin: createAdminClient({ url, key: readFileSync(join(data, 'admin-key'), 'utf8').trim() }),
    kill: () => void dev.child.kill('SIGKILL'),
    async [Symbol.asyncDispose]() {
      await dev[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

/** Starts one and waits for its end. */
async function drill(admin: AdminClient, name: DrillName, count?: number): Promise<DrillRun> {
  const { id } = await admin.startDrill(name, count === undefined ? {} : { count });
  return await until(
    `${name} to come to its end`,
    async () => {
      const run = await admin.drill(id);
      return run.state === 'running' ? null : run;
    },
    OVER_WITHIN_MS,
    200,
  );
}

function expectPassed(run: DrillRun): void {
  expect(
    run.expectations.filter(({ ok }) => ok !== true),
    `what did not happen in ${run.name}\n${run.steps.map(({ atMs, text }) => `${atMs} ${text}`).join('\n')}`,
  ).toEqual([]);
  expect([run.state, run.user.startsWith('drill:')]).toEqual(['passed', true]);
}

describe.concurrent('drills', () => {
  test('frozen tabs are found dead although their pings are answered, and a suspended process misses nothing', { timeout: 120_000 }, async () => {
    await using dev = await startDev();
    const frozen = await drill(dev.admin, 'frozen-tabs');
    expectPassed(frozen);
    expect(frozen.steps.map(({ text }) => text).join('\n')).toMatch(
      /20 tabs open.*pages frozen.*first zombie.*login 21 seated.*why each was evicted: ack-timeout 20; cleanup records cln_/s,
    );
    expectPassed(await drill(dev.admin, 'suspended'));

    // Whoever ends the gateway ends its drills: stopped pages too, which cannot notice it themselves.
    await dev.admin.startDrill('frozen-tabs');
    await until('frozen pages', async () => (await dev.admin.drills()).runs[0]?.steps.some(({ text }) => text.startsWith('pages frozen')), 30_000, 100);
    const children = descendantsOf(dev.pid);
    expect(children.length).toBeGreaterThanOrEqual(3);
    dev.kill();
    await until('no process to be left', () => stillThere(children).length === 0, GONE_WITHIN_MS, 50);
  });

  test('clients behind a proxy that answers for them are found dead, and a killed gateway loses nothing; one at a time, and stopped at once', {
    timeout: 120_000,
  }, async () => {
    await using dev = await startDev();
    expectPassed(await drill(dev.admin, 'auto-pong-proxy'));
    expectPassed(await drill(dev.admin, 'crash', 3));

    const { id, user } = await dev.admin.startDrill('leaky-tabs', { user: 'somebody' });
    expect(user).toBe('drill:somebody');
    await expect(dev.admin.startDrill('suspended')).rejects.toMatchObject({ status: 409, detail: expect.stringContaining('leaky-tabs') });
    await expect(dev.admin.startDrill('frozen-tabs', { count: 201 })).rejects.toMatchObject({ status: 400 });
    await until('tabs of it', async () => (await dev.admin.managers({ user })).managers.length > 0, 20_000, 100);
    const children = descendantsOf(dev.pid);
    expect(children.length).toBeGreaterThanOrEqual(2);
    await dev.admin.stopDrill(id);
    expect(await dev.admin.drill(id)).toMatchObject({ state: 'stopped', endedAt: expect.any(Number) });
    expect(stillThere(children)).toEqual([]);
  });

  test('a gateway for others has no drills unless it is asked to', async () => {
    using folder = temporaryFolder();
    const serve = ['serve', '--listen', '127.0.0.1:0', '--admin.listen', '127.0.0.1:0', '--data', 'memory', '--store', 'memory', '--logging.format', 'json'];
    const secrets = {
      SPILLWAY_AUTH_JWT_SECRET: 'a-secret-of-the-issuer-32-bytes-long',
      SPILLWAY_AUTH_ORIGINS: 'https://chat.example',
      SPILLWAY_ADMIN_TOKEN: 'key-of-the-operators',
    };
    for (const [flags, has] of [
      [[], false],
      [['--drills'], true],
    ] as const) {
      await using gateway = startCli([...serve, ...flags], { cwd: folder.path, env: secrets });
      const [, url = ''] = await gateway.until(/"event":"listening".*"admin":"(http:[^"]+)"/);
      const admin = createAdminClient({ url, key: 'key-of-the-operators' });
      if (has) expect((await admin.drills()).drills).toHaveLength(8);
      else await expect(admin.drills()).rejects.toMatchObject({ status: 404 });
    }
  });
});
