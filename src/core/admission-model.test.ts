/** The Force theorem: if at most soft − 2 managers are pinned, a person's admission ends seated. The steps are carried out on a
 *  model of one user: managers of any evidence, a burst, a queue, a store that may be cut off, others who come and go meanwhile. */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { facts } from '../../test/support/admission.ts';
import { candidates, manager, NOW, OPTIONS, USER } from '../../test/support/evidence.ts';
import { decideAdmission } from './admission.ts';
import type { AdmissionStep, Done, DoneStep } from './admission-facts.ts';
import { NOTHING_DONE } from './admission-facts.ts';
import { type Burst, stepBurst } from './burst.ts';
import { checkReserve, planCleanup } from './cleanup.ts';
import { mono } from './clocks.ts';
import type { CleanupLevel } from './levels.ts';
import type { Options } from './options.ts';
import { ahead, EMPTY_QUEUE, enqueue, type Queue } from './queue.ts';
import { resolveOptions } from './resolve-options.ts';
import type { Candidate } from './victims.ts';

const ME = manager(900);

interface World {
  seated: Candidate[];
  burst: Burst;
  queue: Queue;
  now: number;
  paid: number;
  livingTaken: number;
  /** Freed seats kept for other admissions, until when. */
  promisedUntil: number[];
}

const count = (w: World) => w.seated.length;
const promised = (w: World) => w.promisedUntil.filter((until) => until > w.now).length;

function take(w: World, level: CleanupLevel, need: number, liveMax: number, o: Options): 'enough' | 'short' {
  const plan = planCleanup({ level, need, liveMax, p: 1, trigger: 'admission', userId: USER, requester: ME, candidates: w.seated }, o);
  for (const victim of plan.victims) {
    const current = w.seated.find((c) => c.managerId === victim.managerId) ?? null;
    expect(checkReserve(victim, current, level)).toEqual({ ok: true });
    w.seated = w.seated.filter((c) => c !== current);
    if (victim.verdict.proof && level !== 'force') continue;
    w.livingTaken += 1;
    w.paid += 1;
  }
  return plan.result;
}

/** One admission, carried out to its end. Returns how it ended and when it was decided. */
function admit(w: World, o: Options, intent: 'user' | 'auto', store: 'ok' | 'cut-off', stepMs: number, meanwhile: (w: World) => void) {
  const startedAt = w.now;
  let done: Done = NOTHING_DONE;
  let ticket: { at: 'queue'; class: 'user' | 'auto'; deadline: ReturnType<typeof mono> } | null = null;
  let refusal: { promiseAt: ReturnType<typeof mono>; promise: string } | null = null;
  let heldPromise: string | null = null;
  const path: AdmissionStep['do'][] = [];
  const mark = (step: DoneStep, result: 'enough' | 'short') => {
    done = { ...done, [step]: result };
  };
  for (let round = 0; round < 200; round++) {
    w.now += stepMs;
    const { burst, cap } = stepBurst(w.burst, { seats: count(w), want: false, mayStart: true }, o, mono(w.now));
    w.burst = burst;
    const step = decideAdmission(
      facts({
        request: { managerId: ME, intent },
        seats: count(w),
        cap: store === 'ok' ? cap : Math.min(cap, o.limits.perUser),
        promised: promised(w),
        paid: w.paid,
        ahead: ahead(w.queue, ME, intent, mono(w.now)),
        burst,
        queue: w.queue,
        store,
        done,
        startedAt: mono(startedAt),
        ambiguous: w.seated.filter((c) => c.verdict.is === 'unknown').map((c) => c.managerId),
        ticket,
        refusal,
      }),
      o,
      mono(w.now),
    );
    path.push(step.do);
    switch (step.do) {
      case 'seat':
        return { end: 'seated' as const, path, at: w.now, startedAt };
      case 'clean': {
        const isDeadPart = step.level === 'moderate' && step.liveMax === 0;
        mark(isDeadPart ? 'moderate-dead' : (step.level as DoneStep), take(w, step.level, step.need, step.liveMax, o));
        break;
      }
      case 'probe':
        w.now += step.deadlineMs;
        mark('probe', 'short');
        break;
      case 'start-burst': {
        const started = stepBurst(w.burst, { seats: count(w), want: true, mayStart: true }, o, mono(w.now));
        w.burst = started.burst;
        mark('burst', started.granted ? 'enough' : 'short');
        break;
      }
      case 'enqueue': {
        const answer = enqueue(w.queue, { id: ME, class: step.class, waitMs: null, promise: heldPromise, fresh: 'fresh' }, o, mono(w.now));
        w.queue = answer.queue;
        if (answer.is === 'queued') ticket = { at: 'queue', class: answer.ticket.class, deadline: answer.ticket.deadline };
        else refusal = answer;
        break;
      }
      case 'wait': {
        const before = JSON.stringify([count(w), promised(w)]);
        meanwhile(w);
        w.now += 500;
        w.queue = { ...w.queue, tickets: w.queue.tickets.filter((t) => t.id === ME || t.deadline > w.now) };
        if (JSON.stringify([count(w), promised(w)]) !== before) done = NOTHING_DONE;
        break;
      }
      case 'force':
        mark('force', take(w, 'force', 1, 1, o));
        break;
      case 'retry-later':
        if (step.promise === null || intent === 'auto') return { end: step.reason, path, at: w.now, startedAt };
        // The person comes back when told, and finds the place.
        w.now += step.afterMs;
        w.queue = { ...w.queue, tickets: w.queue.tickets.filter((t) => t.deadline > w.now) };
        heldPromise = step.promise;
        refusal = null;
        done = NOTHING_DONE;
        break;
      case 'reattach':
        throw new Error('Expected no re-attachment without a resume token');
    }
  }
  return { end: 'never' as const, path, at: w.now, startedAt };
}

