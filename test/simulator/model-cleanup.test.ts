/** What a cleanup may and may not do, on the real factory in virtual time. */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ManagerId } from '../../src/protocol/ids.ts';
import type { ModelPage } from './model-rig.ts';
import { ADA, fill, inMemory } from './model-support.ts';

const SOFT = 5;
const room = { perUser: SOFT, burst: { perUser: SOFT, forMs: 2_000 } };
/** Idle for so long that `moderate` may take them, on a full user. */
const LONG_QUIET_MS = 9_000;

it('I11: whoever is heard after the plan was made and before its turn comes keeps its seat', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 2, max: 4 }), fc.uniqueArray(fc.nat(SOFT - 1), { maxLength: SOFT }), async (newcomers, speakers) => {
      const rig = await inMemory({ limits: room });
      const pages = await fill(rig, SOFT);
      await rig.clock.pass(LONG_QUIET_MS);
      const heard = new Set<ManagerId>();
      let evictions = 0;
      rig.tap({
        before: (part, call, args) => {
          if (part !== 'seats' || call !== 'evict') return undefined;
          if (heard.has(args[1] as ManagerId)) rig.problems.push(`I11: ${String(args[1])} was heard before its seat was taken`);
          if (evictions++ > 0) return undefined;
          // The first one is on its way out when the others say something.
          for (const n of speakers) pages[n]?.say({ type: 'send', id: 'x', thread: 'talk', data: { text: 'still here' } });
          return new Promise((resolve) =>
            rig.clock.arrive(rig.clock.now + 5, () => {
              for (const n of speakers) heard.add(pages[n]?.manager as ManagerId);
              resolve();
            }),
          );
        },
      });
      for (let i = 0; i < newcomers; i++) rig.ask(ADA);
      await rig.clock.pass(100);
      expect(evictions).toBeGreaterThan(0);
      expect([...rig.problems, ...rig.ledger.problems]).toEqual([]);
      await rig.close();
    }),
    { numRuns: 40 },
  );
});

const intents = fc.array(fc.constantFrom('user' as const, 'user' as const, 'auto' as const), { minLength: 2, maxLength: 8 });

/** How attempts ended, without names. */
const fates = (attempts: readonly { readonly intent: string; readonly state: string; readonly seated: { readonly how: string } | null }[]): string[] =>
  attempts.map((a) => `${a.intent} ${a.state}`).sort();

it('I15: admissions that come at once end as they would one after the other, persons first', async () => {
  await fc.assert(
    fc.asyncProperty(
      intents,
      fc.nat(2),
      fc.nat(2),
      fc.constantFrom('burst-first' as const, 'force-first' as const),
      async (arrivals, gone, free, overflowPolicy) => {
        const limits = { perUser: SOFT, burst: { perUser: SOFT + 2, forMs: 60_000 }, overflowPolicy };
        const ends: string[][] = [];
        for (const order of ['at once', 'one by one'] as const) {
          const rig = await inMemory({ limits, queue: { places: 3, waitMs: 5_000 } });
          const pages = await fill(rig, SOFT - free);
          for (const page of pages.slice(0, gone)) page.connection?.clientReset();
          await rig.clock.pass(600);
          const before = rig.attempts.length;
          const sorted = order === 'at once' ? arrivals : [...arrivals].sort((a, b) => (a === b ? 0 : a === 'user' ? -1 : 1));
          for (const intent of sorted) {
            rig.ask(ADA, { intent });
            if (order === 'one by one') await rig.clock.pass(1);
          }
          await rig.clock.pass(300);
          ends.push(fates(rig.attempts.slice(before)));
          expect([...rig.problems, ...rig.ledger.problems]).toEqual([]);
          await rig.close();
        }
        expect(ends[0]).toEqual(ends[1]);
      },
    ),
    { numRuns: 60 },
  );
});

it('I15: and ask everybody once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 2, max: 6 }), fc.array(fc.nat(60), { minLength: 6, maxLength: 6 }), async (newcomers, gaps) => {
      const rig = await inMemory({ limits: room, cleanup: { proactive: false } });
      const pages = await fill(rig, SOFT);
      for (const page of pages) page.corpse();
      // Silent for long enough to be doubted, not for long enough to be dead, and not asked yet.
      await rig.clock.pass(1_050);
      const before = pages.map((p) => p.probes);
      for (let i = 0; i < newcomers; i++) {
        rig.ask(ADA);
        await rig.clock.pass(gaps[i] ?? 0);
      }
      await rig.clock.pass(60);
      for (const [i, page] of pages.entries()) expect(page.probes - (before[i] as number)).toBeLessThanOrEqual(1);
      await rig.close();
    }),
    { numRuns: 30 },
  );
});

