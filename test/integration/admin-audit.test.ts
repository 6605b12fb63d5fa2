import { describe, expect, test } from 'vitest';
import { mintRoleToken } from '../../src/auth/role-tokens.ts';
import type { SpillwayEvents } from '../../src/ports/events.ts';
import type { LogRecord } from '../../src/ports/telemetry.ts';
import type { AuditEntry as Entry } from '../../src/protocol/live.ts';
import { AuditEntries } from '../../src/schemas/admin-operation.ts';
import { expectShape, startWithAdmin } from '../support/admin.ts';
import { FaultyStore } from '../support/faulty-store.ts';
import { expectProblem } from './http-support.ts';

const SIGNING_KEY = new Uint8Array(32).fill(7);
const reason = 'asked by ada on the phone';

describe('the audit', () => {
  test('holds what was done, what was refused and what failed, as the events and the log do', async () => {
    const records: LogRecord[] = [];
    const told: SpillwayEvents['operator-acted'][] = [];
    const store = new FaultyStore();
    await using admin = await startWithAdmin({ signingKey: SIGNING_KEY, store, telemetry: { record: (record) => records.push(record) } });
    admin.gw.gateway.on('operator-acted', (event) => told.push(event));
    const { ready } = await admin.gw.seat('ada');
    const viewer = { authorization: `Bearer ${await mintRoleToken(SIGNING_KEY, { role: 'viewer', expiresAt: Date.now() + 60_000 })}` };

    await admin.ask('POST', `managers/${ready.manager}/evict`, { reason }, viewer);
    await admin.ask('POST', `managers/${ready.manager}/evict`, {});
    await admin.ask('POST', 'cleanup/run', { planId: 'pln_gone', level: 'force', reason });
    store.fail('seats.evict');
    await expectProblem(await admin.ask('POST', `managers/${ready.manager}/evict`, { reason }), 503, 'store-unavailable');
    store.heal('seats.evict');
    const last = await admin.ask('POST', `managers/${ready.manager}/evict`, { reason });

    const page = await admin.get('audit');
    expectShape(AuditEntries, page);
    expect(page).toMatchObject({
      entries: [
        {
          id: 5,
          role: 'admin',
          action: 'evict-manager',
          target: ready.manager,
          reason,
          outcome: 'done',
          detail: expect.stringContaining('ada'),
          request: last.headers.get('spillway-request'),
        },
        { id: 4, action: 'evict-manager', target: ready.manager, reason, outcome: 'failed', detail: expect.stringContaining('store-unavailable') },
        { id: 3, role: 'admin', action: 'run-cleanup', target: 'pln_gone', reason, outcome: 'refused', detail: expect.stringContaining('not-found') },
        { id: 2, role: 'admin', action: 'evict-manager', target: ready.manager, reason: '', outcome: 'refused', detail: expect.stringContaining('`reason`') },
        { id: 1, role: 'viewer', action: 'evict-manager', target: ready.manager, reason, outcome: 'refused', detail: expect.stringContaining('forbidden') },
      ],
      nextCursor: null,
    });
    const inOrder = (page.entries as Entry[]).toReversed().map(({ id: _, at: __, node: ___, via: ____, ...act }) => act);
    expect(told).toEqual(inOrder);
    expect((await admin.get('events?type=operator-acted')).events.map(({ data }: { data: unknown }) => data)).toEqual(inOrder);
    expect(records.filter(({ event }) => event === 'operator-acted')).toMatchObject(inOrder);
  });

  test('is newest first, page by page, and can be narrowed', async () => {
    await using admin = await startWithAdmin();
    for (const user of ['ada', 'ben', 'cleo']) await admin.ask('PUT', `users/${user}/tier`, { tier: 'mid', reason });
    await admin.ask('POST', 'managers/mgr_x/probe');
    const targets = ({ entries }: { entries: readonly Entry[] }): readonly string[] => entries.map(({ target }) => target);
    const first = await admin.get('audit?limit=3');
    expect(targets(first)).toEqual(['mgr_x', 'cleo', 'ben']);
    expect(targets(await admin.get(`audit?limit=3&cursor=${first.nextCursor}`))).toEqual(['ada']);
    expect(targets(await admin.get('audit?action=probe-manager'))).toEqual(['mgr_x']);
    expect(targets(await admin.get(`audit?since=${Date.now() + 60_000}`))).toEqual([]);
  });

  test('keeps the last thousand', async () => {
    await using admin = await startWithAdmin();
    for (let round = 0; round < 21; round++)
      await Promise.all(Array.from({ length: 50 }, () => admin.ask('POST', 'managers/mgr_x/probe').then((response) => response.body?.cancel())));
    const kept: number[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: { entries: Entry[]; nextCursor: string | null } = await admin.get(`audit?limit=500${cursor === '' ? '' : `&cursor=${cursor}`}`);
      kept.push(...page.entries.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    expect(kept).toEqual(Array.from({ length: 1_000 }, (_, i) => 1_050 - i));
  });

  test('does not hold who had no key', async () => {
    await using admin = await startWithAdmin();
    await admin.ask('POST', 'managers/mgr_x/evict', { reason }, { authorization: 'Bearer nobodys-key-at-all' });
    expect((await admin.get('audit')).entries).toEqual([]);
  });
});
