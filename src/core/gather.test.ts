import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evidence, fresh, NOW, OPTIONS } from '../../test/support/evidence.ts';
import { type Attentive, attentive } from './clocks.ts';
import { applicationAt, type Evidence, isVoid, owedSince, quietMs } from './evidence.ts';
import {
  onAck,
  onAttached,
  onExcused,
  onGap,
  onInbound,
  onLink,
  onOutput,
  onPing,
  onPingFlushed,
  onPong,
  onProbe,
  onProbeFailed,
  onProbeFlushed,
  onProbeOk,
  onProbeVoided,
  onRun,
  onSent,
} from './gather.ts';

const at = (ms: number): Attentive => attentive(NOW + ms);
const STALL = OPTIONS.health.stallGapMs;
const some = { events: 2, bytes: 100, critical: false };

/** Both numbers are the same for any evidence and any later instant. */
const holds = (equal: (e: Evidence, ms: number) => readonly [number, number]) =>
  fc.assert(
    fc.property(evidence(), fc.nat(1_000), (e, ms) => {
      const [is, expected] = equal(e, ms);
      expect(is).toBe(expected);
    }),
  );

describe('what is a sign of life', () => {
  const signs: Record<string, (e: Evidence, now: Attentive) => Evidence> = {
    'acknowledged offset': (e, now) => onAck(e, { bytes: 10 }, null, now),
    'answered probe': (e, now) => onProbeOk(e, { counts: true, rttMs: 5 }, now),
    'inbound message': (e, now) => onInbound(e, now),
    're-attachment, by its hello': (e, now) => onAttached(e, { class: 'acking', visibility: 'visible' }, now),
  };
  const none: Record<string, (e: Evidence, now: Attentive) => Evidence> = {
    'sending events': (e, now) => onSent(e, some, now),
    'a ping': (e, now) => onPingFlushed(onPing(e, now), now),
    'its pong': (e, now) => onPong(e, 5, now),
    'a probe': (e, now) => onProbeFlushed(onProbe(e, 0, now, STALL), now),
    'a probe-ok of something below the page': (e, now) => onProbeOk(e, { counts: false, rttMs: 5 }, now),
    'a run': (e, now) => onRun(e, true, now),
    'output that drains': (e, now) => onOutput(e, false, now),
    'a lost transport': (e, now) => onLink(e, { is: 'lost', since: now, reason: 'transport-lost' }),
  };
  for (const [name, observe] of Object.entries(signs)) {
    it(`${name}: the application lives`, () => {
      holds((e, ms) => [applicationAt(observe(e, at(ms))), at(ms)]);
    });
  }
  for (const [name, observe] of Object.entries(none)) {
    it(`${name}: says nothing of the application`, () => {
      holds((e, ms) => [applicationAt(observe(e, at(ms))), applicationAt(e)]);
    });
  }
});

describe('quiet time', () => {
  it('ends with a message, an acknowledged event or the end of a run, not with an answered probe', () => {
    expect(quietMs(onProbeOk(fresh(), { counts: true, rttMs: 1 }, at(900)), at(1_000))).toBe(1_000);
    expect(quietMs(onAck(fresh(), { bytes: 1 }, null, at(900)), at(1_000))).toBe(100);
    expect(quietMs(onInbound(fresh(), at(900)), at(1_000))).toBe(100);
    const running = onRun(fresh(), true, at(100));
    expect(quietMs(running, at(1_000))).toBe(0);
    expect(quietMs(onRun(running, false, at(900)), at(1_000))).toBe(100);
  });
});

