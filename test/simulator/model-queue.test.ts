/** Places, promises and turns, on the real factory in virtual time. */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { UserId } from '../../src/protocol/ids.ts';
import type { AttemptRecord, ModelRig } from './model-rig.ts';
import { ADA, fill, inMemory } from './model-support.ts';

const PLACES = 3;
const WAIT_MS = 2_000;
const PROMISE_MS = 500;
const OPTIONS = {
  limits: { perUser: 2, burst: { perUser: 2 } },
  queue: { places: PLACES, waitMs: WAIT_MS, promiseMs: PROMISE_MS },
};

/** Everybody seated keeps busy, so that nobody gives way before Force. */
async function busy(rig: ModelRig, forMs: number): Promise<void> {
  for (let passed = 0; passed < forMs; passed += 50) {
    for (const page of rig.seated()) page.say({ type: 'send', id: `${rig.clock.now}`, thread: 'talk', data: { text: 'busy' } });
    await rig.clock.pass(Math.min(50, forMs - passed));
  }
}

it('I16: whoever was told a time finds a place then, and coming early costs nothing', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.nat(400), { minLength: 8, maxLength: 8 }),
      fc.array(fc.record({ lateMs: fc.nat(PROMISE_MS - 20), comesEarly: fc.boolean() }), { minLength: 4, maxLength: 4 }),
      async (refused, gaps, manners) => {
        const rig = await inMemory(OPTIONS);
        await fill(rig, 2);
        const waiting: AttemptRecord[] = [];
        for (let i = 0; i < PLACES + refused; i++) {
          waiting.push(rig.ask(ADA));
          await busy(rig, 20 + (gaps[i] ?? 0) / 20);
        }
        const away = waiting.slice(PLACES);
        const due = away.map((a, i) => {
          expect([a.state, a.retry?.reason]).toEqual(['retry', 'queue-full']);
          return { attempt: a, at: (a.endedAt as number) + (a.retry?.retryAfterMs as number), manner: manners[i] as (typeof manners)[number] };
        });
        for (const { attempt, at, manner } of due.filter((d) => d.manner.comesEarly)) {
          const early = rig.ask(ADA, { page: attempt.page, promise: attempt.retry?.promise ?? null });
          await busy(rig, 20);
          if (early.state !== 'retry') continue;
          expect((early.endedAt as number) + (early.retry?.retryAfterMs as number)).toBeLessThanOrEqual(at + 1);
          expect(early.retry?.promise).toBe(attempt.retry?.promise);
          expect(manner.comesEarly).toBe(true);
        }
        for (const { attempt, at, manner } of due.sort((a, b) => a.at + a.manner.lateMs - (b.at + b.manner.lateMs))) {
          if (attempt.page.attempt !== attempt && attempt.page.attempt?.state !== 'retry') continue;
          await busy(rig, Math.max(0, at + manner.lateMs - rig.clock.now));
          const back = rig.ask(ADA, { page: attempt.page, intent: 'auto', promise: attempt.retry?.promise ?? null });
          await rig.clock.pass(0);
          expect(['queued', 'seated', 'deciding']).toContain(back.state);
          await rig.clock.pass(5);
          expect(['queued', 'seated']).toContain(back.state);
        }
        await busy(rig, WAIT_MS + 600);
        // A person's promise ends in a seat, also where the page came back by itself.
        for (const { attempt } of due) expect(attempt.page.attempt?.state).toBe('seated');
        expect([...rig.problems, ...rig.ledger.problems]).toEqual([]);
        await rig.close();
      },
    ),
    { numRuns: 40 },
  );
});

