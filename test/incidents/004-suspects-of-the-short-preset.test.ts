/** With the short times for tests and demonstrations a page that did everything right was a suspect again and again, and could be
 *  taken at the level `aggressive`: it had acknowledged just before more came, and half a second had to pass before it was asked. */

import { expect, it } from 'vitest';
import type { ThreadId } from '../../src/protocol/ids.ts';
import type { VerdictName } from '../../src/protocol/messages.ts';
import { ADA, fill, inMemory } from '../simulator/model-support.ts';

it('a page that acknowledges on request alone is never a suspect, whatever the preset', async () => {
  for (const timing of ['fast', 'default'] as const) {
    const rig = await inMemory({ timing, limits: { perUser: 4 } });
    const [page] = await fill(rig, 1);
    if (page?.manager == null) throw new Error('Expected a seated page.');
    const manager = rig.factory.find(page.manager);
    // As a page does whose last acknowledgement was just now.
    page.acknowledgesEvents = false;
    const seen = new Set<VerdictName>();
    for (let i = 0; i < 400; i++) {
      if (i % 7 === 0) rig.factory.publish(ADA, 'talk' as ThreadId, { type: 'text_delta', text: 'x' }).catch(() => {});
      rig.clock.touch();
      await rig.clock.pass(20);
      if (manager) seen.add(manager.verdict.is);
    }
    expect([...seen].filter((verdict) => verdict !== 'healthy' && verdict !== 'idle')).toEqual([]);
    await rig.close();
  }
});
