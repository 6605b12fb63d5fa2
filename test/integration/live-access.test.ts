import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mintRoleToken } from '../../src/auth/role-tokens.ts';
import { type Clock, systemClock } from '../../src/ports/clock.ts';
import { LIVE_BOUNDS } from '../../src/protocol/live.ts';
import { ADMIN_KEY, type AdminGateway, startWithAdmin } from '../support/admin.ts';
import { LiveClient } from '../support/live.ts';

const SIGNING_KEY = new Uint8Array(32).fill(7);
const IMPATIENT_MS = 100;

/** Time in which nobody waits long for a key. */
const impatient: Clock = {
  ...systemClock,
  after: (delayMs, callback) => systemClock.after(delayMs === LIVE_BOUNDS.authMs ? IMPATIENT_MS : delayMs, callback),
};

let admin: AdminGateway;
beforeAll(async () => {
  admin = await startWithAdmin({ signingKey: SIGNING_KEY });
});
afterAll(async () => {
  await admin[Symbol.asyncDispose]();
});

const tokenOf = (role: 'viewer' | 'operator' | 'admin', livesMs = 60_000): Promise<string> =>
  mintRoleToken(SIGNING_KEY, { role, expiresAt: Date.now() + livesMs });

test('a program shows the key in a header, a page in its first frame', async () => {
  await using program = await LiveClient.welcomed(admin);
  expect(program.welcome).toMatchObject({ type: 'welcome', node: 'gw-1', role: 'admin', readOnly: false, limits: { perUser: 20, burst: 25, perNode: 20_000 } });
  expect(program.welcome.tiers).toEqual(['enterprise', 'mid', 'early', 'free']);

  await using page = await LiveClient.open(admin, { key: null, origin: admin.url });
  page.send({ type: 'auth', key: ADMIN_KEY });
  expect(await page.next('welcome')).toMatchObject({ role: 'admin' });
  // Who shows it twice has done no harm.
  page.send({ type: 'auth', key: ADMIN_KEY });
  page.watch(1, { of: 'queue' });
  expect(await page.update('queue')).toEqual({ of: 'queue', total: 0, queued: [] });
});

test('each role may look, and is told what it is', async () => {
  for (const role of ['viewer', 'operator', 'admin'] as const) {
    await using client = await LiveClient.welcomed(admin, { key: await tokenOf(role) });
    expect(client.welcome.role).toBe(role);
    client.watch(1, { of: 'queue' });
    await client.update('queue');
  }
});

test('a wrong key, an expired token, and anything before the key end the connection with a reason', async () => {
  const cases = [
    { key: 'another-key-of-nobody', code: 'unauthorized', close: 4501 },
    { key: await tokenOf('viewer', -60_000), code: 'credential-expired', close: 4010 },
  ];
  for (const { key, code, close } of cases) {
    await using byHeader = await LiveClient.open(admin, { key });
    expect(await byHeader.next('problem')).toMatchObject({ id: null, code, detail: expect.stringContaining('Expected') });
    expect(await byHeader.closed).toMatchObject({ code: close });
    await using byFrame = await LiveClient.open(admin, { key: null });
    byFrame.send({ type: 'auth', key });
    expect(await byFrame.next('problem')).toMatchObject({ code });
    expect(await byFrame.closed).toMatchObject({ code: close });
    // What was wrong is not repeated to whoever reads along.
    expect(JSON.stringify([...byHeader.messages, ...byFrame.messages])).not.toContain(key);
  }
  await using eager = await LiveClient.open(admin, { key: null });
  eager.watch(1, { of: 'map' });
  expect(await eager.next('problem')).toMatchObject({ code: 'unauthorized' });
  expect(await eager.closed).toMatchObject({ code: 4501 });
});

test('who says nothing is not waited for, and a token that expires ends its connection', async () => {
  await using other = await startWithAdmin({ signingKey: SIGNING_KEY, clock: impatient });
  await using mute = await LiveClient.open(other, { key: null });
  expect(await mute.next('problem')).toMatchObject({ code: 'unauthorized', detail: expect.stringContaining('none came') });
  expect(await mute.closed).toMatchObject({ code: 4011 });

  await using brief = await LiveClient.welcomed(other, { key: await tokenOf('viewer', 1_500) });
  expect(await brief.next('problem')).toMatchObject({ code: 'credential-expired' });
  expect(await brief.closed).toMatchObject({ code: 4010 });
});

