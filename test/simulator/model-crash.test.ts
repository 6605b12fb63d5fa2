/** I12 over the death of the process between any two of its awaits. */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ModelPage } from './model-rig.ts';
import { ADA, inMemory, seatLimits } from './model-support.ts';

const TTL_MS = 2_000;
const OPTIONS = {
  limits: { perUser: 3, burst: { perUser: 4, forMs: 2_000 } },
  queue: { places: 3, waitMs: 600 },
  lease: { ttlMs: TTL_MS, renewMs: 500 },
  resume: { windowMs: 1_500 },
} as const;

const steps = fc.array(fc.record({ do: fc.constantFrom('arrive', 'arrive', 'leave', 'reset', 'free', 'pass'), n: fc.nat(9), ms: fc.nat(300) }), {
  minLength: 5,
  maxLength: 25,
});

it('I12: wherever it dies, before or after a call of the store had its effect, all records fit again', async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.nat(60), fc.boolean(), fc.array(fc.nat(400), { minLength: 12, maxLength: 12 }), async (history, dieAt, afterEffect, gaps) => {
      const rig = await inMemory(OPTIONS);
      let calls = 0;
      let isDead = false;
      const never = (): Promise<void> => {
        isDead = true;
        return new Promise<void>(() => {});
      };
      const isTheEnd = (part: string): boolean => isDead || (part === 'seats' && calls++ === dieAt);
      rig.tap(afterEffect ? { after: (part) => (isTheEnd(part) ? never() : undefined) } : { before: (part) => (isTheEnd(part) ? never() : undefined) });
      for (const step of history) {
        if (isDead) break;
        const seated = rig.seated(ADA);
        const page: ModelPage | undefined = seated[step.n % Math.max(1, seated.length)];
        if (step.do === 'arrive') rig.ask(ADA, { intent: step.n % 3 === 0 ? 'auto' : 'user' });
        else if (step.do === 'leave') page?.say({ type: 'bye', reason: 'left' });
        else if (step.do === 'reset') page?.connection?.clientReset();
        else if (step.do === 'free' && page?.manager) rig.factory.evict(page.manager, { reason: 'user-freed', by: null }).catch(() => {});
        await rig.clock.pass(step.do === 'pass' ? step.ms : 5);
      }
      rig.tap();
      rig.crash();
      // Those who had a seat come back with what they know; some that had none come too.
      for (const [i, page] of [...rig.pages].entries()) {
        await rig.clock.pass(gaps[i % gaps.length] ?? 0);
        if (page.connection === null) rig.ask(ADA, { page, intent: i % 4 === 0 ? 'user' : 'auto' });
      }
      await rig.clock.pass(TTL_MS + 4_000);
      expect(rig.attempts.filter((a) => a.state === 'deciding' || a.state === 'queued')).toEqual([]);
      // The books hear here of seats that have lapsed.
      await rig.store.seats.facts(ADA, seatLimits(rig));
      await rig.compareAtRest(ADA);
      expect(rig.factory.getFactoryStatus().sockets).toBe(rig.sockets);
      expect([...rig.problems, ...rig.ledger.problems.filter((p) => !p.startsWith('I2') && !p.startsWith('I3'))]).toEqual([]);
      await rig.close();
    }),
    { numRuns: 120 },
  );
});
