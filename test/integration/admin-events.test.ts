import { describe, expect, test } from 'vitest';
import { Events } from '../../src/schemas/admin-bodies.ts';
import { expectShape, startWithAdmin } from '../support/admin.ts';
import { EventReader, expectProblem } from './http-support.ts';

const STREAM = { accept: 'text/event-stream' };
type Told = { id: number; type: string; data: { user: string; managerId?: string } };

describe('what happened', () => {
  test('is told in order, and `nextCursor` goes on behind it', async () => {
    await using admin = await startWithAdmin();
    const { client, ready } = await admin.gw.seat('ada');
    await admin.gw.seat('ben');
    const first = await admin.get('events');
    expectShape(Events, first);
    const ids = first.events.map(({ id }: Told) => id);
    expect(ids).toEqual(ids.map((_: number, i: number) => i + 1));
    expect(first.events.filter(({ type }: Told) => type === 'admission-ended')).toMatchObject([
      { data: { user: 'ada', managerId: ready.manager, outcome: 'direct' } },
      { data: { user: 'ben' } },
    ]);
    expect((await admin.get(`events?cursor=${first.nextCursor}`)).events).toEqual([]);
    client.sendFrame({ type: 'bye', reason: 'left' });
    await client.closed;
    const { events } = await admin.get(`events?cursor=${first.nextCursor}`);
    expect(events.at(-1)).toMatchObject({ type: 'manager-ended', data: { reason: 'client-closed' } });
  });

  test('can be narrowed by type, user, node, reason, time and number', async () => {
    await using admin = await startWithAdmin();
    const { client } = await admin.gw.seat('ada');
    await admin.gw.seat('ben');
    client.sendFrame({ type: 'bye', reason: 'left' });
    await client.closed;
    const told = async (query: string): Promise<Told[]> => (await admin.get(`events?${query}`)).events;
    const ids = async (query: string): Promise<number[]> => (await told(query)).map(({ id }) => id);
    const all = await told('');
    const those = (isOne: (event: Told) => boolean): number[] => all.filter(isOne).map(({ id }) => id);
    expect(await ids('user=ada')).toEqual(those(({ data }) => data.user === 'ada'));
    expect(await ids('type=admission-ended')).toEqual(those(({ type }) => type === 'admission-ended'));
    expect(await ids('reason=client-closed')).toEqual(those(({ type }) => type === 'manager-ended'));
    expect(await ids('reason=client-closed')).toHaveLength(1);
    expect(await ids('node=gw-1')).toEqual(all.map(({ id }) => id));
    expect((await expectProblem(await admin.ask('GET', 'events?node=gw-2'), 404, 'not-found')).detail).toContain('`gw-1`');
    expect(await ids('limit=1')).toEqual([all.length]);
    expect(await ids('limit=1&cursor=1')).toEqual([2]);
    expect(await ids(`since=${Date.now() + 60_000}`)).toEqual([]);
    expect(await ids(`since=${encodeURIComponent(new Date(Date.now() - 60_000).toISOString())}`)).toEqual(all.map(({ id }) => id));
  });
});

describe('what happens', () => {
  test('is streamed as it happens, and from where a reader was', async () => {
    await using admin = await startWithAdmin();
    await admin.gw.seat('before');
    const { nextCursor } = await admin.get('events');
    await using live = new EventReader(await admin.ask('GET', 'events', undefined, STREAM));
    expect(live.response.headers.get('content-type')).toMatch('text/event-stream');
    await admin.gw.seat('ada');
    const next = Number(nextCursor) + 1;
    expect(await live.next()).toMatchObject({ id: String(next), data: { id: next, data: { user: 'ada' } } });
    await using again = new EventReader(await admin.ask('GET', 'events?type=admission-ended', undefined, { ...STREAM, 'last-event-id': '0' }));
    expect([(await again.next())?.data.data.user, (await again.next())?.data.data.user]).toEqual(['before', 'ada']);
  });

  test('is told from the start to a reader who knows numbers of an earlier process', async () => {
    await using admin = await startWithAdmin();
    await admin.gw.seat('ada');
    await using live = new EventReader(await admin.ask('GET', 'events', undefined, { ...STREAM, 'last-event-id': '4711' }));
    expect(await live.next()).toMatchObject({ id: '1' });
  });

  test('is filtered as asked', async () => {
    await using admin = await startWithAdmin();
    await using live = new EventReader(await admin.ask('GET', 'events?user=ada&type=admission-ended', undefined, STREAM));
    await admin.gw.seat('ben');
    await admin.gw.seat('ada');
    expect((await live.next())?.data.data.user).toBe('ada');
  });

  test('is not begun at a place that is none', async () => {
    await using admin = await startWithAdmin();
    const response = await admin.ask('GET', 'events', undefined, { ...STREAM, 'last-event-id': 'x' });
    expect((await expectProblem(response, 400, 'bad-request')).detail).toContain('got "x"');
  });

  test('is watched by ten at most: an eleventh ends the oldest, and all end with the gateway', async () => {
    await using admin = await startWithAdmin();
    await using readers = new AsyncDisposableStack();
    const open = async () => readers.use(new EventReader(await admin.ask('GET', 'events', undefined, STREAM)));
    const [oldest, second] = [await open(), await open()];
    for (let i = 2; i < 11; i++) await open();
    expect(await oldest.next()).toMatchObject({ event: 'bye' });
    expect(await oldest.next()).toBeNull();
    await admin.gw.gateway[Symbol.asyncDispose]();
    expect(await second.next()).toMatchObject({ event: 'bye' });
  });
});
