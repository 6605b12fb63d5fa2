/** What operators' commands make of what strangers sent, and of servers that are no gateway. */

import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import { ADMIN_KEY, startWithAdmin } from '../support/admin.ts';
import { runCli } from '../support/cli.ts';
import { listenAnywhere } from '../support/ports.ts';

const env = { SPILLWAY_ADMIN_TOKEN: ADMIN_KEY };
const CONTROL = /(?![\n\t])\p{Cc}/u;

test('no name that a client gave itself steers the terminal or makes lines of its own', async () => {
  await using admin = await startWithAdmin();
  const client = { name: 'x\u001b[31m', version: '1\r\nverdict\thealthy', label: '\u001b[2J\u001b]0;mine\u0007 \u009b31m' };
  const { ready } = await admin.gw.seat('ada', { client });
  for (const args of [
    ['managers', 'list'],
    ['users', 'show', 'ada'],
    ['managers', 'show', ready.manager],
    ['managers', 'explain', ready.manager],
  ]) {
    const { code, stdout } = await runCli([...args, '--url', admin.url], { env });
    expect([code, CONTROL.test(stdout)], args.join(' ')).toEqual([0, false]);
    expect(stdout.split('\n').filter((line) => line.startsWith('verdict\t')).length, args.join(' ')).toBeLessThanOrEqual(1);
  }
});

test.each([
  ['says something else', '<!doctype html><title>Somebody else</title>', 'what answered there is none'],
  ['hangs up in the middle', null, 'its answer ended in the middle'],
])('a server that %s is named in one sentence', async (_, body, why) => {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html', ...(body === null ? { 'content-length': 100 } : {}) });
    if (body === null) response.write('{', () => response.destroy());
    else response.end(body);
  });
  const url = `http://127.0.0.1:${await listenAnywhere(server)}`;
  try {
    const { code, stdout, stderr } = await runCli(['status', '--url', url], { env });
    expect([code, stdout]).toEqual([expect.any(Number), '']);
    expect(code).not.toBe(0);
    expect(stderr.split('\n')[0]).toBe(`spillway: Expected a gateway of Spillway at ${url}/admin/api/v1/status, but ${why}.`);
    expect(stderr).not.toMatch(/^\s+at /m);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
