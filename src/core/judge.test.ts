import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evidence, fresh, NOW, OPTIONS } from '../../test/support/evidence.ts';
import { nextProbe } from './ask.ts';
import { type Attentive, attentive } from './clocks.ts';
import { applicationAt, type Evidence } from './evidence.ts';
import { onGap, onOutput, onPingFlushed, onPong, onProbe, onProbeFailed, onProbeFlushed, onProbeOk, onSent } from './gather.ts';
import { judge, judgeAgainAt, silentFrom, type Verdict } from './judge.ts';
import { patienceMs } from './patience.ts';
import { appDeadMs, idleMs, pressure } from './pressure.ts';
import { type SelfHealth, WELL } from './self-health.ts';

const at = (ms: number) => attentive(NOW + ms);
const STALL = OPTIONS.health.stallGapMs;
const asked = (e: Evidence, ms: number) => onProbeFlushed(onProbe(e, 0, at(ms), STALL), at(ms));
const owing = (e: Evidence, ms: number) => onSent(e, { events: 3, bytes: 30, critical: false }, at(ms));
const say = (e: Evidence, ms: number, change: { previous?: Verdict; self?: Partial<SelfHealth>; p?: number } = {}) => {
  const v = judge(e, change.previous ?? null, { ...WELL, ...change.self }, change.p ?? 0.5, OPTIONS, at(ms));
  return `${v.is} (${v.reason})`;
};
/** 40 ms away, measured. */
const near = (change: Partial<Evidence> = {}) => fresh({ srttMs: 40, rttvarMs: 5, ...change });

describe('verdicts, row by row', () => {
  it('V1: over is over, and an unverifiable client that hung up cannot come back', () => {
    expect(say(fresh({ link: { is: 'ended', reason: 'parked' } }), 0)).toBe('inactive (parked)');
    expect(say(fresh({ class: 'unverifiable', link: { is: 'lost', since: NOW, reason: 'transport-lost' } }), 0)).toBe('inactive (client-closed)');
  });

  it('V2: a lost transport is dead at once, and says for how long', () => {
    const v = judge(fresh({ link: { is: 'lost', since: NOW, reason: 'half-open' } }), null, WELL, 1, OPTIONS, at(700));
    expect(v).toMatchObject({ is: 'inactive', reason: 'half-open', lostForMs: 700, proof: true });
  });

  it('V3 and V5: a dead node is proof, a silent one is not', () => {
    expect(say(fresh({ owner: 'dead' }), 0)).toBe('inactive (node-dead)');
    expect(say(fresh({ owner: 'silent' }), 0)).toBe('unknown (node-silent)');
  });

  it('V4: a zombie stays one until the application speaks again', () => {
    const silent = asked(near(), 15_000);
    const zombie = judge(silent, null, WELL, 1, OPTIONS, at(22_000));
    expect(say(silent, 30_000, { previous: zombie, p: 0 })).toBe('zombie (probe-timeout)');
    expect(say(onPong(silent, 5, at(29_000)), 30_000, { previous: zombie })).toBe('zombie (probe-timeout)');
    expect(say(onProbeOk(silent, { counts: true, rttMs: 9 }, at(29_000)), 30_000, { previous: zombie })).toBe('idle (quiet)');
  });

  it('V6: healthy with a run, something owed or recent use; else idle', () => {
    expect(say(near({ run: true }), 500)).toBe('healthy (run)');
    expect(say(owing(near(), 0), 500)).toBe('healthy (owed)');
    expect(say(near(), 9_999)).toBe('healthy (active)');
    expect(say(near(), 10_000)).toBe('idle (quiet)');
    expect(say(near(), 74_999)).toBe('idle (quiet)');
  });

  it('V7: findings are void while we are sick, stalled or could not ask, or many fell silent', () => {
    const missed = asked(near(), 11_000);
    expect(say(missed, 12_000)).toBe('suspect (probe-missed)');
    expect(say(missed, 12_000, { self: { score: 4 } })).toBe('unknown (self-slow)');
    expect(say(missed, 12_000, { self: { correlated: true } })).toBe('unknown (correlated)');
    expect(say(onGap(missed, 101), 12_000)).toBe('unknown (self-slow)');
    expect(say(onProbeFailed(onProbe(near(), 0, at(76_000), STALL)), 80_000)).toBe('unknown (probe-failed)');
    const second = asked(onGap(missed, 101), 13_000);
    expect(say(onGap(second, 3_000), 14_000, { self: { correlated: true } })).toBe('suspect (probe-missed)');
  });

  it('V8: dead after 75 s and an unanswered probe, at the limit after 20 s', () => {
    const silent = asked(near(), 15_000);
    expect(say(silent, 74_999)).toBe('suspect (probe-missed)');
    expect(say(silent, 75_000)).toBe('zombie (probe-timeout)');
    expect(say(silent, 20_000, { p: 1 })).toBe('zombie (probe-timeout)');
    expect(say(asked(owing(near(), 0), 1_000), 20_000, { p: 1 })).toBe('zombie (ack-timeout)');
    expect(say(near(), 75_000)).toBe('unknown (not-asked)');
  });

  it('V9: a suspect owes acks, an answer, or does not read; it says how long overdue', () => {
    expect(say(owing(near(), 0), 3_000)).toBe('suspect (ack-stalled)');
    expect(say(owing(fresh(), 0), 7_999)).toBe('healthy (owed)');
    expect(say(onOutput(near(), true, at(0)), 5_000)).toBe('suspect (write-stalled)');
    expect(judge(asked(near(), 10_500), null, WELL, 0, OPTIONS, at(12_500))).toMatchObject({ is: 'suspect', overdue: 10 });
  });

  it('accuses nobody by a question that was asked before the last sign of life', () => {
    const heard = { ...asked(near(), 500), ackAt: at(1_000) };
    expect(say(heard, 20_900)).toBe('idle (quiet)');
    expect(say(heard, 90_000)).toBe('unknown (not-asked)');
  });

  it('V10: of a bare wire nothing better than unknown is said, with a stuck output worse', () => {
    expect(say(fresh({ class: 'unverifiable', run: true }), 0)).toBe('unknown (unverifiable)');
    expect(say(onOutput(fresh({ class: 'unverifiable' }), true, at(0)), 5_000)).toBe('suspect (write-stalled)');
  });
});