describe('what is owed', () => {
  it('counts from the first unacknowledged event, and again from each progress', () => {
    let e = onSent(fresh(), some, at(100));
    e = onSent(e, { events: 1, bytes: 5, critical: true }, at(200));
    expect(e.owed).toEqual({ since: at(100), events: 3, bytes: 105, critical: true });
    expect(owedSince(e)).toBe(at(100));
    e = onAck(e, { bytes: 100 }, { events: 1, bytes: 5, critical: true }, at(300));
    expect(owedSince(e)).toBe(at(300));
    expect(onAck(e, { bytes: 5 }, null, at(400)).owed).toBeNull();
    expect(onSent(fresh(), null, at(10)).owed).toBeNull();
  });

  it('is excused where it can never be acknowledged: when the rest became owed stays as it was', () => {
    const e = onSent(fresh(), { events: 3, bytes: 105, critical: true }, at(100));
    expect(onExcused(e, { events: 1, bytes: 5, critical: false }).owed).toEqual({ since: at(100), events: 1, bytes: 5, critical: false });
    expect(onExcused(e, null).owed).toBeNull();
    expect(onExcused(fresh(), null).owed).toBeNull();
  });

  it('tells how fast the client reads, and forgets it within seconds', () => {
    const read = (from: Evidence, bytesPer100Ms: number, times: number, start: number) => {
      let e = from;
      for (let i = 0; i < times; i++) {
        e = onSent(e, { events: 1, bytes: bytesPer100Ms, critical: false }, at(start + i * 100));
        e = onAck(e, { bytes: bytesPer100Ms }, null, at(start + i * 100 + 100));
      }
      return e;
    };
    const quick = read(fresh(), 20_000, 50, 0);
    expect(quick.ackBytesPerS).toBeGreaterThan(190_000);
    expect(quick.ackBytesPerS).toBeLessThanOrEqual(200_000);
    expect(read(quick, 1_000, 50, 60_000).ackBytesPerS).toBeLessThan(13_000);
    // Time in which nothing was owed does not make a reader slow.
    expect(read(quick, 20_000, 1, 600_000).ackBytesPerS).toBeGreaterThan(190_000);
  });
});

describe('probes', () => {
  const asked = (e: Evidence, ms: number) => onProbeFlushed(onProbe(e, 7, at(ms), STALL), at(ms + 1));

  it('a repeated question stays as old as the first', () => {
    const e = asked(asked(fresh(), 0), 2_000);
    expect(e.probe).toMatchObject({ askedAt: at(2_000), flushedAt: at(1), standing: 'first', bytesAhead: 7 });
  });

  it('is void once after a stall of ours; its second asking counts', () => {
    const stalled = onGap(asked(fresh(), 0), STALL + 1);
    expect(isVoid(stalled.probe as never, STALL)).toBe(true);
    const second = onGap(asked(stalled, 500), 5_000);
    expect(second.probe).toMatchObject({ flushedAt: at(501), standing: 'second' });
    expect(isVoid(second.probe as never, STALL)).toBe(false);
    expect(onProbeVoided(second)).toBe(second);
    expect(asked(second, 3_000).probe).toMatchObject({ flushedAt: at(501), standing: 'second' });
  });

  it('is void once after a correlated failure', () => {
    const voided = onProbeVoided(asked(fresh(), 0));
    expect(isVoid(voided.probe as never, STALL)).toBe(true);
    expect(asked(voided, 2_000).probe?.standing).toBe('second');
  });

  it('that could not be written is void and asked anew', () => {
    const failed = onProbeFailed(onProbe(fresh(), 0, at(0), STALL));
    expect(isVoid(failed.probe as never, STALL)).toBe(true);
    // Something else that leaves later does not mean that the question did.
    expect(onProbeFlushed(failed, at(100)).probe?.flushedAt).toBeNull();
    expect(asked(failed, 600).probe).toMatchObject({ failed: false, flushedAt: at(601), standing: 'first' });
  });

  it('that could not be repeated keeps the older question', () => {
    const e = onProbeFailed(onProbe(asked(fresh(), 0), 0, at(2_000), STALL));
    expect(e.probe).toMatchObject({ failed: false, flushedAt: at(1) });
  });
});

describe('round trips', () => {
  it('follow RFC 6298, from 1 s before the first sample', () => {
    const first = onPong(fresh(), 100, at(0));
    expect([fresh().srttMs, first.srttMs, first.rttvarMs]).toEqual([1_000, 100, 50]);
    const next = onProbeOk(first, { counts: true, rttMs: 180 }, at(0));
    expect([next.srttMs, next.rttvarMs]).toEqual([110, 57.5]);
  });
});

it('a new transport starts with nothing unanswered, owed or stuck', () => {
  fc.assert(
    fc.property(evidence(), (e) => {
      const back = onAttached(e, { class: 'acking', visibility: 'hidden' }, NOW);
      expect(back).toMatchObject({
        link: { is: 'open' },
        probe: null,
        owed: null,
        pingFlushedAt: null,
        outputStuckSince: null,
        activityAt: e.activityAt,
        seatedAt: e.seatedAt,
      });
    }),
  );
});