it('I18: Force waits for no peer: with nothing but corpses that never close, every person is seated at once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(700), { minLength: 1, maxLength: 12 }), async (gaps) => {
      const rig = await inMemory({ limits: { ...room, overflowPolicy: 'force-first' } });
      const die = (page: ModelPage): void => {
        page.corpse();
        page.reads = false;
      };
      for (const page of await fill(rig, SOFT)) die(page);
      for (const gap of gaps) {
        await rig.clock.pass(gap);
        const attempt = rig.ask(ADA);
        await rig.clock.pass(230);
        expect(attempt.state).toBe('seated');
        // A probe round is all that it may have waited for.
        expect((attempt.endedAt as number) - attempt.askedAt).toBeLessThanOrEqual(rig.factory.options.cleanup.probeRoundMs + 5);
        die(attempt.page);
      }
      expect([...rig.problems, ...rig.ledger.problems]).toEqual([]);
      await rig.close();
    }),
    { numRuns: 40 },
  );
});

it('I19: after any failures and any load the dead go, Force seats, and a person can free a seat', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 20 }),
      fc.integer({ min: 0, max: 8 }),
      fc.boolean(),
      fc.constantFrom('dead', 'force', 'free'),
      async (failures, load, isDeadFirst, way) => {
        const rig = await inMemory({ limits: room, queue: { places: 3, waitMs: 1_000 }, resume: { windowMs: 60_000 }, cleanup: { proactive: false } });
        const pages = await fill(rig, SOFT);
        await rig.clock.pass(LONG_QUIET_MS);
        // With somebody dead the very first level throws, else those that take the living do.
        if (isDeadFirst) pages[0]?.connection?.clientReset();
        await rig.clock.pass(600);
        let left = failures;
        rig.tap({
          before: (part, call) => {
            if (part === 'seats' && call === 'evict' && left-- > 0) throw new Error('The store could not take a seat.');
            return undefined;
          },
        });
        // Each of them makes levels throw, spends the probes of the user, and waits.
        for (let i = 0; i < Math.min(8, failures) + load; i++) {
          rig.ask(ADA);
          await rig.clock.pass(i < failures ? 20 : 2);
        }
        await rig.clock.pass(1_600);
        rig.tap();
        for (const waiting of rig.attempts.filter((a) => a.state === 'queued')) waiting.page.connection?.clientReset();
        await rig.clock.pass(10);
        const seated = rig.seated(ADA);
        expect(seated.length).toBe(SOFT);
        if (way === 'dead') {
          seated[0]?.connection?.clientReset();
          // Beyond the grace in which it is probably on its way back.
          await rig.clock.pass(600);
        } else if (way === 'free') {
          const id = rig.factory.list(ADA)[0]?.id as ManagerId;
          expect(await settled(rig, rig.factory.evict(id, { reason: 'user-freed', by: null }))).toBe(true);
        }
        const attempt = rig.ask(ADA, { intent: way === 'force' ? 'user' : 'auto' });
        await rig.clock.pass(way === 'force' ? 1_000 + 510 : 20);
        expect(attempt.state).toBe('seated');
        expect([...rig.problems, ...rig.ledger.problems]).toEqual([]);
        expect(pages.length).toBe(SOFT);
        await rig.close();
      },
    ),
    { numRuns: 60 },
  );
});

/** Lets as much time pass as the promise needs. */
async function settled<T>(rig: { readonly clock: { touch(): void; pass(ms: number): Promise<void> } }, promise: Promise<T>): Promise<T> {
  rig.clock.touch();
  await rig.clock.pass(1);
  return await promise;
}

it('I22: a load that flickers around a threshold changes what is looked for at most once in 30 s', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 3, max: 7 }), fc.array(fc.integer({ min: 200, max: 4_000 }), { minLength: 20, maxLength: 40 }), async (base, gaps) => {
      const rig = await inMemory({ limits: { perUser: 10, burst: { perUser: 10 } } });
      const crossings: number[] = [];
      await fill(rig, base);
      await rig.clock.pass(1_000);
      rig.factory.on('cleanup-finished', (report) => {
        if (report.trigger === 'proactive' && report.victims.length === 0) crossings.push(rig.clock.now);
      });
      for (const gap of gaps) {
        const attempts = [rig.ask(ADA), rig.ask(ADA), rig.ask(ADA)];
        await rig.clock.pass(gap);
        for (const { page } of attempts) page.say({ type: 'bye', reason: 'left' });
        await rig.clock.pass(gap / 2);
      }
      for (const [i, at] of crossings.entries()) if (i > 0) expect(at - (crossings[i - 1] as number)).toBeGreaterThanOrEqual(30_000);
      await rig.close();
    }),
    { numRuns: 20 },
  );
});
