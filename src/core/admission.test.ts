import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEAD_FREED, facts, LADDER_CLIMBED } from '../../test/support/admission.ts';
import { manager, OPTIONS as o } from '../../test/support/evidence.ts';
import { decideAdmission } from './admission.ts';
import type { AdmissionFacts, StepResult } from './admission-facts.ts';
import { mono } from './clocks.ts';
import { EMPTY_QUEUE, enqueue } from './queue.ts';
import { resolveOptions } from './resolve-options.ts';

const decide = (change: Parameters<typeof facts>[0] = {}, ms = 0, options = o) => decideAdmission(facts(change), options, mono(ms));
const inQueue = (wanted: 'user' | 'auto', deadline = 10_000) => ({ at: 'queue' as const, class: wanted, deadline: mono(deadline) });
const atGate = (wanted: 'user' | 'auto', deadline = 10_000) => ({ at: 'gate' as const, class: wanted, deadline: mono(deadline) });
const fullNode = { seats: o.limits.perNode };

describe('the ladder of one admission', () => {
  it('A1: a manager that still has its seat comes back, whatever else holds', () => {
    expect(decide({ request: { resumes: true, intent: 'auto' }, node: fullNode, store: 'cut-off' })).toEqual({ do: 'reattach' });
  });

  it('A3: room beyond those ahead is a seat', () => {
    expect(decide({ seats: 19 })).toEqual({ do: 'seat', how: 'direct' });
    expect(decide({ seats: 18, ahead: 1 })).toEqual({ do: 'seat', how: 'direct' });
    expect(decide({ seats: 18, ahead: 2 }).do).toBe('clean');
    expect(decide({ seats: 18, promised: 2 }).do).toBe('clean');
    expect(decide({ seats: 22, cap: 25, burst: { in: 'active', until: mono(9) } })).toEqual({ do: 'seat', how: 'burst' });
    expect(decide({ seats: 19, done: { conservative: 'enough' } })).toEqual({ do: 'seat', how: 'after-cleanup' });
    expect(decide({ ahead: 3, paid: 1, done: LADDER_CLIMBED })).toMatchObject({ do: 'seat' });
  });

  it('A4: the dead go before anything else is said', () => {
    expect(decide()).toEqual({ do: 'clean', of: 'user', level: 'conservative', liveMax: 0, need: 1 });
    expect(decide({ done: { conservative: 'short' } }, 9_999)).toEqual({ do: 'clean', of: 'user', level: 'moderate', liveMax: 0, need: 1 });
    expect(decide({ request: { intent: 'auto' } })).toMatchObject({ do: 'clean', level: 'conservative' });
  });

  it('A6: one round of probes, if there is time, health, budget and somebody to ask', () => {
    const doubtful = { ambiguous: [manager(1), manager(2)], done: DEAD_FREED };
    expect(decide(doubtful)).toEqual({ do: 'probe', managers: [manager(1), manager(2)], deadlineMs: 200 });
    expect(decide(doubtful, 199).do).toBe('probe');
    for (const other of [
      decide(doubtful, 200),
      decide({ ...doubtful, node: { score: 4 } }),
      decide({ ...doubtful, node: { stalled: true } }),
      decide({ ...doubtful, node: { probeBudget: false } }),
    ]) {
      expect(other).toMatchObject({ do: 'clean', level: 'moderate', liveMax: 1 });
    }
  });

  it('A7: then the living, by need and by level, until 400 ms', () => {
    expect(decide({ done: { ...DEAD_FREED, moderate: 'short' }, joined: 9 }, 399)).toEqual({
      do: 'clean',
      of: 'user',
      level: 'aggressive',
      liveMax: 5,
      need: 9,
    });
    expect(decide({ done: DEAD_FREED, joined: 9 }, 399)).toMatchObject({ level: 'moderate', liveMax: 2 });
    expect(decide({ done: DEAD_FREED }, 400)).toEqual({ do: 'start-burst' });
  });

  it('A8: force-first meets neither burst nor queue', () => {
    expect(decide({ done: LADDER_CLIMBED }, 300, resolveOptions({ limits: { overflowPolicy: 'force-first' } }))).toEqual({ do: 'force' });
  });

  it('A9: a burst, unless it is cooling down, the heap is full or the store is cut off', () => {
    const climbed = { done: LADDER_CLIMBED };
    expect(decide(climbed).do).toBe('start-burst');
    expect(decide({ ...climbed, burst: { in: 'cooldown', until: mono(400) } }, 399).do).toBe('enqueue');
    expect(decide({ ...climbed, burst: { in: 'cooldown', until: mono(400) } }, 400).do).toBe('start-burst');
    for (const change of [{ node: { heapShare: 0.9 } }, { store: 'cut-off' as const }, { burst: { in: 'debt' as const, since: mono(0), cap: 20 } }]) {
      expect(decide({ ...climbed, ...change }).do).toBe('enqueue');
    }
  });

  it('A10: the queue, where a person takes the place of an automatic reconnect', () => {
    const spent = { done: { ...LADDER_CLIMBED, burst: 'short' as const } };
    expect(decide(spent)).toEqual({ do: 'enqueue', at: 'queue', class: 'user', pushOut: null });
    let queue = EMPTY_QUEUE;
    for (let i = 0; i < 10; i++) queue = enqueue(queue, { id: manager(i), class: 'auto', waitMs: null, promise: null, fresh: '' }, o, mono(0)).queue;
    expect(decide({ ...spent, queue })).toEqual({ do: 'enqueue', at: 'queue', class: 'user', pushOut: manager(9) });
  });

  it('A11: a full queue names a time at which a place is kept', () => {
    const refusal = { promiseAt: mono(7_000), promise: 'kept' };
    expect(decide({ done: { ...LADDER_CLIMBED, burst: 'short' }, refusal }, 1_000)).toEqual({
      do: 'retry-later',
      reason: 'queue-full',
      afterMs: 6_000,
      promise: 'kept',
    });
  });

  it('A12: a person’s waiting ends with Force', () => {
    const waiting = { ticket: inQueue('user'), done: DEAD_FREED };
    expect(decide(waiting, 9_999)).toEqual({ do: 'wait' });
    expect(decide(waiting, 10_000)).toEqual({ do: 'force' });
    expect(decide({ ...waiting, seats: 19 }, 5_000)).toEqual({ do: 'seat', how: 'after-queue' });
    expect(decide({ ...waiting, done: { ...DEAD_FREED, force: 'short' } }, 12_999)).toEqual({ do: 'wait' });
    expect(decide({ ...waiting, done: { ...DEAD_FREED, force: 'short' } }, 13_000)).toMatchObject({ do: 'retry-later', reason: 'no-seat-yet' });
  });

  it('A12: an automatic reconnect comes back later and later, up to a minute', () => {
    const retryAfter = (refusals: number, jitter: number) => {
      const step = decide({ ticket: inQueue('auto'), done: DEAD_FREED, request: { intent: 'auto', refusals }, jitter }, 10_000);
      return step.do === 'retry-later' ? step.afterMs : step.do;
    };
    expect([retryAfter(0, 0), retryAfter(0, 1), retryAfter(1, 0.5), retryAfter(3, 0.5), retryAfter(99, 0)]).toEqual([5_000, 10_000, 15_000, 60_000, 60_000]);
  });
});

