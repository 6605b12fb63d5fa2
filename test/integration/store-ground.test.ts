import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SpillwayError } from '../../src/protocol/errors.ts';
import { Caller } from '../../src/stores/sqlite/caller.ts';
import { sqliteStore } from '../../src/stores/sqlite/store.ts';
import { entry, key, offsets, Writer } from '../contracts/store-builders.ts';

const folder = mkdtempSync(join(tmpdir(), 'spillway-ground-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let count = 0;
const newFile = (): string => join(folder, `${++count}.sqlite`);

async function failure(promise: Promise<unknown>): Promise<SpillwayError> {
  const error = await promise.then(
    () => new Error('Expected a rejection, got an answer.'),
    (reason: unknown) => reason,
  );
  if (!SpillwayError.is(error)) throw error;
  return error;
}

/** Appends to a file until its disk has no room left. */
function fill(file: string): void {
  const handle = openSync(file, 'a');
  try {
    for (;;) writeSync(handle, Buffer.alloc(4_096));
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
  } finally {
    closeSync(handle);
  }
}

describe('a file system without room or rights', () => {
  const disk = join(folder, 'disk');
  const run = (command: string, ...args: string[]): boolean => spawnSync(command, args).status === 0;
  let mounted = false;
  beforeAll(() => {
    mkdirSync(disk);
    mounted = process.getuid?.() === 0 && run('mount', '-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', disk);
  });
  afterAll(() => {
    if (mounted) run('umount', '-l', disk);
  });
  const NO_MOUNT = 'a small disk needs root and the right to mount a tmpfs';

  it('a full disk refuses appends in clear words, loses nothing confirmed, and takes them again when there is room', async (context) => {
    if (!mounted) context.skip(NO_MOUNT);
    const filler = join(disk, 'filler');
    await using store = await sqliteStore({ file: join(disk, 'full.sqlite') });
    const writer = await Writer.claim(store.log, key('u'));
    const request = () => writer.next(3, { data: JSON.stringify('x'.repeat(10_000)) });
    await writer.append(3);
    // Somebody else fills the disk. What the store gives back when it meets the end is taken too, until nothing is left for either.
    let refused: SpillwayError[] = [];
    while (refused.length < 3) {
      fill(filler);
      const answer = await writer.send(request()).catch((error: unknown) => error);
      if (SpillwayError.is(answer)) refused.push(answer);
      else refused = [];
    }
    for (const error of refused) {
      expect(error).toMatchObject({ code: 'SPILLWAY_STORE_UNAVAILABLE', retry: 'later' });
      expect(error.message).toMatch(/full\.sqlite.*disk is full.*Free some space/);
    }
    expect(await store.health()).toMatchObject({ ok: false, detail: expect.stringContaining('disk is full') });
    expect((await store.log.state(writer.key)).head).toBe(writer.head);
    expect(await store.log.read(writer.key, 1, 1e9)).toHaveLength(writer.head);

    rmSync(filler);
    expect(await writer.send(request())).toEqual({ is: 'ok' });
    expect(await store.health()).toMatchObject({ ok: true });
    expect(offsets(await store.log.read(writer.key, 1, 1e9))).toEqual(Array.from({ length: writer.head }, (_, i) => i + 1));
  });

  it('a read-only file is named as such, and works when it may be written again', async (context) => {
    if (!mounted) context.skip(NO_MOUNT);
    const file = join(disk, 'read-only.sqlite');
    await (await sqliteStore({ file }))[Symbol.asyncDispose]();
    expect(run('mount', '-o', 'remount,ro', disk)).toBe(true);
    try {
      const error = await failure(sqliteStore({ file }));
      expect(error).toMatchObject({ code: 'SPILLWAY_STORE_UNAVAILABLE', retry: 'later' });
      expect(error.message).toMatch(/read-only\.sqlite.*read-only.*right to write/);
    } finally {
      run('mount', '-o', 'remount,rw', disk);
    }
    await using store = await sqliteStore({ file });
    expect(await store.health()).toMatchObject({ ok: true });
  });
});

describe('a place that is no place for a store', () => {
  it('a folder that cannot be made, and a folder in place of the file', async () => {
    const plain = newFile();
    writeFileSync(plain, '');
    const below = await failure(sqliteStore({ file: join(plain, 'below', 'x.sqlite') }));
    expect(below).toMatchObject({ code: 'SPILLWAY_STORE_UNAVAILABLE', retry: 'later' });
    expect(below.message).toMatch(/cannot be opened \((ENOTDIR|EEXIST).*Check that its folder exists/);
    mkdirSync(join(folder, 'a-folder'));
    expect((await failure(sqliteStore({ file: join(folder, 'a-folder') }))).message).toMatch(/cannot be opened \(EISDIR/);
  });

  it('makes a missing folder, for the owner alone', async () => {
    const file = join(folder, 'new', 'deep', 'x.sqlite');
    await using store = await sqliteStore({ file });
    expect(await store.health()).toMatchObject({ ok: true });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'new', 'deep')).mode & 0o777).toBe(0o700);
    expect(statSync(`${file}-wal`).mode & 0o777).toBe(0o600);
  });

  it('a file that is no database, and the database of another program, are refused and left alone', async () => {
    const text = newFile();
    writeFileSync(text, 'A letter to grandmother.\n'.repeat(400));
    expect(await failure(sqliteStore({ file: text }))).toMatchObject({
      code: 'SPILLWAY_STORE_BROKEN',
      retry: 'never',
      message: expect.stringContaining('not a SQLite database'),
    });
    expect(readFileSync(text, 'utf8').startsWith('A letter')).toBe(true);

    const other = newFile();
    const database = new Sqlite(other);
    database.exec('CREATE TABLE letters (text)');
    database.close();
    const before = readFileSync(other);
    expect(await failure(sqliteStore({ file: other }))).toMatchObject({ code: 'SPILLWAY_STORE_BROKEN', message: expect.stringContaining('another program') });
    expect(readFileSync(other).equals(before)).toBe(true);
  });

  it('a store of a newer Spillway is refused and left alone', async () => {
    const file = newFile();
    await (await sqliteStore({ file }))[Symbol.asyncDispose]();
    const database = new Sqlite(file);
    database.pragma('user_version = 99');
    database.close();
    const error = await failure(sqliteStore({ file }));
    expect(error).toMatchObject({ code: 'SPILLWAY_STORE_BROKEN', retry: 'never' });
    expect(error.message).toMatch(/schema 2 or older.*got schema 99.*newer Spillway/);
  });

  it('a damaged file is named as such by the call that meets the damage', async () => {
    const file = newFile();
    const k = key('u');
    {
      await using store = await sqliteStore({ file });
      const writer = await Writer.claim(store.log, k);
      await writer.append(2_000, { data: JSON.stringify('x'.repeat(200)) });
    }
    const handle = openSync(file, 'r+');
    for (let page = 30; page < 80; page++) writeSync(handle, Buffer.alloc(4_096, 0xa5), 0, 4_096, page * 4_096);
    closeSync(handle);
    await using store = await sqliteStore({ file });
    const error = await failure(store.log.read(k, 1, 1e9));
    expect(error).toMatchObject({ code: 'SPILLWAY_STORE_BROKEN', retry: 'never' });
    expect(error.message).toMatch(/damaged.*backup/);
  });
});

describe('a file that another process keeps locked', () => {
  it('waits for the lock in order, reads meanwhile, and loses nothing', async () => {
    const file = newFile();
    await using store = await sqliteStore({ file });
    const writer = await Writer.claim(store.log, key('u'));
    await writer.append(1);
    const other = new Sqlite(file);
    other.exec('BEGIN IMMEDIATE');
    let answered = 0;
    const appends = [2, 3, 4].map(async (offset) => {
      const [answer] = await store.log.append([writer.request([entry(offset)])]);
      answered += 1;
      return answer;
    });
    const claimed = store.log.claim(key('another'));
    expect((await store.log.state(writer.key)).head).toBe(1);
    expect(offsets(await store.log.read(writer.key, 1, 1e6))).toEqual([1]);
    expect(answered).toBe(0);
    other.exec('COMMIT');
    other.close();
    expect(await Promise.all(appends)).toEqual([{ is: 'ok' }, { is: 'ok' }, { is: 'ok' }]);
    expect((await claimed).token).toBe(1);
    expect(offsets(await store.log.read(writer.key, 1, 1e6))).toEqual([1, 2, 3, 4]);
  });

  it('says so when the lock outlasts the deadline, and goes on when it is gone', async () => {
    const file = newFile();
    await using store = await sqliteStore({ file, deadlineMs: 500 });
    const writer = await Writer.claim(store.log, key('u'));
    const other = new Sqlite(file);
    other.exec('BEGIN IMMEDIATE');
    const error = await failure(writer.send(writer.next(1)));
    expect(error).toMatchObject({ code: 'SPILLWAY_STORE_UNAVAILABLE', retry: 'later', message: expect.stringContaining('another process holds its lock') });
    expect(await store.health()).toMatchObject({ ok: false });
    expect(await failure(sqliteStore({ file, deadlineMs: 300 }))).toMatchObject({ code: 'SPILLWAY_STORE_UNAVAILABLE' });
    other.exec('COMMIT');
    other.close();
    expect(await writer.send(writer.next(1))).toEqual({ is: 'ok' });
  });
});

describe('a thread that ends', () => {
  it('is started anew by the next call; calls under way are refused, none hangs', async () => {
    const file = newFile();
    await (await sqliteStore({ file }))[Symbol.asyncDispose]();
    const caller = new Caller(file, 5_000, () => ({ file, freshEpoch: 'e' }));
    const { epoch } = await caller.call('state', key('u'));
    for (let round = 0; round < 5; round++) {
      // The thread's own good-bye, which its caller did not ask for.
      await Promise.allSettled([caller.call('close' as 'open')]);
      const answers = await Promise.allSettled([caller.call('state', key('u')), caller.call('state', key('u'))]);
      for (const answer of answers) {
        if (answer.status === 'fulfilled') expect(answer.value.epoch).toBe(epoch);
        else expect(answer.reason).toMatchObject({ code: 'SPILLWAY_STORE_UNAVAILABLE', retry: 'now' });
      }
      if (answers.some((answer) => answer.status === 'rejected')) expect((await caller.call('state', key('u'))).epoch).toBe(epoch);
    }
    await caller.close();
  });
});

describe('a disk that never answers', () => {
  it('ends every call at its deadline', async (context) => {
    const file = newFile();
    // Opening a pipe for writing waits for a reader: a system call that does not return, as on a dead network disk.
    if (spawnSync('mkfifo', [file]).status !== 0) context.skip('mkfifo is not installed');
    const started = performance.now();
    const opening = failure(sqliteStore({ file, deadlineMs: 300 }));
    try {
      const error = await opening;
      expect(error).toMatchObject({ code: 'SPILLWAY_STORE_UNAVAILABLE', retry: 'later', message: expect.stringContaining('did not answer within 300 ms') });
      expect(performance.now() - started).toBeLessThan(5_000);
    } finally {
      closeSync(openSync(file, 'r+'));
    }
  });
});
