import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterAll, describe, expect, it } from 'vitest';
import { isEpoch } from '../../src/protocol/ids.ts';
import { MIGRATIONS } from '../../src/stores/sqlite/migrations.ts';
import { sqliteStore } from '../../src/stores/sqlite/store.ts';
import { HandClock } from '../contracts/hand-clock.ts';
import { key, message, offsets, run, runId, Writer } from '../contracts/store-builders.ts';

const folder = mkdtempSync(join(tmpdir(), 'spillway-file-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let count = 0;
const newFile = (): string => join(folder, `${++count}.sqlite`);

describe('a store that is opened again', () => {
  it('has kept everything but the seats', async () => {
    const file = newFile();
    const k = key('ada');
    let before: unknown[];
    let epoch: string;
    const look = async (store: Awaited<ReturnType<typeof sqliteStore>>): Promise<unknown[]> => [
      await store.log.state(k),
      await store.log.read(k, 1, 1e6),
      await store.threads.list(k.user, 10, null),
      await store.threads.snapshot(k, 10, null),
      await store.threads.findSend(k, 'c-1'),
      await store.threads.openRuns(null),
    ];
    {
      await using store = await sqliteStore({ file });
      const writer = await Writer.claim(store.log, k);
      epoch = writer.epoch;
      const sent = message('m1', 1, { send: { id: 'c-1', digest: 'd' } });
      await writer.append(3, { run: runId('run_1') }, { title: 'kept', messages: [sent], runs: [run(k, 'run_1', { message: sent.id, firstOffset: 2 })] });
      await store.credentials.putTicket('ticket', { user: k.user, name: 'Ada', tier: 'free', authExpiresAt: 1, family: null }, 60_000);
      await store.credentials.putRefresh('refresh', { user: k.user, family: 'f' }, 60_000);
      before = await look(store);
    }
    await using store = await sqliteStore({ file });
    expect(await look(store)).toEqual(before);
    expect(await store.log.claim(k)).toMatchObject({ token: 2, epoch });
    expect((await store.log.state(key('nobody'))).epoch).toBe(epoch);
    expect(await store.credentials.consumeTicket('ticket')).toMatchObject({ is: 'ok' });
    expect(await store.credentials.rotateRefresh('refresh', 'next', 60_000)).toMatchObject({ is: 'ok' });
  });

  it('leaves one file behind when it is closed, and takes no calls any more', async () => {
    const file = newFile();
    const store = await sqliteStore({ file });
    const writing = Writer.claim(store.log, key('u'));
    const closing = store[Symbol.asyncDispose]();
    expect((await writing).token).toBe(1);
    await closing;
    await store[Symbol.asyncDispose]();
    await expect(store.log.state(key('u'))).rejects.toMatchObject({ code: 'SPILLWAY_CLOSED' });
    expect(await store.health()).toMatchObject({ ok: false });
    expect(existsSync(file)).toBe(true);
    expect(existsSync(`${file}-wal`)).toBe(false);
  });

  it('after a wall clock set back grows nothing younger: retention and expiry go on from where they were', async () => {
    const file = newFile();
    const clock = new HandClock();
    const k = key('u');
    {
      await using store = await sqliteStore({ file, clock });
      const writer = await Writer.claim(store.log, k);
      await writer.append(1);
      await store.credentials.putTicket('ticket', { user: k.user, name: '', tier: '', authExpiresAt: 1, family: null }, 30_000);
    }
    clock.jump(-3_600_000);
    await using store = await sqliteStore({ file, clock });
    clock.pass(30_000);
    expect(await store.credentials.consumeTicket('ticket')).toEqual({ is: 'expired' });
    expect(await store.log.trim({ keepMs: 30_000, streamBytes: 1e9, streams: 10 })).toEqual([{ key: k, first: 2 }]);
  });
});

describe('a machine that went down', () => {
  it('while the store was open gives every stream a new epoch; a clean end keeps them', async () => {
    const file = newFile();
    const k = key('u');
    const live = await sqliteStore({ file });
    const writer = await Writer.claim(live.log, k);
    await writer.append(3);
    // What the disk holds at this instant, as another life of the machine finds it.
    const found = newFile();
    for (const suffix of ['', '-wal']) copyFileSync(`${file}${suffix}`, `${found}${suffix}`);
    await live[Symbol.asyncDispose]();
    {
      await using store = await sqliteStore({ file });
      expect((await store.log.state(k)).epoch).toBe(writer.epoch);
    }
    const database = new Sqlite(found);
    database.prepare("UPDATE meta SET value = 'an earlier life' WHERE key = 'life'").run();
    database.close();
    await using store = await sqliteStore({ file: found });
    const state = await store.log.state(k);
    expect(isEpoch(state.epoch)).toBe(true);
    expect(state).toMatchObject({ head: 3 });
    expect(state.epoch).not.toBe(writer.epoch);
    expect((await store.log.state(key('nobody'))).epoch).not.toBe(writer.epoch);
    await expect(Writer.claim(store.log, k)).resolves.toMatchObject({ head: 3, epoch: state.epoch });
  });
});

describe('a file of an older schema', () => {
  for (let version = 1; version < MIGRATIONS.length; version++) {
    it(`of version ${version} is brought up to date with all it holds`, async () => {
      const file = newFile();
      {
        await using store = await sqliteStore({ file });
        const writer = await Writer.claim(store.log, key('u'));
        await writer.append(3, {}, { title: 'old', messages: [message('m', 1)] });
      }
      takeBackTo(file, version);
      await using store = await sqliteStore({ file });
      expect(offsets(await store.log.read(key('u'), 1, 1e6))).toEqual([1, 2, 3]);
      expect((await store.threads.snapshot(key('u'), 10, null))?.messages).toEqual([message('m', 1)]);
      await store.credentials.putRefresh('a', { user: key('u').user, family: 'f' }, 1_000);
      expect(await store.credentials.rotateRefresh('a', 'b', 1_000)).toMatchObject({ is: 'ok' });
      const database = new Sqlite(file, { readonly: true });
      expect(database.pragma('user_version', { simple: true })).toBe(MIGRATIONS.length);
      database.close();
    });
  }
});

/** Makes a file what a Spillway of schema `version` would have left: the tables that its steps make, with their rows. */
function takeBackTo(file: string, version: number): void {
  const fresh = new Sqlite(':memory:');
  for (const step of MIGRATIONS.slice(0, version)) fresh.exec(step);
  const names = (db: Sqlite.Database): string[] =>
    (db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all() as { name: string }[]).map((row) => row.name);
  const database = new Sqlite(file);
  const known = new Set(names(fresh));
  for (const name of names(database)) if (!known.has(name)) database.exec(`DROP TABLE ${name}`);
  database.pragma(`user_version = ${version}`);
  database.close();
  fresh.close();
}
