import { describe, expect, it } from 'vitest';
import type { AppendAnswer, StoredMessage } from '../../src/ports/store.ts';
import { isEpoch } from '../../src/protocol/ids.ts';
import type { StoreBench } from './store.ts';
import { entry, key, message, offsets, run, runId, unique, Writer } from './store-builders.ts';

export function logContract(open: () => () => StoreBench): void {
  describe('log', () => {
    const bench = open();

    it('tells of an unknown stream what its first entry will find, and makes nothing by telling', async () => {
      const { log } = bench().store;
      const k = key(unique('u'));
      const before = await log.state(k);
      expect(before).toEqual({ epoch: before.epoch, first: 1, head: 0, activeRun: null });
      expect(isEpoch(before.epoch)).toBe(true);
      const writer = await Writer.claim(log, k);
      expect(writer.epoch).toBe(before.epoch);
      await writer.append(1);
      expect(await log.state(k)).toEqual({ ...before, head: 1 });
      expect((await log.state(k)).epoch).toBe(before.epoch);
    });

    it('reads back exactly what was appended', async () => {
      const { log } = bench().store;
      const writer = await Writer.claim(log, key(unique('u')));
      const entries = [
        entry(1, { kind: 'message', run: runId('run_a'), data: '"quote \\" and \\u0000 and ünï 🙂"' }),
        entry(2, { run: runId('run_a'), data: '{}', at: 0 }),
        entry(3, { data: '"\u2028"' }),
      ];
      expect(await writer.send(entries)).toEqual({ is: 'ok' });
      expect(await log.read(writer.key, 1, 1e6)).toEqual(entries);
      expect(await log.read(writer.key, 0, 1e6)).toEqual(entries);
      expect(offsets(await log.read(writer.key, 3, 1e6))).toEqual([3]);
      expect(await log.read(writer.key, 4, 1e6)).toEqual([]);
    });

    it('reads at most the bytes asked for, yet one entry if there is one', async () => {
      const { log } = bench().store;
      const writer = await Writer.claim(log, key(unique('u')));
      await writer.append(5, { data: `"${'é'.repeat(49)}"` }); // 100 bytes, 51 characters
      expect(offsets(await log.read(writer.key, 1, 0))).toEqual([1]);
      expect(offsets(await log.read(writer.key, 2, 199))).toEqual([2]);
      expect(offsets(await log.read(writer.key, 2, 200))).toEqual([2, 3]);
    });

    it('reads a long stream in one call, small entries and large ones', async () => {
      const { log } = bench().store;
      const writer = await Writer.claim(log, key(unique('u')));
      for (let i = 0; i < 5; i++) {
        await writer.append(500, { data: '"short"' });
        await writer.append(1, { data: JSON.stringify('long'.repeat(10_000)) });
      }
      const all = await log.read(writer.key, 1, 1e9);
      expect(offsets(all)).toEqual(Array.from({ length: 2_505 }, (_, i) => i + 1));
      expect(offsets(await log.read(writer.key, 2_400, 1e9))).toEqual(offsets(all).slice(2_399));
      expect(offsets(await log.read(writer.key, 1, 7 * 300))).toHaveLength(300);
      // The large one does not fit any more, and is not torn out of its place.
      expect(offsets(await log.read(writer.key, 400, 10_000)).at(-1)).toBe(500);
      expect(offsets(await log.read(writer.key, 501, 10))).toEqual([501]);
    });

    it('keeps entries of 256 KiB', async () => {
      const { log } = bench().store;
      const writer = await Writer.claim(log, key(unique('u')));
      const data = (letter: string) => JSON.stringify(letter.repeat(262_142));
      const entries = ['a', 'b', 'é'].map((letter, i) => entry(i + 1, { data: data(letter) }));
      expect(await writer.send(entries)).toEqual({ is: 'ok' });
      expect(await log.read(writer.key, 1, 1e7)).toEqual(entries);
      expect(offsets(await log.read(writer.key, 1, 262_144))).toEqual([1]);
    });

    it('a later claim fences the earlier writer, also for records alone', async () => {
      const { log } = bench().store;
      const k = key(unique('u'));
      const old = await Writer.claim(log, k);
      await old.append(2);
      const young = await Writer.claim(log, k);
      expect(young.token).toBeGreaterThan(old.token);
      expect(young.head).toBe(2);
      expect(await old.send(old.next(1))).toEqual({ is: 'fenced' });
      expect(await old.send([], { runs: [run(k, unique('run'))] })).toEqual({ is: 'fenced' });
      expect((await log.state(k)).activeRun).toBeNull();
      await young.append(1);
      expect((await log.state(k)).head).toBe(3);
    });

    it('fences whoever never claimed, and doubts a token from another life of the data', async () => {
      const { log } = bench().store;
      const k = key(unique('u'));
      const { epoch } = await log.state(k);
      expect(await log.append([{ key: k, epoch, token: 0, entries: [entry(1)] }])).toEqual([{ is: 'fenced' }]);
      const [answer] = await log.append([{ key: k, epoch, token: 7, entries: [entry(1)] }]);
      expect(answer).toEqual({ is: 'conflict', state: await log.state(k) });
    });

    it('answers a conflict with the state when offsets do not join or the epoch is another', async () => {
      const { log } = bench().store;
      const writer = await Writer.claim(log, key(unique('u')));
      await writer.append(3);
      const conflict = { is: 'conflict', state: await log.state(writer.key) };
      expect(await writer.send([entry(5)])).toEqual(conflict);
      expect(await writer.send([entry(4), entry(6)])).toEqual(conflict);
      expect(await writer.send([entry(0)])).toEqual(conflict);
      expect(await writer.send([entry(3), entry(4)])).toEqual(conflict);
      expect(await writer.send([entry(3, { data: '"another"' })])).toEqual(conflict);
      expect(await log.append([{ ...writer.request([entry(4)]), epoch: `${writer.epoch}x` as typeof writer.epoch }])).toEqual([conflict]);
      expect(offsets(await log.read(writer.key, 1, 1e6))).toEqual([1, 2, 3]);
    });

    it('recognises a batch whose answer was lost, and applies none of it twice', async () => {
      const { log, threads } = bench().store;
      const writer = await Writer.claim(log, key(unique('u')));
      const id = unique('run');
      const batch = [
        writer.request([entry(1), entry(2)], { title: 'one', messages: [message('m', 1)], runs: [run(writer.key, id)] }),
        writer.request([entry(3, { run: runId(id) })], { runs: [run(writer.key, id, { state: 'ended' })] }),
      ];
      expect(await log.append(batch)).toEqual([{ is: 'ok' }, { is: 'ok' }]);
      expect(await log.append(batch)).toEqual([{ is: 'repeated' }, { is: 'repeated' }]);
      expect(offsets(await log.read(writer.key, 1, 1e6))).toEqual([1, 2, 3]);
      expect(await threads.findRun(writer.key.user, runId(id))).toMatchObject({ state: 'ended' });
    });

    it('a bad request harms no other of its batch, and nothing of itself is kept', async () => {
      const { log, threads } = bench().store;
      const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((name) => Writer.claim(log, key(unique(name)))));
      if (!a || !b || !c) throw new Error('Expected three writers.');
      const cycle: Record<string, unknown> = {};
      cycle.self = cycle;
      const unstorable: StoredMessage = message('m', 1, { parts: [{ type: 'tool', executionId: 'x', toolName: 'x', results: cycle }] });
      const answers = await log.append([
        a.request([entry(1)]),
        b.request([entry(2)], { messages: [message('m', 2)] }),
        a.request([entry(2)]),
        c.request([entry(1)], { title: 'lost', messages: [unstorable] }),
        a.request([entry(2)]),
        a.request([entry(3)]),
      ]);
      expect(answers.map((answer: AppendAnswer) => answer.is)).toEqual(['ok', 'conflict', 'ok', 'conflict', 'repeated', 'ok']);
      expect((await log.state(a.key)).head).toBe(3);
      for (const writer of [b, c]) {
        expect((await log.state(writer.key)).head).toBe(0);
        expect(await threads.snapshot(writer.key, 10, null)).toBeNull();
      }
    });

    it('names the running run, else the oldest that waits', async () => {
      const { log } = bench().store;
      const writer = await Writer.claim(log, key(unique('u')));
      const [first, second] = [unique('run'), unique('run')];
      await writer.append(1, {}, { runs: [run(writer.key, first, { state: 'queued' })] });
      await writer.append(1, {}, { runs: [run(writer.key, second, { state: 'queued' })] });
      expect((await log.state(writer.key)).activeRun).toEqual({ id: first, firstOffset: null });
      await writer.append(1, { run: runId(second) }, { runs: [run(writer.key, second, { firstOffset: 3 })] });
      expect((await log.state(writer.key)).activeRun).toEqual({ id: second, firstOffset: 3 });
      await writer.append(1, { run: runId(second) }, { runs: [run(writer.key, second, { state: 'ended', firstOffset: 3, lastOffset: 4 })] });
      expect((await log.state(writer.key)).activeRun).toEqual({ id: first, firstOffset: null });
      await writer.append(0, {}, { runs: [run(writer.key, first, { state: 'ended' })] });
      expect((await log.state(writer.key)).activeRun).toBeNull();
    });

    it('a new epoch keeps the entries and the writer’s token, but not the writer’s position', async () => {
      const { log } = bench().store;
      const writer = await Writer.claim(log, key(unique('u')));
      await writer.append(3);
      const state = await log.renewEpoch(writer.key);
      expect(state).toEqual({ epoch: state.epoch, first: 1, head: 3, activeRun: null });
      expect(isEpoch(state.epoch)).toBe(true);
      expect(state.epoch).not.toBe(writer.epoch);
      expect(await writer.send([entry(4)])).toEqual({ is: 'conflict', state });
      writer.epoch = state.epoch;
      await writer.append(1);
      expect(offsets(await log.read(writer.key, 1, 1e6))).toEqual([1, 2, 3, 4]);
    });

    it('a new epoch without its entries begins at 0 and still shows the messages', async () => {
      const { log, threads } = bench().store;
      const writer = await Writer.claim(log, key(unique('u')));
      await writer.append(3, {}, { title: 'kept', messages: [message('m', 2)] });
      const state = await log.renewEpoch(writer.key, { keep: false });
      expect(state).toEqual({ epoch: state.epoch, first: 1, head: 0, activeRun: null });
      expect(await log.read(writer.key, 1, 1e6)).toEqual([]);
      expect((await threads.snapshot(writer.key, 10, null))?.messages).toEqual([message('m', 0, { createdAt: 1_700_000_000_002 })]);
      const unknown = key(unique('u'));
      const renewed = await log.renewEpoch(unknown);
      expect(await log.state(unknown)).toEqual(renewed);
    });

    it('users and threads with related names never meet', async () => {
      const { log } = bench().store;
      const base = unique('u');
      const names = [
        base,
        `${base}0`,
        `${base}:t`,
        `${base}\u00e9`,
        `${base}e\u0301`,
        base.toUpperCase(),
        `${base} `,
        `${base}%`,
        `${base}\ud800`,
        `${base}\ud801`,
        `${base}\ufffd`,
      ];
      const keys = names.flatMap((name) => ['t', 't1', 'T', 't:1'].map((thread) => key(name, thread)));
      const writers = await Promise.all(keys.map((k) => Writer.claim(log, k)));
      await Promise.all(writers.map((writer, i) => writer.append(1, { data: JSON.stringify(i) })));
      const found = await Promise.all(keys.map((k) => log.read(k, 1, 1e6)));
      expect(found.map((entries) => entries.map((e) => e.data))).toEqual(keys.map((_, i) => [JSON.stringify(i)]));
      expect(writers.every((writer) => writer.token >= 1)).toBe(true);
    });

    it('of many writers at once exactly the last claim goes on, and the log has no hole', async () => {
      const { log } = bench().store;
      const k = key(unique('u'));
      const writers = await Promise.all(Array.from({ length: 20 }, () => Writer.claim(log, k)));
      expect(new Set(writers.map((writer) => writer.token)).size).toBe(20);
      const answers = await Promise.all(writers.map((writer) => writer.send(writer.next(3))));
      expect(answers.filter((answer) => answer.is === 'ok')).toHaveLength(1);
      expect(answers.filter((answer) => answer.is === 'fenced')).toHaveLength(19);
      expect(offsets(await log.read(k, 1, 1e6))).toEqual([1, 2, 3]);
    });

    it('appends of many streams at once keep each stream’s order', async () => {
      const { log } = bench().store;
      const writers = await Promise.all(Array.from({ length: 10 }, () => Writer.claim(log, key(unique('u')))));
      await Promise.all(
        writers.map(async (writer) => {
          for (let i = 0; i < 20; i++) await writer.append(1 + (i % 3));
        }),
      );
      for (const writer of writers) {
        const found = await log.read(writer.key, 1, 1e6);
        expect(offsets(found)).toEqual(Array.from({ length: 39 }, (_, i) => i + 1));
      }
    });

    it('is healthy, and says so in words', async () => {
      expect(await bench().store.health()).toMatchObject({ ok: true, detail: expect.stringMatching(/\w/) });
    });
  });
}
