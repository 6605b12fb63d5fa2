/** A page that had been stuck for a moment answered, and was a suspect three seconds later although it answered everything: part of what
 *  it had been sent came after the question, and with the answer the next question was forgotten until something else was due. */

import { expect, it } from 'vitest';
import type { ThreadId } from '../../src/protocol/ids.ts';
import { ADA, fill, inMemory } from '../simulator/model-support.ts';

it.each([1_500, 2_000, 3_000, 4_000, 5_000, 6_000])(
  'whoever owes something after an acknowledgement is asked for it in time, stuck for %i ms',
  async (stuckMs) => {
    const rig = await inMemory({ timing: 'default' });
    const [page] = await fill(rig, 1);
    if (page?.manager == null) throw new Error('Expected a seated page.');
    const manager = rig.factory.find(page.manager);
    // A near page, as its pongs have shown.
    await rig.clock.pass(60_000);
    const publish = (): void => {
      rig.clock.touch();
      rig.factory.publish(ADA, 'talk' as ThreadId, { type: 'text_delta', text: 'x' }).catch(() => {});
    };
    page.isAlive = false;
    let asked: number | null = null;
    page.heard = (frame) => {
      if (frame.type === 'probe') asked = frame.n;
    };
    publish();
    expect(await rig.clock.passUntil(() => asked !== null, 2_000)).toBe(true);
    publish();
    await rig.clock.pass(stuckMs);
    // It takes what had come before the question, and answers; then it goes on as before, acknowledging when it is asked.
    page.say({ type: 'ack', sub: 1, offset: 1 });
    page.say({ type: 'probe-ok', n: asked });
    page.heard = null;
    page.isAlive = true;
    page.acknowledgesEvents = false;
    for (let passed = 0; passed < 8_000; passed += 100) {
      await rig.clock.pass(100);
      expect(manager?.verdict.is).toMatch(/healthy|idle/);
    }
    await rig.close();
  },
);