describe('patience', () => {
  it('is 1 s before the first sample, then the round trip, at least 200 ms, and longer when we are slow or much lies before the probe', () => {
    expect(patienceMs(fresh(), 0, OPTIONS)).toBe(1_000);
    expect(patienceMs(near(), 0, OPTIONS)).toBe(200);
    expect(patienceMs(near(), 3, OPTIONS)).toBe(800);
    const reader = onProbe(near({ ackBytesPerS: 10_000 }), 5_000, NOW, STALL);
    expect(patienceMs(reader, 0, OPTIONS)).toBe(700);
  });
});

it('waits for an answer as long as the verdict does: five seconds at most, two where it would prove a death', () => {
  const slow = near({ srttMs: 9_000 });
  const from = (e: Evidence, ms: number, p: number) => silentFrom(e, 0, p, OPTIONS, at(ms));
  expect(from(asked(near(), 15_000), 15_000, 0)).toBe(at(15_200));
  expect(from(asked(slow, 15_000), 15_000, 0)).toBe(at(20_000));
  expect(from(asked(slow, 20_000), 20_000, 1)).toBe(at(22_000));
  expect(from(near(), 15_000, 0)).toBe(null);
  expect(from(onProbe(near(), 0, at(15_000), STALL), 15_000, 0)).toBe(null);
  expect(from({ ...asked(near(), 500), ackAt: at(1_000) }, 15_000, 0)).toBe(null);
});

describe('pressure', () => {
  it('is that of the user or of the node, whichever is more', () => {
    expect(pressure({ seats: 15, soft: 20 }, { seats: 5_000, perNode: 20_000 })).toBe(0.75);
    expect(pressure({ seats: 1, soft: 20 }, { seats: 19_000, perNode: 20_000 })).toBe(0.95);
  });

  it('shortens patience with the silent and with the quiet, linearly', () => {
    expect([0, 0.7, 0.85, 1, 1.25].map((p) => appDeadMs(p, OPTIONS))).toEqual([75_000, 75_000, 47_500, 20_000, 20_000]);
    expect([0, 0.8, 0.9, 1, 1.25].map((p) => idleMs(p, OPTIONS))).toEqual([300_000, 300_000, 180_000, 60_000, 60_000]);
  });
});

const selves = fc.record({ score: fc.nat(8), correlated: fc.boolean() });
const pressures = fc.double({ min: 0, max: 1.3, noNaN: true });

it('I8: whoever was heard within 10 s is not called dead while its transport is open', () => {
  fc.assert(
    fc.property(evidence(), selves, pressures, (e, self, p) => {
      if (e.link.is !== 'open' || e.owner === 'dead' || NOW - applicationAt(e) > OPTIONS.health.freshMs) return;
      expect(judge(e, null, self, p, OPTIONS, NOW).proof).toBe(false);
    }),
  );
});

