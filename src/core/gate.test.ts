import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { manager } from '../../test/support/evidence.ts';
import type { UserId } from '../protocol/ids.ts';
import { mono } from './clocks.ts';
import { EMPTY_GATE, enterGate, type Gate, gateEstimateMs, leaveGate, nextFromGate, orderGate, retier } from './gate.ts';
import { resolveOptions } from './resolve-options.ts';

const o = resolveOptions();
const ticket = (n: number, user: string, tier: string, wanted: 'user' | 'auto' = 'user') =>
  ({ id: manager(n), userId: user as UserId, tier, class: wanted, issuedAt: mono(0), deadline: mono(10_000) }) as const;
const enter = (g: Gate, ...tickets: readonly ReturnType<typeof ticket>[]) =>
  tickets.reduce((gate, t) => {
    const next = enterGate(gate, t, o);
    if (next === 'full') throw new Error('Expected room at the gate');
    return next;
  }, g);

function serveAll(g: Gate): { user: string; tier: string; id: string }[] {
  const served: { user: string; tier: string; id: string }[] = [];
  let gate = g;
  for (let step = nextFromGate(gate, o, mono(1)); step !== null; step = nextFromGate(gate, o, mono(1))) {
    served.push({ user: step.ticket.userId, tier: step.ticket.tier, id: step.ticket.id });
    gate = step.gate;
  }
  expect(gate.tickets).toEqual([]);
  expect(gate.served).toEqual({});
  return served;
}

describe('the gate of a full node', () => {
  it('shares seats by the weights of the tiers, heaviest first', () => {
    const tickets = ['free', 'early', 'mid', 'enterprise'].flatMap((tier, t) =>
      Array.from({ length: 30 }, (_, i) => ticket(t * 100 + i, `${tier}-${i}`, tier)),
    );
    const first = serveAll(enter(EMPTY_GATE, ...tickets)).slice(0, 30);
    const count = (tier: string) => first.filter((s) => s.tier === tier).length;
    expect(['enterprise', 'mid', 'early', 'free'].map(count)).toEqual([16, 8, 4, 2]);
    expect(first[0]?.tier).toBe('enterprise');
  });

  it('lets users of a tier take turns, however many tickets one has', () => {
    const tickets = [...Array.from({ length: 5 }, (_, i) => ticket(i, 'greedy', 'free')), ticket(8, 'b', 'free'), ticket(9, 'c', 'free')];
    expect(serveAll(enter(EMPTY_GATE, ...tickets)).map((s) => s.user)).toEqual(['greedy', 'b', 'c', 'greedy', 'greedy', 'greedy', 'greedy']);
  });

  it('lets a user whose tier has changed go with those of the new one, in the order in which all came', () => {
    const gate = enter(EMPTY_GATE, ticket(1, 'a', 'free'), ticket(2, 'b', 'mid'), ticket(3, 'c', 'free'), ticket(4, 'a', 'free'));
    expect(serveAll(retier(gate, 'a' as UserId, 'mid')).map((s) => `${s.user} ${s.tier}`)).toEqual(['a mid', 'b mid', 'a mid', 'c free']);
  });

  it('keeps the order of a user: persons before automatic reconnects', () => {
    const gate = enter(EMPTY_GATE, ticket(1, 'a', 'free', 'auto'), ticket(2, 'a', 'free'), ticket(3, 'a', 'free'));
    expect(serveAll(gate).map((s) => s.id)).toEqual([manager(2), manager(3), manager(1)]);
  });

  it('is bounded, and a second attempt keeps its place', () => {
    const small = resolveOptions({ queue: { gatePlaces: 1 } });
    const gate = enter(EMPTY_GATE, ticket(1, 'a', 'free'));
    expect(enterGate(gate, ticket(2, 'b', 'enterprise'), small)).toBe('full');
    expect(enterGate(gate, ticket(1, 'a', 'free'), small)).toBe(gate);
    expect(leaveGate(gate, manager(1))).toMatchObject({ tickets: [], served: {} });
  });

  it('estimates by the seats that lately became free, between one second and a minute', () => {
    const estimate = (releases: readonly number[], places: number, now: number) =>
      gateEstimateMs({ ...EMPTY_GATE, lastReleases: releases.map(mono) }, places, o, mono(now));
    expect(estimate([], 1, 0)).toBe(10_000);
    expect(estimate([0, 500, 1_000], 10, 1_100)).toBe(5_000);
    expect(estimate([0, 1], 10, 1)).toBe(1_000);
    expect(estimate([0, 1], 10, 4_001)).toBe(40_000);
    expect(estimate([0, 1], 10, 40_000)).toBe(60_000);
  });

  it('tells all places at once, as they would be served one after the other', () => {
    const tiers = fc.constantFrom('enterprise', 'mid', 'early', 'free', 'unheard-of');
    const arrivals = fc.array(fc.record({ user: fc.nat(4), tier: tiers, wanted: fc.constantFrom('user' as const, 'auto' as const) }), { maxLength: 40 });
    fc.assert(
      fc.property(arrivals, fc.nat(20), (list, servedBefore) => {
        let gate = enter(EMPTY_GATE, ...list.map(({ user, tier, wanted }, i) => ticket(i, `${tier}-${user}`, tier, wanted)));
        for (let i = 0; i < servedBefore; i++) gate = nextFromGate(gate, o, mono(1))?.gate ?? gate;
        const told = orderGate(gate, o, mono(1)).map((t) => t.id);
        expect(told).toEqual(serveAll(gate).map((s) => s.id));
      }),
      { numRuns: 500 },
    );
  });

  it('I16: starves nobody: with everybody waiting, each tier is served once in every 15 seats and each user in its turn', () => {
    const arrivals = fc.array(fc.record({ user: fc.nat(6), tier: fc.constantFrom('enterprise', 'mid', 'early', 'free', 'unheard-of') }), {
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(arrivals, (list) => {
        const tickets = list.map(({ user, tier }, i) => ticket(i, `${tier}-${user}`, tier));
        const served = serveAll(enter(EMPTY_GATE, ...tickets));
        expect(new Set(served.map((s) => s.id)).size).toBe(list.length);
        for (const tier of new Set(list.map((l) => l.tier))) {
          const places = served.flatMap((s, i) => (s.tier === tier ? [i] : []));
          for (const [i, place] of places.entries()) expect(place - (places[i - 1] ?? -1)).toBeLessThanOrEqual(16);
          const users = served.filter((s) => s.tier === tier).map((s) => s.user);
          const distinct = new Set(users).size;
          expect(new Set(users.slice(0, distinct)).size).toBe(distinct);
        }
      }),
    );
  });
});