test('other origins, other protocols and other paths are refused before the upgrade', async () => {
  await expect(LiveClient.open(admin, { origin: 'https://elsewhere.example' })).rejects.toThrow(/^403 .*origin-denied/);
  await expect(LiveClient.open(admin, { protocols: ['chat'] })).rejects.toThrow(/^400 .*spillway\.live\.v1/);
  await expect(LiveClient.open(admin, { protocols: [] })).rejects.toThrow(/^400 .*none came/);
  await expect(LiveClient.open(admin, { path: '/admin/api/v1/dead' })).rejects.toThrow(/^404 .*admin\/api\/v1\/live/);
});

test('there is room for so many pages and watches, and one more is told so', async () => {
  const pages = await Promise.all(Array.from({ length: LIVE_BOUNDS.viewers }, () => LiveClient.welcomed(admin)));
  try {
    await using late = await LiveClient.open(admin);
    expect(await late.next('problem')).toMatchObject({ code: 'node-overloaded', detail: expect.stringContaining('at most 20 pages') });
    expect(await late.closed).toMatchObject({ code: 4102 });
    const first = pages[0] as LiveClient;
    for (let id = 0; id <= LIVE_BOUNDS.watches; id++) first.watch(id, { of: 'queue' });
    expect(await first.next('problem')).toMatchObject({ id: LIVE_BOUNDS.watches, code: 'rate-limited' });
    // Watching anew under an id that is in use needs no room.
    first.watch(3, { of: 'events' });
    await first.update('events');
  } finally {
    await Promise.all(pages.map((page) => page[Symbol.asyncDispose]()));
  }
  await using again = await LiveClient.welcomed(admin);
  expect(again.welcome.role).toBe('admin');
});

test('whatever a page sends, it is told what was expected, and the connection goes on', async () => {
  await using page = await LiveClient.welcomed(admin);
  const told = async (frame: object | string): Promise<{ readonly id: number | null; readonly detail: string }> => {
    page.send(frame);
    return await page.next('problem');
  };
  expect(await told('no json')).toMatchObject({ id: null, code: 'bad-request', detail: 'Expected JSON, got something else.' });
  expect((await told('[]')).detail).toBe('Expected a JSON object, got an array.');
  expect((await told({ type: 'wach', id: 1 })).detail).toBe('Expected `type` to be one of "auth", "watch", "unwatch", "who", got "wach".');
  expect(await told({ type: 'watch', id: 7, topic: { of: 'mapp' } })).toMatchObject({
    id: 7,
    detail: expect.stringMatching(/"summary", .*"drills", got "mapp"/),
  });
  expect((await told({ type: 'watch', id: 8, topic: { of: 'series', range: '1y' } })).detail).toContain('"15m" or "24h" or "7d"');
  const tooMany = { of: 'managers', sort: 'age', window: { from: 0, size: 101 } };
  expect((await told({ type: 'watch', id: 9, topic: tooMany })).detail).toContain('a whole number from 1 to 100, got the number 101');
  expect(await told({ type: 'unwatch', id: 40 })).toMatchObject({ id: 40, code: 'not-found' });
  expect(await told({ type: 'watch', id: 10, topic: { of: 'drills' } })).toMatchObject({
    id: 10,
    code: 'not-found',
    detail: expect.stringContaining('Drills are off'),
  });
  expect(await told(`"${'x'.repeat(LIVE_BOUNDS.frameBytes)}"`)).toMatchObject({ code: 'payload-too-large' });

  const frames = fc.sample(
    fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .record({ type: fc.constantFrom('watch', 'unwatch', 'who'), id: fc.jsonValue(), topic: fc.jsonValue(), cell: fc.jsonValue() })
        .map((frame) => JSON.stringify(frame)),
    ),
    150,
  );
  for (const frame of frames) page.send(frame);
  page.send({ type: 'who', id: 99, cell: 0 });
  expect(await page.next('who')).toMatchObject({ cell: 0 });
});

test('a binary frame, a frame beyond all bounds, and a flood end the connection', async () => {
  await using binary = await LiveClient.welcomed(admin);
  binary.sendBinary(new Uint8Array(10));
  expect(await binary.next('problem')).toMatchObject({ code: 'bad-request' });
  expect(await binary.closed).toMatchObject({ code: 4500 });

  await using huge = await LiveClient.welcomed(admin);
  huge.send('x'.repeat(10 * LIVE_BOUNDS.frameBytes));
  expect(await huge.closed).toMatchObject({ code: 1009 });

  await using flood = await LiveClient.welcomed(admin);
  for (let n = 0; n < 3_100; n++) flood.send({ type: 'who', id: 1, cell: n });
  expect(await flood.closed).toMatchObject({ code: 4103 });
});

test('a gateway that stops says goodbye', async () => {
  const other = await startWithAdmin();
  await using page = await LiveClient.welcomed(other);
  await other[Symbol.asyncDispose]();
  expect(await page.closed).toMatchObject({ code: 4000 });
});
