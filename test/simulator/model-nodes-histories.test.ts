/** Any history of one person's pages over three nodes, of which some die and others come in their place. */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { PartialOptions } from '../../src/core/options.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { type ModelPage, ModelRig } from './model-rig.ts';
import { ADA, seatLimits } from './model-support.ts';

const NODES = 3;
const SOFT = 4;
const WAIT_MS = 1_000;
const TTL_MS = 8_000;
const OPTIONS: PartialOptions = {
  timing: 'fast',
  limits: { perUser: SOFT, burst: { perUser: SOFT + 2, forMs: 2_000, coolDownMs: 5_000, debtMaxMs: 4_000 } },
  queue: { places: 3, waitMs: WAIT_MS, promiseMs: 500 },
  resume: { windowMs: 3_000 },
  lease: { ttlMs: TTL_MS, renewMs: 2_000 },
};
const SLA_MS = 500;
/** `SPILLWAY_LONG=1`: many more. */
const IS_LONG = process.env.SPILLWAY_LONG === '1';
const RUNS = IS_LONG ? 1_000 : 20;
const TIMEOUT_MS = IS_LONG ? 600_000 : 60_000;

const steps = (kills: boolean) =>
  fc.array(
    fc.record({
      do: fc.constantFrom(
        'arrive',
        'arrive',
        'arrive',
        'auto',
        'leave',
        'reset',
        'freeze',
        'back',
        'back',
        'free',
        'speak',
        'run',
        'pass',
        'pass',
        kills ? 'kill' : 'pass',
        kills ? 'start' : 'pass',
      ),
      n: fc.nat(30),
      ms: fc.oneof(fc.nat(20), fc.nat(400), fc.nat(3_000), fc.nat(9_000)),
      gap: fc.constantFrom(0, 0, 1, 5),
    }),
    { minLength: 10, maxLength: 60, size: 'max' },
  );

interface Step {
  readonly do: string;
  readonly n: number;
  readonly ms: number;
  readonly gap: number;
}

/** Verdicts and reasons of whoever went alive, and how many times a person asked. */
function follow(rig: ModelRig): { taken: number; asked: number } {
  const count = { taken: 0, asked: 0 };
  const seen = new Set<object>();
  const listen = (): void => {
    for (const factory of rig.living) {
      if (seen.has(factory)) continue;
      seen.add(factory);
      factory.on('cleanup-finished', ({ trigger, victims }) => {
        if (trigger !== 'admission') return;
        for (const { verdict } of victims) if (verdict !== 'zombie' && verdict !== 'inactive') count.taken++;
      });
    }
  };
  listen();
  return Object.assign(count, { listen });
}

function act(rig: ModelRig, step: Step): void {
  const seated = rig.seated(ADA);
  const page = seated[step.n % Math.max(1, seated.length)];
  const node = step.n % NODES;
  switch (step.do) {
    case 'arrive':
    case 'auto':
      if (rig.pages.filter((p) => p.connection !== null).length < 14) rig.ask(ADA, { node, intent: step.do === 'auto' ? 'auto' : 'user' });
      return;
    case 'leave':
      page?.say({ type: 'bye', reason: 'left' });
      return;
    case 'reset':
      page?.connection?.clientReset();
      return;
    case 'freeze':
      page?.corpse();
      return;
    case 'back': {
      const away = rig.pages.filter((p) => p.connection === null && p.isAlive);
      const back = away[step.n % Math.max(1, away.length)];
      // Wherever its load balancer sends it.
      if (back) rig.ask(ADA, { page: back, node, intent: step.n % 4 === 0 ? 'user' : 'auto' });
      return;
    }
    case 'free':
      if (page?.manager) for (const f of rig.living) f.evict(page.manager, { reason: 'user-freed', by: null }).catch(() => {});
      return;
    case 'speak':
      page?.say({ type: 'send', id: 'x', thread: 'talk', data: { text: 'here' } });
      return;
    case 'kill':
      if (rig.living.length > 1) rig.kill(node);
      rig.ledger.mayLapse = true;
      return;
    case 'start':
      rig.start(node);
      return;
  }
}

