/** `spillway serve --workers 2` on a port that another program had: each worker said so and ended, by closing the way to the process that
 *  had started it, and so with the status 0. That process took it for a crash, and started them again and again for a quarter of a minute. */

import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { freePort, startCli } from '../support/cli.ts';
import { listenAnywhere } from '../support/ports.ts';

test('workers that cannot start are not started again', async () => {
  await using cleanUp = new AsyncDisposableStack();
  const other = createServer();
  const taken = await listenAnywhere(other as never);
  cleanUp.defer(() => void other.close());
  const args = ['--listen', `127.0.0.1:${taken}`, '--admin.listen', `127.0.0.1:${await freePort()}`, '--data', 'memory', '--workers', '2'];
  // The store is asked later.
  const store = ['--store', 'redis://127.0.0.1:1', '--auth.origins', 'http://localhost', '--auth.jwks-url', 'http://127.0.0.1:1/keys'];
  const server = cleanUp.use(startCli(['serve', ...args, ...store]));
  const { code, stdout, stderr } = await server.finished;
  expect(code).toBe(1);
  const said = stdout + stderr;
  expect(said).toContain('another program listens there');
  expect(said).not.toContain('started again');
});