describe('automatic reconnects', () => {
  it('never cost a living manager its seat, start a burst or end with Force', () => {
    fc.assert(
      fc.property(anyFacts, fc.nat(20_000), (f, now) => {
        const step = decideAdmission(
          { ...f, request: { ...f.request, intent: 'auto' }, ticket: f.ticket === null ? null : { ...f.ticket, class: 'auto' } },
          o,
          mono(now),
        );
        expect(['start-burst', 'force', 'probe']).not.toContain(step.do);
        if (step.do === 'clean') expect(step.liveMax).toBe(0);
      }),
    );
  });

  it('is what a user counts as who has claimed a person 60 times a minute', () => {
    expect(decide({ done: DEAD_FREED, forcesLastMinute: 60 })).toEqual({ do: 'enqueue', at: 'queue', class: 'auto', pushOut: null });
    expect(decide({ done: DEAD_FREED, forcesLastMinute: 59 })).toMatchObject({ do: 'clean', level: 'moderate' });
  });
});

describe('a pass that serves many', () => {
  it('frees dead ones for all, living ones for persons only', () => {
    const many = { joined: 6, persons: 2 };
    expect(decide(many)).toMatchObject({ level: 'conservative', liveMax: 0, need: 6 });
    expect(decide({ ...many, done: DEAD_FREED })).toMatchObject({ level: 'moderate', liveMax: 2, need: 2 });
    expect(decide({ ...many, persons: 1, done: DEAD_FREED })).toMatchObject({ level: 'moderate', liveMax: 1, need: 1 });
  });
});

