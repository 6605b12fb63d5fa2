/** A client's network broke, and nothing told its node; it came back at another one, which said so by a letter. No letters came through to
 *  the first just then, as it happens after the store was away. It learned from the store that somebody else had the seat, asked who, and
 *  heard nothing in time: it took that for nobody, took the seat back for a socket behind which nobody was, and the live client was told
 *  that it had been taken over, and stayed away. */

import { expect, it } from 'vitest';
import { memoryStore } from '../../src/stores/memory.ts';
import { ModelRig } from '../simulator/model-rig.ts';
import { ADA } from '../simulator/model-support.ts';
import { VirtualRoad } from '../simulator/virtual-road.ts';

it('whoever hears nothing of the other node leaves the seat where the client came last', async () => {
  const roads: VirtualRoad[] = [];
  const rig = await ModelRig.make({
    options: { timing: 'fast', lease: { ttlMs: 8_000, renewMs: 2_000 } },
    nodes: 2,
    store: (clock, random) => memoryStore({ clock, random, cluster: true }),
    road: (store, clock, node) => {
      const road = new VirtualRoad(store, clock);
      roads[node] = road;
      return road.store;
    },
  });
  await rig.clock.pass(7_000);
  const { page } = rig.ask(ADA, { node: 0 });
  await rig.clock.pass(50);
  const heard: string[] = [];
  page.heard = (frame) => heard.push(frame.type);
  page.connection = null;
  if (roads[0] !== undefined) roads[0].letters = 'lost';
  rig.ask(ADA, { node: 1, page });
  await rig.clock.pass(4_000);
  expect(heard).not.toContain('bye');
  expect(page.closedWith).toBe(null);
  expect(rig.living.map((factory) => factory.list(ADA).length)).toEqual([0, 1]);
  await rig.close();
});