it('I16: a ticket that is given back frees its place and whatever seat came meanwhile', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.nat(PLACES - 1), { minLength: 1 }), fc.boolean(), async (leavers, atOnce) => {
      const rig = await inMemory(OPTIONS);
      const seated = await fill(rig, 2);
      const waiting: AttemptRecord[] = [];
      for (let i = 0; i < PLACES; i++) {
        waiting.push(rig.ask(ADA));
        await rig.clock.pass(10);
      }
      // In the same instant in which a seat becomes free.
      if (atOnce) seated[0]?.say({ type: 'bye', reason: 'left' });
      for (const n of leavers) waiting[n]?.page.connection?.clientReset();
      await rig.clock.pass(50);
      if (!atOnce) seated[0]?.say({ type: 'bye', reason: 'left' });
      await rig.clock.pass(200);
      const staying = waiting.filter((_, i) => !leavers.includes(i));
      expect(rig.seated().length).toBe(staying.length > 0 ? 2 : 1);
      if (staying.length > 0) expect(staying[0]?.state).toBe('seated');
      expect(rig.factory.getFactoryStatus().queued).toBe(Math.max(0, staying.length - 1));
      await rig.close();
    }),
    { numRuns: 40 },
  );
});

it('I16: persons are served in the order in which they came, whoever is free first', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(300), { minLength: PLACES, maxLength: PLACES }),
      fc.array(fc.nat(500), { minLength: PLACES, maxLength: PLACES }),
      async (gaps, releases) => {
        const rig = await inMemory(OPTIONS);
        const holders = await fill(rig, 2);
        const waiting: AttemptRecord[] = [];
        for (const gap of gaps) {
          waiting.push(rig.ask(ADA));
          await busy(rig, gap + 1);
        }
        for (const [i, ms] of releases.entries()) {
          (holders[i] ?? rig.seated()[0])?.say({ type: 'bye', reason: 'left' });
          await busy(rig, ms + 5);
          // Nobody is seated while an earlier one waits.
          const states = waiting.map((a) => a.state);
          expect(states.lastIndexOf('seated')).toBeLessThan(states.includes('queued') ? states.indexOf('queued') : PLACES);
        }
        expect(waiting.map((a) => a.state)).toEqual(waiting.map(() => 'seated'));
        await rig.close();
      },
    ),
    { numRuns: 30 },
  );
});

const TIERS = { mid: 4, early: 2, free: 1 } as const;

it('I16: seats of a full node go to tiers by their weight, and to users of a tier in turn', async () => {
  await fc.assert(
    fc.asyncProperty(fc.shuffledSubarray(Object.keys(TIERS).flatMap((tier) => Array.from({ length: 14 }, (_, i) => `${tier}-${i}`))), async (arrivals) => {
      const rig = await inMemory({ limits: { perNode: 2 }, queue: { waitMs: 60_000 } });
      await fill(rig, 2, 'host' as UserId);
      for (const name of arrivals) {
        rig.ask(name as UserId, { tier: name.split('-')[0] as string });
        await rig.clock.pass(0);
      }
      await rig.clock.pass(20);
      const served: string[] = [];
      // One seat after the other becomes free; who gets it leaves again.
      for (let i = 0; i < 14 && served.length < arrivals.length; i++) {
        const holder = rig.seated()[0];
        holder?.say({ type: 'bye', reason: 'left' });
        const before = new Set(rig.seated());
        await rig.clock.pass(20);
        for (const page of rig.seated()) if (!before.has(page)) served.push(page.user);
      }
      const waitingOf = (tier: string): number => arrivals.filter((name) => name.startsWith(`${tier}-`)).length;
      const servedOf = (tier: string, first: number): number => served.slice(0, first).filter((name) => name.startsWith(`${tier}-`)).length;
      // While all tiers wait, each round of seven serves them as their weights say.
      if (Object.keys(TIERS).every((tier) => waitingOf(tier) >= 8)) {
        for (const round of [7, 14]) for (const [tier, weight] of Object.entries(TIERS)) expect(servedOf(tier, round)).toBe((round / 7) * weight);
      }
      expect(rig.problems).toEqual([]);
      await rig.close();
    }),
    { numRuns: 25 },
  );
});
