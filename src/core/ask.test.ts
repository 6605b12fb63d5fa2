import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evidence, fresh, manager, NOW, OPTIONS } from '../../test/support/evidence.ts';
import { judgeTransport, nextProbe } from './ask.ts';
import { attentive } from './clocks.ts';
import { applicationAt, type Evidence } from './evidence.ts';
import { onPingFlushed, onProbe, onProbeFailed, onProbeFlushed, onProbeVoided, onSent } from './gather.ts';
import { WELL } from './self-health.ts';

const at = (ms: number) => attentive(NOW + ms);
const STALL = OPTIONS.health.stallGapMs;
const asked = (e: Evidence, ms: number) => onProbeFlushed(onProbe(e, 0, at(ms), STALL), at(ms));

describe('transports', () => {
  const judge = (e: Evidence, ms: number, score = 0) => judgeTransport(e, { ...WELL, score }, OPTIONS, at(ms));

  it('are pinged every five seconds', () => {
    expect(judge(fresh(), 4_999)).toEqual({ is: 'alive' });
    expect(judge(fresh(), 5_000)).toEqual({ is: 'ping-due' });
  });

  it('are half-open after 25 s without a pong of ours, whatever else came', () => {
    const e = onPingFlushed(fresh(), at(5_000));
    expect(judge(e, 24_999).is).not.toBe('dead');
    expect(judge(e, 25_000)).toEqual({ is: 'dead', reason: 'half-open' });
    expect(judge({ ...e, inboundAt: at(1) }, 25_000).is).not.toBe('dead');
  });

  it('are write-stalled if output was stuck meanwhile', () => {
    expect(judge({ ...fresh(), outputStuckSince: at(3_000) }, 25_000)).toEqual({ is: 'dead', reason: 'write-stalled' });
  });

  it('that nobody asked are accused of nothing', () => {
    expect(judge(fresh(), 60_000)).toEqual({ is: 'ping-due' });
    expect(judge(onPingFlushed(fresh(), at(59_900)), 60_000).is).not.toBe('dead');
  });

  it('are not judged while we are the sick one', () => {
    expect(judge(onPingFlushed(fresh(), at(5_000)), 25_000, 4)).toEqual({ is: 'void' });
  });

  it('never die with a pong or application evidence within 25 s', () => {
    fc.assert(
      fc.property(evidence(), fc.nat(8), (e, score) => {
        if (NOW - Math.max(e.pongAt, applicationAt(e)) >= 25_000) return;
        expect(judgeTransport(e, { ...WELL, score }, OPTIONS, NOW).is).not.toBe('dead');
      }),
    );
  });
});

describe('probes', () => {
  const ask = (e: Evidence, mode: 'calm' | 'watch' | 'emergency', ms: number) => nextProbe(e, mode, OPTIONS, at(ms)).do;

  it('go out at the heartbeat, spread by a fifth, over many managers', () => {
    const beats = Array.from({ length: 300 }, (_, i) => {
      const next = nextProbe({ ...fresh(), managerId: manager(i) }, 'calm', OPTIONS, NOW);
      return next.do === 'wait' ? next.until - NOW : 0;
    });
    expect(Math.min(...beats)).toBeGreaterThanOrEqual(12_000);
    expect(Math.max(...beats)).toBeLessThanOrEqual(18_000);
    expect(Math.max(...beats) - Math.min(...beats)).toBeGreaterThan(5_000);
  });

  it('go out when no frame was sent for a heartbeat, though the client speaks: its dead-man timer listens', () => {
    expect(ask({ ...fresh(), inboundAt: at(17_000) }, 'calm', 18_000)).toBe('probe');
    expect(ask({ ...fresh(), inboundAt: at(17_000), sentAt: at(17_000) }, 'calm', 18_000)).toBe('wait');
  });

  it('go out a second after acknowledgements stopped, once', () => {
    const owing = onSent(fresh(), { events: 1, bytes: 10, critical: false }, at(0));
    expect(ask(owing, 'calm', 999)).toBe('wait');
    expect(ask(owing, 'calm', 1_000)).toBe('probe');
    expect(ask(asked(owing, 1_000), 'calm', 6_000)).toBe('wait');
  });

  it('under watch and in an emergency ask whoever was not heard for ten seconds', () => {
    for (const mode of ['watch', 'emergency'] as const) {
      expect(ask({ ...fresh(), sentAt: at(9_000) }, mode, 9_999)).toBe('wait');
      expect(ask({ ...fresh(), sentAt: at(9_000) }, mode, 10_000)).toBe('probe');
    }
  });

  it('in an emergency do not ask twice: the silence of whoever owes an answer stands', () => {
    const e = asked(fresh(), 10_000);
    expect(ask(e, 'emergency', 11_000)).toBe('wait');
    expect(ask(e, 'watch', 12_000)).toBe('probe');
  });

  it('that we failed to write are repeated soon, voided ones after two seconds', () => {
    expect(ask(onProbeFailed(onProbe(fresh(), 0, at(10_000), STALL)), 'calm', 10_500)).toBe('probe');
    const voided = onProbeVoided(asked(fresh(), 10_000));
    expect(ask(voided, 'calm', 11_999)).toBe('wait');
    expect(ask(voided, 'calm', 12_000)).toBe('probe');
  });

  it('never within 500 ms of the last one or of evidence, never without a transport, never where nobody can answer', () => {
    fc.assert(
      fc.property(evidence(), fc.constantFrom('calm' as const, 'watch' as const, 'emergency' as const), (e, mode) => {
        const next = nextProbe(e, mode, OPTIONS, NOW);
        if (next.do === 'wait') {
          expect(next.until).toBeGreaterThan(NOW);
          return;
        }
        expect([e.link.is, e.class]).toEqual(['open', 'acking']);
        expect(NOW - applicationAt(e)).toBeGreaterThanOrEqual(500);
        if (e.probe !== null) expect(NOW - e.probe.askedAt).toBeGreaterThanOrEqual(500);
      }),
    );
  });
});
