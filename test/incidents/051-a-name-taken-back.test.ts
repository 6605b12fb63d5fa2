/** A gateway was replaced by another process under its own name, and told to drain only when that one had begun. By then it told nobody any
 *  more that it lived, since the later one has the name; but that it drains it did tell, and took the name back with it. For the other nodes
 *  the new process was dead for a second: its seats could be taken, and its answers were ended. The old one itself saw the managers
 *  of the new one as those of its own earlier life, and gave their seats to whoever came. */

import { afterEach, expect, it, vi } from 'vitest';
import { Cluster } from '../../src/managers/cluster/cluster.ts';
import { systemClock } from '../../src/ports/clock.ts';
import type { NodeLife } from '../../src/ports/cluster.ts';
import { systemRandom } from '../../src/ports/random.ts';
import { silent } from '../../src/ports/telemetry.ts';
import type { NodeId } from '../../src/protocol/ids.ts';
import { MemoryCluster } from '../../src/stores/memory/cluster.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { bareNode, eventually } from '../support/bare-node.ts';

afterEach(() => {
  vi.useRealTimers();
});

it('whoever has lost its name to a later process does not take it back to say that it drains', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'performance', 'Date'] });
  const store = new MemoryCluster(systemClock);
  const start = (node: string, incarnation: string): Cluster =>
    new Cluster({
      life: { node: node as NodeId, incarnation },
      cluster: store,
      clock: systemClock,
      random: systemRandom,
      telemetry: silent,
      version: '0.0.0',
      managers: () => 0,
    });
  const witness = start('b', 'witness');
  const dead: NodeLife[] = [];
  witness.onDeath((life) => dead.push(life));
  const old = start('a', 'old');
  await vi.advanceTimersByTimeAsync(10_200);
  const later = start('a', 'later');
  await vi.advanceTimersByTimeAsync(3_100);
  expect(witness.standing(later.life)).toBe('alive');
  // Between a beat of the later one and the next of the witness.
  old.draining();
  for (let i = 0; i < 30; i++) {
    await vi.advanceTimersByTimeAsync(100);
    expect(witness.standing(later.life)).toBe('alive');
  }
  expect(dead).toEqual([old.life]);
  for (const cluster of [witness, old, later]) await cluster.leave();
});

it('whoever has lost its name to a later process takes no seat from it', async () => {
  const store = memoryStore({ cluster: true });
  const options = { store, node: 'a', limits: { perUser: 2, burst: { perUser: 3 } } } as const;
  await using old = await bareNode(options);
  await using later = await bareNode(options);
  await eventually('the old one to know', () => old.records.some(({ event }) => event === 'node-name-taken'));
  await later.connect('ada');
  await later.connect('ada');
  const { admission } = await old.connect('ada');
  expect(admission).toMatchObject({ kind: 'seated', how: 'burst' });
  expect(old.told('cleanup-finished').flatMap(({ victims }) => victims)).toEqual([]);
  expect(old.told('manager-ended')).toEqual([]);
});
