/** The webhook for alerts, against receivers that are away, refuse, or never answer. */

import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import { type Clock, systemClock } from '../../src/ports/clock.ts';
import type { LogRecord } from '../../src/ports/telemetry.ts';
import { type AlertMessage, createAlertWebhook } from '../../src/telemetry/alert-webhook.ts';
import { listenAnywhere } from '../support/ports.ts';

const message = (alert: string): AlertMessage => ({
  kind: 'spillway.alert.v1',
  alert,
  state: 'firing',
  severity: 'page',
  summary: 's',
  value: 1,
  threshold: '> 0',
  runbook: 'docs/operations/alerts.md#x',
  node: 'gw-1',
  version: '0.1.0',
  at: '2026-11-21T14:02:35.000Z',
});

/** Answers each request with what `answer` says of its number; a status of 0 is none at all. */
async function hook(answer: (asked: number) => number) {
  const taken: string[] = [];
  const records: LogRecord[] = [];
  const waits: number[] = [];
  let asked = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const status = answer(asked++);
      if (status === 0) return;
      if (status < 300) taken.push((JSON.parse(Buffer.concat(chunks).toString()) as AlertMessage).alert);
      response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end();
    });
  });
  // A hundred times quicker, so that a minute of patience is none of a test.
  const clock: Clock = {
    ...systemClock,
    after(delayMs, callback) {
      waits.push(delayMs);
      return systemClock.after(delayMs / 100, callback);
    },
  };
  const url = `http://127.0.0.1:${await listenAnywhere(server)}/hooks/a-secret-path`;
  const webhook = createAlertWebhook({ url, clock, telemetry: { record: (record) => records.push(record) } });
  return {
    webhook,
    taken,
    records,
    waits,
    asked: () => asked,
    [Symbol.asyncDispose]: async () => {
      webhook[Symbol.dispose]();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('messages come in order, each once, however often the receiver was away; waiting doubles and begins anew', async () => {
  await using there = await hook((asked) => ([0, 1, 2, 4].includes(asked) ? 503 : 204));
  for (const alert of ['a', 'b', 'c']) there.webhook.tell(message(alert));
  await expect.poll(() => there.taken, { timeout: 10_000 }).toEqual(['a', 'b', 'c']);
  expect(there.waits).toEqual([1_000, 2_000, 4_000, 1_000]);
  expect(there.records.map(({ event }) => event)).toEqual(['webhook-failed', 'webhook-failed']);
});

test('a message that is refused for good is left out, and the next one comes; a redirect is not followed', async () => {
  await using there = await hook((asked) => [410, 204, 302, 204][asked] ?? 204);
  for (const alert of ['a', 'b', 'c']) there.webhook.tell(message(alert));
  await expect.poll(() => there.taken, { timeout: 10_000 }).toEqual(['b', 'c']);
  expect(there.records[0]?.message).toContain('refuses the alert a');
});

test('80 wait for a receiver that is away; telling more costs nothing, and the oldest go', async () => {
  await using there = await hook((asked) => (asked === 0 ? 0 : 204));
  for (let i = 0; i < 100; i++) there.webhook.tell(message(`alert-${i}`));
  expect(there.records).toHaveLength(20);
  expect(there.records[0]?.message).toContain('the alert alert-0, firing, is left out');
  expect(JSON.stringify(there.records)).not.toContain('a-secret-path');
});

test('after its end it tells nobody, and throws at nobody', async () => {
  await using there = await hook(() => 0);
  there.webhook.tell(message('a'));
  await expect.poll(there.asked).toBe(1);
  there.webhook[Symbol.dispose]();
  there.webhook.tell(message('b'));
  await new Promise((resolve) => setImmediate(resolve));
  expect(there.records).toEqual([]);
});

test('what is no address is refused at the start, without repeating it', () => {
  for (const url of ['chat.example/secret', 'file:///secret', ''])
    expect(() => createAlertWebhook({ url, clock: systemClock, telemetry: { record: () => {} } })).toThrow(
      /^Expected `alerts\.webhook` to be an address that begins with https:\/\/ or http:\/\/\.$/,
    );
});