describe('A2: a full node', () => {
  const swept = { node: 'short' } as const;

  it('frees the dead of anybody, then asks people to wait their turn', () => {
    expect(decide({ seats: 1, node: fullNode })).toEqual({ do: 'clean', of: 'node', level: 'moderate', liveMax: 0, need: 1 });
    expect(decide({ seats: 1, node: fullNode, done: swept })).toEqual({ do: 'enqueue', at: 'gate', class: 'user', pushOut: null });
    expect(decide({ seats: 1, node: { seats: 19_000, gate: 1 }, done: swept })).toMatchObject({ do: 'enqueue', at: 'gate' });
    expect(decide({ seats: 1, node: { ...fullNode, turn: true } })).toEqual({ do: 'seat', how: 'direct' });
    expect(decide({ seats: 1, node: fullNode, done: swept, forcesLastMinute: 60 })).toMatchObject({ do: 'enqueue', at: 'gate', class: 'auto' });
  });

  it('has a reserve for protected tiers, once nobody is dead, also while others wait', () => {
    const enterprise = { seats: 1, request: { tier: 'enterprise' } };
    expect(decide({ ...enterprise, node: { seats: 20_999, gate: 50 } })).toMatchObject({ do: 'clean', of: 'node' });
    expect(decide({ ...enterprise, node: { seats: 20_999, gate: 50 }, done: swept })).toEqual({ do: 'seat', how: 'direct' });
    expect(decide({ ...enterprise, node: { seats: 21_000 }, done: swept })).toMatchObject({ do: 'enqueue', at: 'gate' });
    expect(decide({ seats: 1, request: { tier: 'constructor' }, node: fullNode, done: swept })).toMatchObject({ do: 'enqueue', at: 'gate' });
  });

  it('seats whoever holds a seat here one for one at the deadline, and tells the others a time', () => {
    const node = { ...fullNode, gate: 3 };
    const atDeadline = (change: Parameters<typeof facts>[0], ms: number) =>
      decide({ node, ticket: atGate('user'), ...change, done: { ...swept, ...change?.done } }, ms);
    expect(atDeadline({ seats: 1 }, 9_999)).toEqual({ do: 'wait' });
    expect(atDeadline({ seats: 1 }, 10_000)).toEqual({ do: 'force' });
    expect(atDeadline({ seats: 1, done: { force: 'short' } }, 12_999)).toEqual({ do: 'wait' });
    expect(atDeadline({ seats: 1, done: { force: 'short' } }, 13_000)).toMatchObject({ reason: 'node-overloaded' });
    expect(atDeadline({ seats: 1, done: { force: 'promised' } }, 60_000)).toEqual({ do: 'wait' });
    const away = { do: 'retry-later', reason: 'node-overloaded', promise: null };
    expect(atDeadline({ seats: 0 }, 10_000)).toEqual({ ...away, afterMs: 3_750 });
    expect(atDeadline({ seats: 0, jitter: 0 }, 10_000)).toEqual({ ...away, afterMs: 3_000 });
    expect(decide({ seats: 0, node: { ...fullNode, gate: 1_000 }, done: swept })).toMatchObject({ reason: 'node-overloaded' });
    // Giving up a seat on another node would make no room on this one.
    const elsewhere = { ...node, own: 0 };
    expect(decide({ node: elsewhere, ticket: atGate('user'), seats: 20, done: swept }, 10_000)).toMatchObject({ reason: 'node-overloaded' });
  });

  it('does not let a user’s own queue end otherwise than with Force, or with a seat of its own dead', () => {
    const waiting = { node: fullNode, ticket: inQueue('user') };
    expect(decide({ ...waiting, seats: 19 }, 5_000)).toMatchObject({ do: 'clean', of: 'user', level: 'conservative', liveMax: 0 });
    expect(decide({ ...waiting, seats: 19, done: DEAD_FREED }, 5_000)).toEqual({ do: 'wait' });
    expect(decide({ ...waiting, seats: 19, node: { ...fullNode, turn: true } }, 5_000)).toEqual({ do: 'seat', how: 'after-queue' });
    expect(decide({ ...waiting, seats: 20, done: DEAD_FREED }, 10_000)).toEqual({ do: 'force' });
  });

  it('takes whoever waits for seats of its own and has none left to the gate', () => {
    const stranded = { seats: 0, node: fullNode, ticket: inQueue('user'), done: swept };
    expect(decide(stranded, 5_000)).toMatchObject({ do: 'enqueue', at: 'gate' });
    expect(decide({ ...stranded, node: { ...fullNode, gate: 1_000 } }, 10_000)).toMatchObject({ do: 'retry-later', reason: 'node-overloaded' });
  });
});

