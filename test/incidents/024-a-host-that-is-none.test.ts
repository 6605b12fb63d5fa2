// HTTP lets a `Host` pass that no address can have, such as 1127.0.0.1. A request with one was answered with 500 and an error in the log,
// for anybody who cared to fill it.
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import type { LogRecord } from '../../src/ports/telemetry.ts';
import { startWithAdmin } from '../support/admin.ts';

function ask(url: string, host: string): Promise<string> {
  return new Promise((resolve) => {
    let heard = '';
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString();
    });
    socket.on('close', () => resolve(heard));
    socket.write(`GET /readyz HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  });
}

test.each(['1127.0.0.1', '.127.0.0.1', '127.0.081'])('a request to the host %s is a bad request', async (host) => {
  const records: LogRecord[] = [];
  await using admin = await startWithAdmin({ telemetry: { record: (record) => void records.push(record) } });
  for (const url of [admin.url, admin.gw.url]) {
    const answer = await ask(url, host);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('"code":"bad-request"');
    expect(answer).toContain('Expected `Host` to name a host.');
  }
  expect(records.filter(({ severity }) => severity === 'ERROR')).toEqual([]);
});
