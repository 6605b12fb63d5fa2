import { describe, expect, it } from 'vitest';
import type { NodeLife } from '../../src/ports/cluster.ts';
import type { Store } from '../../src/ports/store.ts';
import type { NodeId } from '../../src/protocol/ids.ts';
import type { StoreBench } from './store.ts';
import { key, message, offsets, run, runId, unique, Writer } from './store-builders.ts';

const life = (node: string, incarnation = '1'): NodeLife => ({ node: node as NodeId, incarnation });
const [A, B] = [life('node-a'), life('node-b')];
/** Far above what news take; a test that waits in vain says so. */
const NEWS_WITHIN_MS = 5_000;

/** What several processes on one store are promised; in a store of one process every claim succeeds. */
export function sharingContract(open: () => () => StoreBench): void {
  describe('sharing', () => {
    const bench = open();

    it('a claim in somebody’s name succeeds while nobody has runs there, and fences the earlier writer', async () => {
      const { store, another } = bench();
      const k = key(unique('u'));
      const first = await store.log.claim(k, { by: A });
      expect(first.heldBy).toBeNull();
      const second = await (another ?? store).log.claim(k, { by: B });
      expect(second).toEqual({ ...(await store.log.state(k)), token: second.token, heldBy: null });
      expect(second.token).toBeGreaterThan(first.token);
      const request = { key: k, epoch: first.epoch, token: first.token, entries: [] };
      expect(await store.log.append([request])).toEqual([{ is: 'fenced' }]);
    });

    it('a stream in which another life has runs stays that life’s, and a claim that fails changes nothing', async () => {
      const { store, another } = bench();
      if (another === null) return expectEveryClaim(store);
      const k = key(unique('u'));
      const writer = await Writer.claim(store.log, k, A);
      const id = unique('run');
      await writer.append(2, { run: runId(id) }, { title: 'x', messages: [message('m', 1)], runs: [run(k, id, { firstOffset: 1 })] });
      const held = await another.log.claim(k, { by: B });
      expect(held).toEqual({ ...(await store.log.state(k)), token: writer.token, heldBy: A });
      expect(held.activeRun).toEqual({ id, firstOffset: 1 });
      await writer.append(1, { run: runId(id) });
      // Another life of the same node is another.
      expect((await another.log.claim(k, { by: life(A.node, '2') })).heldBy).toEqual(A);
      // A run that waits is a run too.
      const second = unique('run');
      await writer.append(1, {}, { runs: [run(k, id, { state: 'ended' }), run(k, second, { state: 'queued' })] });
      expect((await another.log.claim(k, { by: B })).heldBy).toEqual(A);
      await writer.append(1, {}, { runs: [run(k, second, { state: 'ended' })] });
      expect((await another.log.claim(k, { by: B })).heldBy).toBeNull();
      expect(await writer.send(writer.next(1))).toEqual({ is: 'fenced' });
    });

    it('whoever knows the holder’s token seizes the stream, once', async () => {
      const { store, another } = bench();
      if (another === null) return expectEveryClaim(store);
      const k = key(unique('u'));
      const writer = await Writer.claim(store.log, k, A);
      await writer.append(1, {}, { runs: [run(k, unique('run'))] });
      const held = await another.log.claim(k, { by: B });
      const answers = await Promise.all([B, life('node-c'), life('node-d')].map((by) => another.log.claim(k, { by, seize: held.token })));
      const taken = answers.filter((answer) => answer.heldBy === null);
      expect(taken).toHaveLength(1);
      expect(taken[0]?.token).toBeGreaterThan(held.token);
      // The others learn who was quicker.
      for (const answer of answers) if (answer.heldBy !== null) expect(answer.token).toBe(taken[0]?.token);
      expect((await another.log.claim(k, { by: A, seize: held.token })).heldBy).not.toBeNull();
      expect(await writer.send(writer.next(1))).toEqual({ is: 'fenced' });
    });

    it('the holder claims again and goes on; a claim in nobody’s name takes any stream', async () => {
      const { store, another } = bench();
      const k = key(unique('u'));
      const writer = await Writer.claim(store.log, k, A);
      await writer.append(1, {}, { runs: [run(k, unique('run'))] });
      const again = await store.log.claim(k, { by: A });
      expect(again.heldBy).toBeNull();
      expect(again.token).toBeGreaterThan(writer.token);
      const anybody = await (another ?? store).log.claim(k);
      expect(anybody.heldBy).toBeNull();
      expect((await (another ?? store).log.claim(k, { by: B })).heldBy).toBeNull();
    });

    it('what one process writes another one reads, whole and in order, while it is written', async () => {
      const { store, another } = bench();
      const reader = another ?? store;
      const writer = await Writer.claim(store.log, key(unique('u')), A);
      const writing = (async () => {
        for (let i = 0; i < 60; i++) await writer.append(1 + (i % 5), { data: JSON.stringify('x'.repeat(i)) });
      })();
      let head = 0;
      while (head < 178) {
        const [state, entries] = [await reader.log.state(writer.key), await reader.log.read(writer.key, 1, 1e6)];
        // Never behind what was said before, never beyond a hole.
        expect(state.head).toBeGreaterThanOrEqual(head);
        expect(offsets(entries)).toEqual(Array.from({ length: entries.length }, (_, i) => i + 1));
        expect(entries.length).toBeGreaterThanOrEqual(state.head);
        head = state.head;
      }
      await writing;
    });

    it('two who both believe to be the writer: one goes on, and no entry of the other is in the log', async () => {
      const { store, another } = bench();
      const k = key(unique('u'));
      for (let round = 0; round < 10; round++) {
        const writers = await Promise.all([Writer.claim(store.log, k, A), Writer.claim((another ?? store).log, k, B)]);
        const before = (await store.log.state(k)).head;
        const answers = await Promise.all(writers.map((writer, i) => writer.send(writer.next(3, { data: `"${i}"` }))));
        const winner = answers.findIndex((answer) => answer.is === 'ok');
        expect(answers.map((answer) => answer.is).toSorted()).toEqual(['fenced', 'ok']);
        expect((await store.log.read(k, before + 1, 1e6)).map((e) => e.data)).toEqual(Array(3).fill(`"${winner}"`));
      }
    });

    it('tells of news of another process while it is watched, and of no others', async () => {
      const { store, another } = bench();
      if (another === null) return;
      const [k, other] = [key(unique('u')), key(unique('u'))];
      const seen: { epoch: string; head: number }[] = [];
      const writer = await Writer.claim(another.log, k, A);
      const elsewhere = await Writer.claim(another.log, other, A);
      const stop = store.log.watch(k, (news) => seen.push(news));
      const deadline = performance.now() + NEWS_WITHIN_MS;
      // It listens from a moment on that nobody tells.
      for (; seen.length === 0 && performance.now() < deadline; await pause()) {
        await writer.append(1);
        await elsewhere.append(10);
      }
      expect(seen[0]).toMatchObject({ epoch: writer.epoch });
      await writer.append(3);
      for (; seen.at(-1)?.head !== writer.head && performance.now() < deadline; await pause());
      expect(seen.at(-1)).toEqual({ epoch: writer.epoch, head: writer.head });
      const { epoch } = await another.log.renewEpoch(k);
      for (; seen.at(-1)?.epoch !== epoch && performance.now() < deadline; await pause());
      expect(seen.at(-1)).toEqual({ epoch, head: writer.head });
      stop();
      const heard = seen.length;
      writer.epoch = epoch;
      await writer.append(1);
      // Another listener hears it; whoever stopped does not.
      let isHeard = false;
      const stopOther = store.log.watch(k, () => {
        isHeard = true;
      });
      for (; !isHeard && performance.now() < deadline; await pause()) await writer.append(1);
      stopOther();
      expect(isHeard).toBe(true);
      expect(seen).toHaveLength(heard);
    });

    it('finds the runs of all processes that have not ended', async () => {
      const { store, another, clock } = bench();
      const [a, b] = [await Writer.claim(store.log, key(unique('u')), A), await Writer.claim((another ?? store).log, key(unique('u')), B)];
      const [ra, rb] = [run(a.key, unique('run')), run(b.key, unique('run'))];
      await a.append(1, {}, { runs: [ra] });
      clock.pass(1);
      await b.append(1, {}, { runs: [rb] });
      const mine = async () => (await store.threads.openRuns(null)).filter((r) => r.id === ra.id || r.id === rb.id);
      expect(await mine()).toEqual([ra, rb]);
      // Also a day later, and after clearing up.
      clock.pass(86_400_000);
      await store.log.trim({ keepMs: 1e9, streamBytes: 1e9, streams: 100 });
      await store.log.trim({ keepMs: 1e9, streamBytes: 1e9, streams: 100 });
      expect(await mine()).toEqual([ra, rb]);
      await a.append(1, {}, { runs: [{ ...ra, state: 'ended' }] });
      clock.pass(86_400_000);
      await store.log.trim({ keepMs: 1e9, streamBytes: 1e9, streams: 100 });
      expect(await mine()).toEqual([rb]);
    });

    it('what is written while another process clears up is found by the next who does', async () => {
      const { store, another } = bench();
      const writers = await Promise.all(Array.from({ length: 40 }, () => Writer.claim(store.log, key(unique('u')))));
      const clearUp = () => (another ?? store).log.trim({ keepMs: 0, streamBytes: 0, streams: 1_000 });
      let isOver = false;
      const clearing = (async () => {
        while (!isOver) await clearUp();
      })();
      await Promise.all(
        writers.map(async (writer) => {
          for (let i = 0; i < 15; i++) await writer.append(1);
        }),
      );
      isOver = true;
      await clearing;
      await clearUp();
      for (const { key: k, head } of writers) expect(await store.log.state(k)).toMatchObject({ first: head + 1, head });
    });

    async function expectEveryClaim(store: Store): Promise<void> {
      const k = key(unique('u'));
      const writer = await Writer.claim(store.log, k, A);
      await writer.append(1, {}, { runs: [run(k, unique('run'))] });
      expect((await store.log.claim(k, { by: B })).heldBy).toBeNull();
    }
  });
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