it('never says dead without an unanswered question, and never of a bare wire', () => {
  fc.assert(
    fc.property(evidence(), selves, pressures, (e, self, p) => {
      const v = judge(e, null, self, p, OPTIONS, NOW);
      if (v.is !== 'zombie') return;
      expect(e.class).toBe('acking');
      expect(e.probe?.flushedAt).toBeGreaterThanOrEqual(applicationAt(e));
      expect(self.score).toBeLessThan(OPTIONS.health.sickScore);
    }),
  );
});

it('is judged again when recent use ends, acks are overdue, patience is over, or silence is too long', () => {
  const again = (e: Evidence, ms: number, p = 0) => judgeAgainAt(e, WELL, p, OPTIONS, at(ms)) - NOW;
  expect(again(near(), 5_000)).toBe(10_000);
  expect(again(owing(near(), 0), 1_000)).toBe(3_000);
  expect(again(asked(near(), 20_000), 20_100)).toBe(20_200);
  expect(again({ ...asked(near(), 1_000), activityAt: at(4_000) }, 5_000)).toBe(10_000);
  expect(again(near(), 70_000)).toBe(75_000);
  expect(again(near(), 15_000, 1)).toBe(20_000);
});

it('says the same until `judgeAgainAt` unless something is observed', () => {
  fc.assert(
    fc.property(evidence(), fc.nat(3), pressures, fc.double({ min: 0, max: 0.999, noNaN: true }), (e, score, p, share) => {
      const self = { score, correlated: false };
      const now = judge(e, null, self, p, OPTIONS, NOW);
      const next = judgeAgainAt(e, self, p, OPTIONS, NOW);
      expect(next).toBeGreaterThan(NOW);
      const then = judge(e, now, self, p, OPTIONS, attentive(NOW + share * (next - NOW)));
      expect([then.is, then.reason]).toEqual([now.is, now.reason]);
      if (now.is === then.is) expect(then.since).toBe(now.since);
    }),
  );
});

/** A client whose application takes `delayMs(n)` for its n-th answer, or never answers (null), and whose proxy answers all pings. */
function simulate(delayMs: (n: number) => number | null, mode: 'calm' | 'watch', p: number, forMs: number, onVerdict: (v: Verdict, atMs: number) => void) {
  let e = near();
  let previous: Verdict | null = null;
  let answerAt: number | null = null;
  let probes = 0;
  for (let ms = 0; ms <= forMs; ms += 50) {
    const now = at(ms) as Attentive;
    if (ms % 5_000 === 0) e = onPong(onPingFlushed(e, now), 20, now);
    if (answerAt !== null && ms >= answerAt) {
      e = onProbeOk(e, { counts: true, rttMs: 40 }, now);
      answerAt = null;
    }
    if (nextProbe(e, mode, OPTIONS, now).do === 'probe') {
      e = onProbeFlushed(onProbe(e, 0, now, STALL), now);
      const delay = delayMs(probes);
      probes += 1;
      if (delay !== null) answerAt ??= ms + delay;
    }
    previous = judge(e, previous, WELL, p, OPTIONS, now);
    onVerdict(previous, ms);
  }
}

it('I8: an application that answers within its patience is never suspected, at any pressure', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 149 }), { minLength: 1 }),
      fc.constantFrom('calm' as const, 'watch' as const),
      pressures,
      (delays, mode, p) => {
        simulate(
          (n) => delays[n % delays.length] as number,
          mode,
          p,
          120_000,
          (v) => expect(['healthy', 'idle']).toContain(v.is),
        );
      },
    ),
    { numRuns: 30 },
  );
});

it('I10: a frozen application is found within 77 s, at the limit within 22 s, though every ping is answered', () => {
  fc.assert(
    fc.property(fc.constantFrom('calm' as const, 'watch' as const), fc.constantFrom(0, 0.7, 0.85, 1), (mode, p) => {
      let foundMs = Number.POSITIVE_INFINITY;
      simulate(
        () => null,
        mode,
        p,
        80_000,
        (v, ms) => {
          if (v.is === 'zombie') foundMs = Math.min(foundMs, ms);
        },
      );
      expect(foundMs).toBeLessThanOrEqual(appDeadMs(p, OPTIONS) + 2_000);
      expect(foundMs).toBeGreaterThanOrEqual(appDeadMs(p, OPTIONS));
    }),
    { numRuns: 20 },
  );
});