async function play(history: readonly Step[], options: PartialOptions): Promise<void> {
  const rig = await ModelRig.make({ options, store: (clock, random) => memoryStore({ clock, random, cluster: true }), nodes: NODES });
  const followed = follow(rig) as ReturnType<typeof follow> & { listen(): void };
  await rig.clock.pass(7_000);
  for (const step of history) {
    const before = rig.attempts.length;
    act(rig, step);
    followed.listen();
    followed.asked += rig.attempts.slice(before).filter(({ intent }) => intent === 'user').length;
    await rig.clock.pass(step.do === 'pass' ? step.ms : step.gap);
    expect([...rig.problems, ...rig.ledger.problems]).toEqual([]);
  }
  await rig.clock.pass(WAIT_MS + 2 * TTL_MS);
  for (const a of rig.attempts) {
    const until = a.queuedAt ?? a.endedAt;
    expect(a.state, `${a.page.name}: ${String(a.error)}`).toMatch(/^(seated|retry|left)$/);
    if (a.state === 'left') continue;
    expect((until ?? Number.POSITIVE_INFINITY) - a.askedAt, `${a.page.name} was decided late`).toBeLessThanOrEqual(SLA_MS + 10);
    // An automatic one may be pushed out, and begins anew.
    if (a.queuedAt !== null && a.intent === 'user')
      expect((a.endedAt ?? 0) - a.queuedAt, `${a.page.name} waited for long`).toBeLessThanOrEqual(WAIT_MS + SLA_MS + 10);
    if (a.queuedAt !== null && a.intent === 'user') expect(a.state, `${a.page.name} waited and was sent away`).toBe('seated');
  }
  // I17
  expect(followed.taken).toBeLessThanOrEqual(followed.asked);
  // Nobody asks for anything any more. What the dead had has run out, and the books hear of it.
  const facts = await rig.store.seats.facts(ADA, seatLimits(rig));
  expect(facts.tickets).toEqual([]);
  await rig.compareAtRest(ADA);
  expect([...rig.problems, ...rig.ledger.problems]).toEqual([]);
  await rig.close();
}

it(
  'I1, I2, I3, I12, I17, I20 over any history on three nodes',
  async () => {
    await fc.assert(
      fc.asyncProperty(steps(false), fc.constantFrom('burst-first' as const, 'force-first' as const), (history, overflowPolicy) =>
        play(history, { ...OPTIONS, limits: { ...OPTIONS.limits, overflowPolicy } }),
      ),
      {
        numRuns: RUNS,
        endOnFailure: true,
      },
    );
  },
  TIMEOUT_MS,
);

it(
  'the same while nodes die and others come in their place',
  async () => {
    await fc.assert(
      fc.asyncProperty(steps(true), (history) => play(history, OPTIONS)),
      { numRuns: RUNS, endOnFailure: true },
    );
  },
  TIMEOUT_MS,
);

it(
  'I15: persons who come at once on three nodes get what they would have got one after the other',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(NODES - 1), { minLength: 2, maxLength: 8 }), fc.nat(2), fc.nat(2), async (arrivals, gone, free) => {
        const ends: string[][] = [];
        for (const order of ['at once', 'one by one'] as const) {
          const options: PartialOptions = {
            timing: 'fast',
            limits: { perUser: SOFT, burst: { perUser: SOFT + 2, forMs: 60_000 } },
            queue: { places: 3, waitMs: 5_000 },
          };
          const rig = await ModelRig.make({ options, store: (clock, random) => memoryStore({ clock, random, cluster: true }), nodes: NODES });
          await rig.clock.pass(7_000);
          const pages: ModelPage[] = [];
          for (let i = 0; i < SOFT - free; i++) {
            pages.push(rig.ask(ADA, { node: i % NODES }).page);
            await rig.clock.pass(5);
          }
          for (const page of pages.slice(0, gone)) page.connection?.clientReset();
          await rig.clock.pass(600);
          const before = rig.attempts.length;
          for (const node of arrivals) {
            rig.ask(ADA, { node });
            if (order === 'one by one') await rig.clock.pass(5);
          }
          await rig.clock.pass(600);
          ends.push(
            rig.attempts
              .slice(before)
              .map(({ state }) => state)
              .sort(),
          );
          expect([...rig.problems, ...rig.ledger.problems]).toEqual([]);
          await rig.close();
        }
        expect(ends[0]).toEqual(ends[1]);
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
  },
  TIMEOUT_MS,
);
