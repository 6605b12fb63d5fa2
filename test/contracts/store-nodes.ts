/** What every store that processes share promises about nodes and their letters. */

import { expect, it } from 'vitest';
import type { ClusterStore, Letter, NodeCard, NodeLife } from '../../src/ports/cluster.ts';
import type { NodeId } from '../../src/protocol/ids.ts';
import type { SeatBench } from './store-seats.ts';

const TTL_MS = 5_000;
const HEARD_WITHIN_MS = 5_000;
let count = 0;
/** A node that no other test knows. */
const life = (name: string, incarnation = 'one'): NodeLife => ({ node: `${name} ${count}` as NodeId, incarnation });
const card = (of: NodeLife, change: Partial<NodeCard> = {}): NodeCard => ({ ...of, version: '1.0.0', startedAt: 1, managers: 0, isDraining: false, ...change });
const letter = (id: string, from: NodeLife): Letter => ({ id, from, kind: 'greeting', body: JSON.stringify({ text: 'ü "quoted"' }) });

/** Letters as they come, and a promise of the n-th. */
function inbox(cluster: ClusterStore, node: NodeId) {
  const letters: Letter[] = [];
  const waiting = new Set<() => void>();
  const undo = cluster.receive(node, (one) => {
    letters.push(one);
    for (const look of [...waiting]) look();
  });
  const heard = (total: number) =>
    new Promise<readonly Letter[]>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`Expected ${total} letters within ${HEARD_WITHIN_MS} ms, got ${letters.length}.`)), HEARD_WITHIN_MS);
      const look = (): void => {
        if (letters.length < total) return;
        clearTimeout(timer);
        waiting.delete(look);
        resolve(letters);
      };
      waiting.add(look);
      look();
    });
  return { letters, heard, undo };
}

export function nodeContract(bench: () => SeatBench): void {
  it('tells who else is there, with what each told last, until its key has run out', async () => {
    const { cluster, pass } = bench();
    count += 1;
    const [a, b] = [life('a'), life('b')];
    const first = await cluster.beat(card(a), TTL_MS);
    expect(first.nodes).toContainEqual(card(a));
    await cluster.beat(card(b, { managers: 7, isDraining: true }), TTL_MS);
    const second = await cluster.beat(card(a, { managers: 3 }), TTL_MS);
    expect(second.epoch).toBe(first.epoch);
    expect(second.now).toBeGreaterThanOrEqual(first.now);
    expect(second.nodes).toContainEqual(card(a, { managers: 3 }));
    expect(second.nodes).toContainEqual(card(b, { managers: 7, isDraining: true }));
    await pass(TTL_MS);
    const { nodes } = await cluster.beat(card(a), TTL_MS);
    expect(nodes.map((known) => known.node)).toContain(a.node);
    expect(nodes.map((known) => known.node)).not.toContain(b.node);
  });

  it('knows one life of a name, the one that came last, and takes away only that which leaves', async () => {
    const { cluster } = bench();
    count += 1;
    const [before, after, other] = [life('a'), life('a', 'two'), life('b')];
    await cluster.beat(card(before), TTL_MS);
    await cluster.beat(card(after), TTL_MS);
    await cluster.leave(before);
    const seen = async () => (await cluster.beat(card(other), TTL_MS)).nodes.filter((known) => known.node === after.node);
    expect(await seen()).toEqual([card(after)]);
    await cluster.leave(after);
    expect(await seen()).toEqual([]);
    await cluster.leave(after);
  });

  it('agrees on one value for a name', async () => {
    const { cluster } = bench();
    count += 1;
    const kept = await Promise.all(['x', 'y', 'z'].map((value) => cluster.agree(`name ${count}`, value)));
    expect(new Set(kept).size).toBe(1);
    expect(await cluster.agree(`name ${count}`, 'late')).toBe(kept[0]);
  });

  it('brings letters that are posted from now on, whole and in order, to every reader of that node alone', async () => {
    const { cluster } = bench();
    count += 1;
    const [a, b] = [life('a'), life('b')];
    await cluster.post(a.node, letter('too early', b));
    // In the memory of one process a letter is on its way until the next turn.
    await new Promise((resolve) => setTimeout(resolve, 10));
    const [one, two, other] = [inbox(cluster, a.node), inbox(cluster, a.node), inbox(cluster, b.node)];
    const ids = Array.from({ length: 250 }, (_, i) => `letter ${i}`);
    for (const id of ids) await cluster.post(a.node, letter(id, b));
    expect((await one.heard(250)).map(({ id }) => id)).toEqual(ids);
    expect((await two.heard(250))[249]).toEqual(letter('letter 249', b));
    expect(other.letters).toEqual([]);
    one.undo();
    await cluster.post(a.node, letter('later', b));
    await two.heard(251);
    expect(one.letters).toHaveLength(250);
    two.undo();
    other.undo();
  });

  it('loses a letter for a node that is gone', async () => {
    const { cluster } = bench();
    count += 1;
    await cluster.post(life('nobody').node, letter('lost', life('a')));
  });
}
