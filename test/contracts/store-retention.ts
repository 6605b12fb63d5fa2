import { describe, expect, it } from 'vitest';
import type { StreamKey } from '../../src/ports/store.ts';
import type { StoreBench } from './store.ts';
import { key, message, offsets, run, runId, unique, Writer } from './store-builders.ts';

const KEEP_MS = 900_000;
const ALL = { keepMs: KEEP_MS, streamBytes: 1e9, streams: 1_000 };
/** An entry of 100 bytes. */
const DATA = { data: JSON.stringify('x'.repeat(98)) };

export function retentionContract(open: () => () => StoreBench): void {
  describe('retention', () => {
    const bench = open();

    /** A stream with one run of `total` entries that has ended. */
    async function ended(total: number): Promise<Writer> {
      const writer = await Writer.claim(bench().store.log, key(unique('u')));
      await oneRun(writer, total);
      return writer;
    }
    async function oneRun(writer: Writer, total: number): Promise<string> {
      const id = unique('run');
      const firstOffset = writer.head + 1;
      await writer.append(
        total,
        { run: runId(id), ...DATA },
        { title: 'kept', messages: [message(`of-${id}`, firstOffset)], runs: [run(writer.key, id, { firstOffset })] },
      );
      await writer.append(0, {}, { runs: [run(writer.key, id, { state: 'ended', firstOffset, lastOffset: writer.head })] });
      return id;
    }
    async function trim(o: Partial<typeof ALL>, ...keys: readonly StreamKey[]): Promise<readonly { readonly key: StreamKey; readonly first: number }[]> {
      const dropped = await bench().store.log.trim({ ...ALL, ...o });
      return dropped.filter((d) => keys.some((k) => k.user === d.key.user));
    }

    it('drops the entries of a run its time after the end, and keeps messages, head and epoch', async () => {
      const { store, clock } = bench();
      const writer = await ended(3);
      const before = await store.threads.snapshot(writer.key, 10, null);
      clock.pass(KEEP_MS - 1);
      expect(await trim({}, writer.key)).toEqual([]);
      clock.pass(1);
      expect(await trim({}, writer.key)).toEqual([{ key: writer.key, first: 4 }]);
      expect(await trim({}, writer.key)).toEqual([]);
      expect(await store.log.state(writer.key)).toEqual({ epoch: writer.epoch, first: 4, head: 3, activeRun: null });
      expect(await store.log.read(writer.key, 1, 1e6)).toEqual([]);
      expect((await store.threads.snapshot(writer.key, 10, null))?.messages).toEqual(before?.messages);
      await writer.append(1);
      expect(await store.log.state(writer.key)).toMatchObject({ first: 4, head: 4 });
      expect(offsets(await store.log.read(writer.key, 1, 1e6))).toEqual([4]);
    });

    it('a jump of the wall clock, forward or back, moves no retention', async () => {
      const { clock } = bench();
      const writer = await ended(2);
      clock.jump(10 * KEEP_MS);
      expect(await trim({}, writer.key)).toEqual([]);
      clock.jump(-30 * KEEP_MS);
      clock.pass(KEEP_MS);
      expect(await trim({}, writer.key)).toEqual([{ key: writer.key, first: 3 }]);
    });

    it('never drops what a running or waiting run has logged, however old and large', async () => {
      const { store, clock } = bench();
      const writer = await ended(2);
      const [active, queued] = [unique('run'), unique('run')];
      await writer.append(1, { kind: 'message', run: runId(queued), ...DATA }, { runs: [run(writer.key, queued, { state: 'queued' })] });
      await writer.append(3, { run: runId(active), ...DATA }, { runs: [run(writer.key, active, { firstOffset: 4 })] });
      clock.pass(3 * KEEP_MS);
      expect(await trim({ streamBytes: 0 }, writer.key)).toEqual([{ key: writer.key, first: 3 }]);
      expect(await trim({ streamBytes: 0, keepMs: 0 }, writer.key)).toEqual([]);
      await writer.append(0, {}, { runs: [run(writer.key, queued, { state: 'ended' })] });
      expect(await trim({ streamBytes: 0 }, writer.key)).toEqual([{ key: writer.key, first: 4 }]);
      await writer.append(1, { run: runId(active) }, { runs: [run(writer.key, active, { state: 'ended' })] });
      expect(await trim({}, writer.key)).toEqual([]);
      clock.pass(KEEP_MS);
      expect(await trim({}, writer.key)).toEqual([{ key: writer.key, first: 8 }]);
      expect(await store.log.read(writer.key, 1, 1e6)).toEqual([]);
    });

    it('a run that is recorded as ended once more ended when it did', async () => {
      const { clock } = bench();
      const writer = await Writer.claim(bench().store.log, key(unique('u')));
      const id = await oneRun(writer, 2);
      clock.pass(KEEP_MS - 1);
      await writer.append(0, {}, { runs: [run(writer.key, id, { state: 'ended', firstOffset: 1, lastOffset: 2 })] });
      clock.pass(1);
      expect(await trim({}, writer.key)).toEqual([{ key: writer.key, first: 3 }]);
    });

    it('bounds the bytes of ended runs, oldest first, and does not count the running one', async () => {
      const { store } = bench();
      const writer = await ended(10);
      expect(await trim({ streamBytes: 1_000 }, writer.key)).toEqual([]);
      expect(await trim({ streamBytes: 999 }, writer.key)).toEqual([{ key: writer.key, first: 2 }]);
      const active = unique('run');
      await writer.append(50, { run: runId(active), ...DATA }, { runs: [run(writer.key, active, { firstOffset: 11 })] });
      expect(await trim({ streamBytes: 900 }, writer.key)).toEqual([]);
      expect(await trim({ streamBytes: 250 }, writer.key)).toEqual([{ key: writer.key, first: 9 }]);
      expect(offsets(await store.log.read(writer.key, 1, 300))).toEqual([9, 10, 11]);
      expect(await store.log.read(writer.key, 3, 100)).toHaveLength(1);
    });

    it('drops entries that belong to no run by the time they were stored', async () => {
      const { clock } = bench();
      const writer = await Writer.claim(bench().store.log, key(unique('u')));
      await writer.append(2);
      clock.pass(KEEP_MS / 2);
      await writer.append(2, { run: runId('run_without_a_record') });
      clock.pass(KEEP_MS / 2);
      expect(await trim({}, writer.key)).toEqual([{ key: writer.key, first: 3 }]);
      clock.pass(KEEP_MS / 2);
      expect(await trim({}, writer.key)).toEqual([{ key: writer.key, first: 5 }]);
    });

    it('works on as many streams a call as it is told, and comes to all of them', async () => {
      const { clock } = bench();
      await trim({ keepMs: 0 });
      const writers = await Promise.all(Array.from({ length: 5 }, () => ended(1)));
      clock.pass(KEEP_MS);
      const keys = writers.map((writer) => writer.key);
      const rounds = [
        await trim({ streams: 2 }, ...keys),
        await trim({ streams: 2 }, ...keys),
        await trim({ streams: 2 }, ...keys),
        await trim({ streams: 2 }, ...keys),
      ];
      expect(rounds.map((round) => round.length)).toEqual([2, 2, 1, 0]);
      expect(new Set(rounds.flat().map((d) => d.key.user)).size).toBe(5);
    });

    it('still recognises a repeated request whose entries it has dropped', async () => {
      const writer = await Writer.claim(bench().store.log, key(unique('u')));
      const entries = writer.next(2);
      expect(await writer.send(entries)).toEqual({ is: 'ok' });
      await trim({ keepMs: 0 });
      expect(await writer.send(entries)).toEqual({ is: 'repeated' });
    });
  });
}