const results = fc.constantFrom<StepResult>('no', 'no', 'enough', 'short', 'skipped');
const anyFacts: fc.Arbitrary<AdmissionFacts> = fc
  .record({
    seats: fc.nat(26),
    cap: fc.constantFrom(20, 25),
    promised: fc.nat(3),
    paid: fc.constantFrom(0, 0, 1),
    ahead: fc.nat(4),
    joined: fc.integer({ min: 5, max: 9 }),
    persons: fc.integer({ min: 1, max: 5 }),
    burst: fc.constantFrom({ in: 'none' } as const, { in: 'active', until: mono(5_000) } as const, { in: 'cooldown', until: mono(5_000) } as const),
    store: fc.constantFrom('ok' as const, 'cut-off' as const),
    ambiguous: fc.array(fc.nat(9).map(manager), { maxLength: 3 }),
    forcesLastMinute: fc.constantFrom(0, 59),
    ticket: fc.option(fc.oneof(fc.constantFrom(inQueue('user'), inQueue('auto')), fc.constantFrom(atGate('user'), atGate('auto')))),
    refusal: fc.option(fc.constant({ promiseAt: mono(4_000), promise: 'kept' }), { freq: 3 }),
    node: fc.record({
      seats: fc.constantFrom(0, 0, 0, 20_000, 21_000),
      gate: fc.constantFrom(0, 0, 5, 1_000),
      turn: fc.boolean(),
      own: fc.nat(26),
      score: fc.nat(8),
    }),
    request: fc.record({
      intent: fc.constantFrom('user' as const, 'auto' as const),
      tier: fc.constantFrom('enterprise', 'free', 'mid'),
      resumes: fc.constantFrom(false, false, true),
    }),
    done: fc.record({
      node: results,
      conservative: results,
      'moderate-dead': results,
      probe: results,
      moderate: results,
      aggressive: results,
      burst: results,
      force: fc.constantFrom<StepResult>('no', 'no', 'enough', 'short', 'skipped', 'promised'),
    }),
  })
  .map(facts);

it('sends a person away only where the queue is full, the node is, or every seat is pinned at the deadline', () => {
  fc.assert(
    fc.property(anyFacts, fc.nat(20_000), (f, ms) => {
      const step = decideAdmission(f, o, mono(ms));
      if (step.do !== 'retry-later') return;
      expect(f.request.resumes).toBe(false);
      expect(step.afterMs).toBeGreaterThanOrEqual(0);
      if (f.request.intent !== 'user' || f.ticket?.class === 'auto') return;
      if (step.reason === 'queue-full') expect([f.refusal === null, step.promise]).toEqual([false, 'kept']);
      else if (step.reason === 'node-overloaded') expect(f.node.gate >= 1_000 || f.ticket?.at === 'gate').toBe(true);
      else expect([f.done.force === 'no' || f.done.force === 'promised', ms >= 13_000]).toEqual([false, true]);
    }),
    { numRuns: 2_000 },
  );
});

it('gives a seat only where there is room, or where it was paid for', () => {
  fc.assert(
    fc.property(anyFacts, fc.nat(20_000), (f, ms) => {
      const step = decideAdmission(f, o, mono(ms));
      if (step.do === 'seat' && f.paid === 0) expect(f.cap - f.seats - f.promised).toBeGreaterThan(f.ahead);
      if (step.do === 'clean') {
        expect(step.need).toBeGreaterThanOrEqual(1);
        expect(step.liveMax).toBeLessThanOrEqual(f.persons);
      }
    }),
    { numRuns: 1_000 },
  );
});
