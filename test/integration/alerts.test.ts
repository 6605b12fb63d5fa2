/** A cleanup that fails: whoever operates the gateway learns of it within 15 s, on every way there is, and learns when it is over. */

import { createServer, type IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { type Clock, systemClock } from '../../src/ports/clock.ts';
import type { SpillwayEvents } from '../../src/ports/events.ts';
import type { LogRecord } from '../../src/ports/telemetry.ts';
import type { AlertStatus } from '../../src/protocol/live.ts';
import type { AlertMessage } from '../../src/telemetry/alert-webhook.ts';
import { alertsOf } from '../../src/telemetry/alerts.ts';
import { ADMIN_KEY, startWithAdmin } from '../support/admin.ts';
import { FaultyStore } from '../support/faulty-store.ts';
import { listenAnywhere } from '../support/ports.ts';

const TOLD_WITHIN_MS = 15_000;
const WINDOW_MS = 5 * 60_000;
const PAGES = new Set(alertsOf().flatMap(({ name, severity }) => (severity === 'page' ? [name] : [])));

async function until<T>(what: string, look: () => T | undefined, withinMs: number): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`Expected ${what} within ${withinMs} ms.`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A receiver of webhooks that is away for its first requests. */
async function receiver(awayFor: number) {
  const messages: AlertMessage[] = [];
  let asked = 0;
  const server = createServer((request: IncomingMessage, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const isAway = asked++ < awayFor;
      if (!isAway) messages.push(JSON.parse(Buffer.concat(chunks).toString()) as AlertMessage);
      response.writeHead(isAway ? 503 : 204).end();
    });
  });
  const url = `http://127.0.0.1:${await listenAnywhere(server)}/hooks/a-secret-path`;
  return {
    url,
    messages,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('a failed cleanup is a metric, a log record, an alert and a webhook within 15 s; and all of them say when it is over', async () => {
  let aheadMs = 0;
  // To the gateway: as if its machine had been suspended.
  const clock: Clock = { ...systemClock, mono: () => systemClock.mono() + aheadMs };
  const store = new FaultyStore();
  const records: LogRecord[] = [];
  const changes: SpillwayEvents['alert-changed'][] = [];
  await using hook = await receiver(1);
  await using admin = await startWithAdmin({
    store,
    clock,
    telemetry: { record: (record) => records.push(record) },
    alerts: { webhook: hook.url },
    limits: { perUser: 2, burst: { perUser: 2 } },
    queue: { waitMs: 300 },
    cleanup: { proactive: false },
  });
  const { gw } = admin;
  gw.gateway.on('alert-changed', (change) => changes.push(change));
  const statusOf = async (name: string) => (((await admin.get('alerts')).alerts ?? []) as AlertStatus[]).find(({ alert }) => alert === name);

  const seated = [await gw.seat('ada'), await gw.seat('ada')];
  expect(await statusOf('CleanupFailed')).toMatchObject({ state: 'quiet', since: null, severity: 'ticket' });
  store.fail('seats.evict');
  seated[0]?.client.cut();
  await until('its transport to be lost', () => (gw.gateway.factory.getFactoryStatus().sockets === 1 ? true : undefined), 5_000);
  const causedAt = performance.now();
  expect((await gw.seat('ada')).ready).toMatchObject({ type: 'ready' });

  await until('the alert', () => changes.find(({ alert, state }) => alert === 'CleanupFailed' && state === 'firing'), TOLD_WITHIN_MS);
  const log = await until(
    'a record',
    () => records.find(({ event, alert, state }) => event === 'alert-changed' && alert === 'CleanupFailed' && state === 'firing'),
    TOLD_WITHIN_MS,
  );
  expect(log).toMatchObject({ severity: 'WARNING', runbook: 'docs/operations/alerts.md#cleanupfailed' });
  expect(records.some(({ event, severity }) => event === 'cleanup-finished' && severity === 'ERROR')).toBe(true);
  expect(await statusOf('CleanupFailed')).toMatchObject({ state: 'firing', since: expect.any(Number), value: expect.any(Number) });
  const metrics = await (await fetch(`${admin.url}/metrics`, { headers: { authorization: `Bearer ${ADMIN_KEY}` } })).text();
  expect(metrics).toMatch(/^spillway_cleanup_runs_total\{level="conservative",result="failed"\} [1-9]/m);
  expect(
    await until('the webhook', () => hook.messages.find(({ alert, state }) => alert === 'CleanupFailed' && state === 'firing'), TOLD_WITHIN_MS),
  ).toMatchObject({
    kind: 'spillway.alert.v1',
    alert: 'CleanupFailed',
    state: 'firing',
    node: gw.gateway.factory.node,
  });
  expect(performance.now() - causedAt).toBeLessThan(TOLD_WITHIN_MS);
  // Nobody was locked out by it, and nobody is woken. (A slow machine may have alerts of its own.)
  expect(changes.filter(({ state }) => state === 'firing').map(({ alert }) => PAGES.has(alert))).not.toContain(true);

  store.heal('seats.evict');
  aheadMs += WINDOW_MS;
  await until('its end', () => changes.find(({ alert, state }) => alert === 'CleanupFailed' && state === 'quiet'), TOLD_WITHIN_MS);
  expect(
    await until('the end at the webhook', () => hook.messages.find(({ alert, state }) => alert === 'CleanupFailed' && state === 'resolved'), TOLD_WITHIN_MS),
  ).toMatchObject({ alert: 'CleanupFailed', state: 'resolved' });
  expect(await statusOf('CleanupFailed')).toMatchObject({ state: 'quiet', since: null });
  const told = records.filter(({ event, alert }) => event === 'alert-changed' && alert === 'CleanupFailed');
  expect(told.map(({ severity }) => severity)).toEqual(['WARNING', 'INFO']);

  // What the receiver's address is was told to nobody.
  expect(records.some(({ event }) => event === 'webhook-failed')).toBe(true);
  expect(JSON.stringify(records)).not.toContain('a-secret-path');
});