const worlds = fc.record({
  list: candidates(25, 20),
  /** Nobody is dead: nothing can be freed for nothing. */
  isAlive: fc.boolean(),
  /** Others of the user come and go meanwhile. */
  isBusy: fc.boolean(),
  /** Seats that are free at first. */
  free: fc.constantFrom(0, 0, 0, 1),
  burst: fc.constantFrom<Burst>(
    { in: 'none' },
    { in: 'active', until: mono(40_000) },
    { in: 'cooldown', until: mono(900_000) },
    { in: 'debt', since: mono(0), cap: 25 },
  ),
  waiting: fc.nat(12),
  waitingAuto: fc.nat(3),
  promisedUntil: fc.array(fc.nat(3_000), { maxLength: 2 }),
  policy: fc.constantFrom('burst-first' as const, 'force-first' as const),
  store: fc.constantFrom('ok' as const, 'ok' as const, 'cut-off' as const),
  stepMs: fc.constantFrom(0, 1, 30, 150),
  soft: fc.constantFrom(20, 20, 5, 3),
});

const ALIVE = { is: 'healthy', reason: 'run', proof: false, since: NOW, quietMs: 0, evidence: [] } as const;

type Setting = typeof worlds extends fc.Arbitrary<infer T> ? Omit<T, 'store' | 'stepMs'> : never;

function make(a: Setting) {
  const o = resolveOptions({ limits: { perUser: a.soft, burst: { perUser: Math.ceil(a.soft * 1.25) }, overflowPolicy: a.policy } });
  let queue: Queue = EMPTY_QUEUE;
  for (let i = 0; i < a.waiting + a.waitingAuto; i++) {
    queue = enqueue(
      queue,
      { id: manager(500 + i), class: i < a.waiting ? 'user' : 'auto', waitMs: null, promise: null, fresh: `other-${i}` },
      o,
      mono(0),
    ).queue;
  }
  // Pins leave `cleanup.maxPinnedSpare` seats; what is promised is no manager's seat.
  let pins = Math.max(0, a.soft - OPTIONS.cleanup.maxPinnedSpare);
  const seated = a.list
    .slice(0, a.soft - a.free)
    .map((c) => ({ ...c, promised: false, pinned: c.pinned && pins-- > 0, verdict: a.isAlive && c.verdict.proof ? ALIVE : c.verdict }));
  const world: World = { seated, burst: a.burst, queue, now: 0, paid: 0, livingTaken: 0, promisedUntil: a.promisedUntil };
  return { o, world };
}

it('Force theorem: a person’s admission ends seated, at the latest by Force', () => {
  fc.assert(
    fc.property(worlds, fc.infiniteStream(fc.nat(3)), (a, dice) => {
      const { o, world } = make(a);
      // Others of the user come and go while this one waits: a seat that becomes free goes to somebody else.
      const meanwhile = (w: World) => {
        if (!a.isBusy || dice.next().value !== 0) return;
        const gone = w.seated.shift();
        if (gone !== undefined) w.promisedUntil.push(w.now + 1_000);
      };
      const { end, path, at, startedAt } = admit(world, o, 'user', a.store, a.stepMs, meanwhile);
      expect(end, path.join(' ')).toBe('seated');
      // I17, I6: at most one living manager is gone for one act of a person.
      expect(world.livingTaken).toBeLessThanOrEqual(1);
      // I1: decided within 500 ms, or seated soon after the ticket's deadline.
      if (!path.includes('retry-later')) expect(at - startedAt).toBeLessThanOrEqual(500 + 10_000 + 3_000 + 1_000 + 20 * a.stepMs);
      if (!path.includes('enqueue') && !path.includes('retry-later')) expect(at - startedAt).toBeLessThanOrEqual(500 + 10 * a.stepMs);
    }),
    { numRuns: 1_000 },
  );
});

it('I17: an automatic reconnect never costs a living manager its seat, and always ends', () => {
  fc.assert(
    fc.property(worlds, (a) => {
      const { o, world } = make(a);
      const { end } = admit(world, o, 'auto', a.store, a.stepMs, () => {});
      expect(['seated', 'queue-full', 'no-seat-yet']).toContain(end);
      expect(world.livingTaken).toBe(0);
    }),
    { numRuns: 500 },
  );
});

it('the incident: 20 of 20 dead, or busy, or pinned as far as pins go; the 21st is seated', () => {
  const busy = {
    ...(fc.sample(
      candidates(1).filter((l) => l.length === 1),
      { numRuns: 1, seed: 7 },
    )[0]?.[0] as Candidate),
    run: true,
    promised: false,
  };
  const list = Array.from({ length: 20 }, (_, i): Candidate => ({ ...busy, managerId: manager(i), link: { is: 'open' }, verdict: ALIVE, pinned: i < 18 }));
  const base: Omit<Setting, 'list'> = {
    isAlive: true,
    free: 0,
    isBusy: false,
    burst: { in: 'cooldown', until: mono(900_000) } as const,
    waiting: 0,
    waitingAuto: 0,
    promisedUntil: [],
    policy: 'burst-first',
    soft: 20,
  };
  const { o, world } = make({ ...base, list });
  expect(admit(world, o, 'user', 'ok', 1, () => {})).toMatchObject({ end: 'seated', path: expect.arrayContaining(['enqueue', 'force']) });
  expect(world.seated.filter((c) => c.pinned)).toHaveLength(18);
});
