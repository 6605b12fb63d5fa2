/** Sockets are counted apart from seats: a freed seat never hides a socket that is still there. */

import { expect, test } from 'vitest';
import { createHealth } from '../../src/gateway/health.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { bareNode, eventually, withChanges } from '../support/bare-node.ts';

const ADA = 'ada' as never;

test('a socket that does not close is quarantined and destroyed again until it has; its seat is free meanwhile', async () => {
  await using node = await bareNode({ limits: { perUser: 1, burst: { perUser: 1 }, overflowPolicy: 'force-first' }, cleanup: { quarantineRetryMs: 50 } });
  let terminated = 0;
  let holds = true;
  const stubborn = await node.connect('ada', {
    wrap: (transport) =>
      withChanges(transport, {
        end: () => {},
        terminate: () => {
          terminated++;
          if (!holds) transport.terminate();
        },
      }),
  });
  const next = await node.connect('ada');
  expect(next.admission).toMatchObject({ kind: 'seated', how: 'force' });
  const [alert] = await eventually('the alert', () => node.told('transport-quarantined').length > 0 && node.told('transport-quarantined'));
  const manager = stubborn.admission.kind === 'seated' ? stubborn.admission.manager : null;
  expect(alert).toEqual({ user: 'ada', managerId: manager?.id, quarantined: 1 });
  expect(node.records.filter((r) => r.event === 'transport-quarantined')).toHaveLength(1);
  expect(node.factory.quarantined).toBe(1);
  expect(await node.factory.limits(ADA, 'free')).toMatchObject({ used: 1, sockets: 2 });
  await eventually('two more attempts', () => terminated >= 3);
  holds = false;
  await eventually('its end', () => node.factory.quarantined === 0);
  expect(await node.factory.limits(ADA, 'free')).toMatchObject({ used: 1, sockets: 1 });
  expect(node.told('transport-quarantined')).toHaveLength(1);
});

test('farewells end early, the oldest first, where a user would have more sockets than hard limit and ten', async () => {
  await using node = await bareNode({
    limits: { perUser: 1, burst: { perUser: 1 }, overflowPolicy: 'force-first' },
    cleanup: { lingerForceMs: 60_000 },
  });
  const sessions = [];
  for (let n = 0; n < 14; n++) {
    const session = await node.connect('ada');
    // It will not answer the close handshake, so that its farewell takes its whole time.
    session.client.stopReading();
    sessions.push(session);
    expect((await node.factory.limits(ADA, 'free')).sockets).toBeLessThanOrEqual(12);
    await eventually('room', () => n < 11 || node.told('manager-ended').length === n);
  }
  // `sockets` falls when their ends are seen.
  await eventually('eleven sockets', async () => (await node.factory.limits(ADA, 'free')).sockets <= 11);
  for (const { client } of sessions) client.readAgain();
  const closed = await Promise.all(sessions.slice(0, 3).map(({ client }) => client.close()));
  expect(closed.map(({ code }) => code)).toEqual([4201, 4201, 4201]);
  expect(node.factory.crowded).toBe(0);
  expect(node.factory.quarantined).toBe(0);
});

test('a node takes nobody in while a user has too many sockets that refuse to close', async () => {
  await using node = await bareNode({
    limits: { perUser: 1, burst: { perUser: 1 }, overflowPolicy: 'force-first' },
    cleanup: { lingerForceMs: 60_000, quarantineRetryMs: 50 },
  });
  const health = createHealth({
    store: memoryStore(),
    streams: node.factory.streams,
    isDraining: () => false,
    isRecovered: () => true,
    quarantined: () => node.factory.quarantined,
    crowded: () => node.factory.crowded,
    leaseMs: () => null,
  });
  let holds = true;
  const wrap = (transport: Parameters<typeof withChanges>[0]) => withChanges(transport, { end: () => {}, terminate: () => holds || transport.terminate() });
  for (let n = 0; n < 11; n++) await node.connect('ada', { wrap });
  expect((await health.ready()).status).toBe('ok');
  await node.connect('ada', { wrap });
  await eventually('a crowd', () => node.factory.crowded === 1);
  const report = await health.ready();
  expect(report.status).toBe('fail');
  expect(report.checks.find((c) => c.name === 'quarantine')).toMatchObject({ ok: false });
  holds = false;
  await eventually('their ends', () => node.factory.crowded === 0);
  expect((await health.ready()).status).toBe('ok');
});
