import { describe, expect, it } from 'vitest';
import type { StoredThread } from '../../src/ports/store.ts';
import type { StoreBench } from './store.ts';
import { entry, key, message, messageId, offsets, run, runId, unique, Writer } from './store-builders.ts';

export function threadContract(open: () => () => StoreBench): void {
  describe('threads', () => {
    const bench = open();

    it('a thread exists from its first message, not from being followed or claimed', async () => {
      const { log, threads } = bench().store;
      const k = key(unique('u'));
      const writer = await Writer.claim(log, k);
      await writer.append(1, {}, { title: 'no message yet' });
      expect(await threads.snapshot(k, 10, null)).toBeNull();
      expect((await threads.list(k.user, 10, null)).threads).toEqual([]);
      await writer.append(1, { at: 50 }, { title: 'first', messages: [message('m1', 2, { createdAt: 40 })] });
      const [thread] = (await threads.list(k.user, 10, null)).threads;
      expect(thread).toEqual({ id: k.thread, title: 'first', createdAt: 40, updatedAt: 50, state: await log.state(k) });
      await writer.append(1, { at: 99 });
      await writer.append(0, {}, { messages: [message('m1', 2, { createdAt: 40 })] });
      expect((await threads.list(k.user, 10, null)).threads[0]).toMatchObject({ title: 'first', createdAt: 40, updatedAt: 50, state: { head: 3 } });
    });

    it('lists a user’s threads newest first, in pages without a double or a miss', async () => {
      const { log, threads } = bench().store;
      const user = unique('u');
      for (let i = 0; i < 23; i++) {
        const writer = await Writer.claim(log, key(user, `t${i}`));
        await writer.append(1, { at: Math.floor(i / 3) }, { title: `${i}`, messages: [message('m', 1, { createdAt: 0 })] });
      }
      const seen: StoredThread[] = [];
      let cursor: string | null = null;
      do {
        const page: Awaited<ReturnType<typeof threads.list>> = await threads.list(key(user).user, 5, cursor);
        seen.push(...page.threads);
        cursor = page.nextCursor;
      } while (cursor !== null);
      expect(seen.map((t) => t.updatedAt)).toEqual(seen.map((t) => t.updatedAt).toSorted((a, b) => b - a));
      expect(new Set(seen.map((t) => t.id)).size).toBe(23);
      expect(seen).toHaveLength(23);
      expect((await threads.list(key(user).user, 23, null)).nextCursor).toBeNull();
      expect((await threads.list(key(`${user}0`).user, 5, null)).threads).toEqual([]);
    });

    it('refuses a cursor that no page returned', async () => {
      const { threads } = bench().store;
      await expect(threads.list(key('u').user, 5, "1' OR 1=1")).rejects.toMatchObject({ code: 'SPILLWAY_BAD_ARGUMENT' });
    });

    it('a snapshot shows complete messages, oldest first, in pages', async () => {
      const { log, threads } = bench().store;
      const writer = await Writer.claim(log, key(unique('u')));
      const stored = Array.from({ length: 7 }, (_, i) => message(`m${i + 1}`, i + 1, { role: i % 2 === 0 ? 'user' : 'assistant' }));
      for (const m of stored) await writer.append(1, {}, { title: 'x', messages: [m] });
      await writer.append(1, {}, { messages: [message('half', 8, { status: 'streaming' }), message('later', 99)] });
      const newest = await threads.snapshot(writer.key, 3, null);
      expect(newest).toEqual({ state: await log.state(writer.key), messages: stored.slice(4), hasMore: true, running: [] });
      const older = await threads.snapshot(writer.key, 3, messageId('m5'));
      expect(older).toMatchObject({ messages: stored.slice(1, 4), hasMore: true });
      expect(await threads.snapshot(writer.key, 3, messageId('m2'))).toMatchObject({ messages: stored.slice(0, 1), hasMore: false });
      expect(await threads.snapshot(writer.key, 3, messageId('m1'))).toMatchObject({ messages: [], hasMore: false });
      expect(await threads.snapshot(writer.key, 3, messageId('of-nobody'))).toMatchObject({ messages: [], hasMore: false });
    });

    it('replaces a message under its id, in its place', async () => {
      const { log, threads } = bench().store;
      const writer = await Writer.claim(log, key(unique('u')));
      await writer.append(2, {}, { title: 'x', messages: [message('a', 1), message('b', 2)] });
      const again = message('a', 1, {
        status: 'failed',
        parts: [{ type: 'tool', executionId: 'e', toolName: 'clock', parameters: { deep: [null, 1.5, 'ü'] }, success: true }],
      });
      await writer.append(1, {}, { messages: [again] });
      expect((await threads.snapshot(writer.key, 10, null))?.messages).toEqual([again, message('b', 2)]);
    });

    it('a snapshot brings the running run’s entries up to its head, and only those', async () => {
      const { log, threads } = bench().store;
      const writer = await Writer.claim(log, key(unique('u')));
      const [first, second] = [unique('run'), unique('run')];
      await writer.append(
        1,
        { kind: 'message', run: runId(first) },
        { title: 'x', messages: [message('m1', 1)], runs: [run(writer.key, first, { firstOffset: 2 })] },
      );
      await writer.append(2, { run: runId(first) });
      await writer.append(1, { kind: 'message', run: runId(second) }, { messages: [message('m2', 4)], runs: [run(writer.key, second, { state: 'queued' })] });
      await writer.append(1, { run: runId(first) });
      const snapshot = await threads.snapshot(writer.key, 10, null);
      expect(snapshot?.state).toMatchObject({ head: 5, activeRun: { id: first, firstOffset: 2 } });
      expect(offsets(snapshot?.running ?? [])).toEqual([2, 3, 5]);
      expect((await threads.snapshot(writer.key, 10, messageId('m2')))?.running).toEqual([]);
    });

    it('a snapshot of a long run brings all of it, while it grows', async () => {
      const { log, threads } = bench().store;
      const writer = await Writer.claim(log, key(unique('u')));
      const id = unique('run');
      await writer.append(1, { kind: 'message' }, { title: 'x', messages: [message('m0', 1)], runs: [run(writer.key, id, { firstOffset: 2 })] });
      const writing = (async () => {
        for (let i = 0; i < 60; i++) await writer.append(25, { run: runId(id) });
      })();
      let head = 0;
      while (head < 1_501) {
        const snapshot = await threads.snapshot(writer.key, 10, null);
        head = snapshot?.state.head ?? 0;
        expect(offsets(snapshot?.running ?? [])).toEqual(Array.from({ length: head - 1 }, (_, i) => i + 2));
      }
      await writing;
    });

    it('snapshots taken while a run is written are each true at their position', async () => {
      const { log, threads } = bench().store;
      const writer = await Writer.claim(log, key(unique('u')));
      const id = unique('run');
      await writer.append(1, { kind: 'message' }, { title: 'x', messages: [message('m0', 1)], runs: [run(writer.key, id, { firstOffset: 2 })] });
      const writing = (async () => {
        for (let i = 0; i < 40; i++) await writer.append(1, { run: runId(id) }, { messages: [message(`m${i + 1}`, writer.head + 1)] });
      })();
      for (let i = 0; i < 40; i++) {
        const snapshot = await threads.snapshot(writer.key, 100, null);
        const head = snapshot?.state.head ?? 0;
        expect(snapshot?.messages).toHaveLength(head);
        expect(snapshot?.running.at(-1)?.offset ?? 1).toBe(head);
      }
      await writing;
    });

    it('finds what was stored under a client’s idempotency key, of this user and thread alone', async () => {
      const { log, threads } = bench().store;
      const user = unique('u');
      const writer = await Writer.claim(log, key(user, 't'));
      const sent = message('m', 1, { send: { id: 'c-1', digest: 'd' } });
      const record = run(writer.key, unique('run'), { message: sent.id });
      await writer.append(1, { kind: 'message' }, { title: 'x', messages: [sent], runs: [record] });
      expect(await threads.findSend(writer.key, 'c-1')).toEqual({ message: sent, run: record });
      expect(await threads.findSend(writer.key, 'c-')).toBeNull();
      expect(await threads.findSend(key(user, 't1'), 'c-1')).toBeNull();
      expect(await threads.findSend(key(`${user}0`, 't'), 'c-1')).toBeNull();
    });

    it('finds a run for its own user only', async () => {
      const { log, threads } = bench().store;
      const writer = await Writer.claim(log, key(unique('u')));
      const record = run(writer.key, unique('run'), { agent: 'embedded', state: 'ended', firstOffset: 1, lastOffset: 2 });
      await writer.append(2, { run: record.id }, { runs: [record] });
      expect(await threads.findRun(writer.key.user, record.id)).toEqual(record);
      expect(await threads.findRun(key(unique('u')).user, record.id)).toBeNull();
      expect(await threads.findRun(writer.key.user, runId('run_unknown'))).toBeNull();
    });

    it('a run belongs to the stream of its request, whatever its record says', async () => {
      const { log, threads } = bench().store;
      const [mine, theirs] = [await Writer.claim(log, key(unique('u'))), await Writer.claim(log, key(unique('u')))];
      const id = unique('run');
      await mine.append(0, {}, { runs: [run(theirs.key, id)] });
      expect((await log.state(theirs.key)).activeRun).toBeNull();
      expect(await threads.findRun(theirs.key.user, runId(id))).toBeNull();
      expect(await threads.findRun(mine.key.user, runId(id))).toEqual(run(mine.key, id));
    });

    it('lists the runs that have not ended, oldest first, of one thread and of all', async () => {
      const { clock } = bench();
      const { log, threads } = bench().store;
      const [a, b] = [await Writer.claim(log, key(unique('u'))), await Writer.claim(log, key(unique('u')))];
      const records = [run(a.key, unique('run')), run(b.key, unique('run')), run(a.key, unique('run'), { state: 'queued' })] as const;
      await a.append(1, {}, { runs: [records[0]] });
      clock.pass(1);
      await b.append(1, {}, { runs: [records[1]] });
      clock.pass(1);
      await a.append(1, {}, { runs: [records[2]] });
      expect(await threads.openRuns(a.key)).toEqual([records[0], records[2]]);
      expect((await threads.openRuns(null)).filter((r) => records.some(({ id }) => id === r.id))).toEqual(records);
      expect(await threads.openRuns(key(unique('u')))).toEqual([]);
      await a.append(1, {}, { runs: [{ ...records[0], state: 'ended' }] });
      expect(await threads.openRuns(a.key)).toEqual([records[2]]);
    });

    it('entries and records of one request are seen together or not at all', async () => {
      const { log, threads } = bench().store;
      const writer = await Writer.claim(log, key(unique('u')));
      const id = unique('run');
      const records = { title: 'x', messages: [message('m', 9)], runs: [run(writer.key, id)] };
      expect(await writer.send([entry(9)], records)).toMatchObject({ is: 'conflict' });
      expect(await threads.snapshot(writer.key, 10, null)).toBeNull();
      expect(await threads.openRuns(writer.key)).toEqual([]);
    });
  });
}
