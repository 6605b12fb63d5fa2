/** An alert fired, and its page says: run `spillway doctor`. It found two problems: the ports were taken by "another program. Stop it". That
 *  program was the gateway, which the same table called well four lines below. Whoever did as told cut everybody off. */

import { expect, it } from 'vitest';
import { freePort, runCli, startCli, takePort, temporaryFolder } from '../support/cli.ts';

it('does not take the gateway that runs for a stranger on its ports', { timeout: 60_000 }, async () => {
  using folder = temporaryFolder();
  const ports = ['--port', String(await freePort()), '--admin-port', String(await freePort())];
  await using dev = startCli(['dev', '--no-open', ...ports], { cwd: folder.path });
  await dev.until(/Admin +http/);

  const { code, stdout } = await runCli(['doctor', '--json', '--dev', ...ports], { cwd: folder.path });
  const found = JSON.parse(stdout) as { check: string; result: string; detail: string }[];
  expect(found.filter(({ check }) => /port/.test(check)).map(({ result, detail }) => [result, detail.split(' on ')[0]])).toEqual([
    ['ok', 'a gateway listens'],
    ['ok', 'a gateway listens'],
  ]);
  expect(code).toBe(0);

  await using stranger = await takePort();
  const other = await runCli(['doctor', '--json', '--dev', '--port', String(stranger.port), '--admin-port', '0'], { cwd: folder.path });
  expect(other.stdout).toContain('another program listens there');
  expect(other.code).toBe(1);
});
