import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { evidence, fresh, NOW, OPTIONS } from '../../test/support/evidence.ts';
import { attentive } from './clocks.ts';
import type { Evidence } from './evidence.ts';
import { explainEvidence, spanText } from './explain.ts';
import { judge } from './judge.ts';
import { type SelfHealth, WELL } from './self-health.ts';

const at = (agoMs: number) => attentive(NOW - agoMs);

/** What is said of this evidence at pressure `p`. */
function said(change: Partial<Evidence>, p = 1, self: SelfHealth = WELL): { is: string; text: string } {
  const e = fresh(change);
  const verdict = judge(e, null, self, p, OPTIONS, NOW);
  return { is: `${verdict.is} ${verdict.reason}`, text: explainEvidence(e, verdict, NOW) };
}

const unheard = (ms: number): Partial<Evidence> => ({
  seatedAt: at(ms),
  ackAt: at(ms),
  answerAt: at(ms),
  inboundAt: at(ms),
  activityAt: at(ms),
  pongAt: at(900),
});
const asked = (ms: number): Evidence['probe'] => ({ askedAt: at(ms), flushedAt: at(ms), failed: false, bytesAhead: 0, gapMs: 0, standing: 'first' });

describe('spans of time as people read them', () => {
  test.each([
    [0, '0.0s'],
    [199, '0.1s'],
    [9_250, '9.2s'],
    [59_999, '59.9s'],
    [60_000, '1m00s'],
    [2_278_000, '37m58s'],
    [3_599_999, '59m59s'],
    [7_500_000, '2h05m'],
    [86_399_999, '23h59m'],
    [273_600_000, '3d4h'],
    [-5, '0.0s'],
  ])('%i ms is %s', (ms, text) => {
    expect(spanText(ms)).toBe(text);
  });
});

describe('why a manager is what it is', () => {
  test('a frozen page behind a socket that lives: the events it owes, the question it leaves open, and that its pongs prove nothing', () => {
    const owed = { since: at(2_278_000), events: 214, bytes: 90_000, critical: false };
    expect(said({ ...unheard(2_278_000), owed, probe: asked(4_000) })).toEqual({
      is: 'zombie ack-timeout',
      text: '214 events unacknowledged for 37m58s, probe unanswered; its socket still answers pings',
    });
  });

  test('one that has not been silent for long is told in tenths of a second, and one event is no plural', () => {
    const owed = { since: at(9_290), events: 1, bytes: 100, critical: false };
    expect(said({ ...unheard(9_290), owed, probe: asked(5_000) })).toEqual({
      is: 'suspect ack-stalled',
      text: '1 event unacknowledged for 9.2s, probe unanswered; its socket still answers pings',
    });
  });

  test('nothing owed: since when nothing was heard; and a ping that stays open is told', () => {
    expect(said({ ...unheard(21_000), probe: asked(3_000), pongAt: at(8_000), pingFlushedAt: at(3_000) })).toEqual({
      is: 'zombie probe-timeout',
      text: 'no sign of its application for 21.0s, probe unanswered; its socket has answered no ping for 8.0s',
    });
  });

  test('whoever works or only stays open', () => {
    expect(said({ ...unheard(500_000), ackAt: at(200), run: true }).text).toBe('a run is in progress, acknowledged an event 0.2s ago');
    expect(said({ ...unheard(302_000), answerAt: at(4_100) })).toEqual({ is: 'idle quiet', text: 'unused for 5m02s, answered a probe 4.1s ago' });
    expect(said({}).text).toBe('was heard 0.0s ago');
  });

  test('what is not held against a peer says so', () => {
    const silent = { ...unheard(30_000), probe: asked(5_000) };
    expect(said(silent, 1, { ...WELL, score: 8 }).text).toContain('not held against it, because this node itself was slow');
    expect(said(silent, 1, { ...WELL, correlated: true }).text).toContain('many others fell silent with it');
    expect(said({ ...unheard(30_000), probe: { ...(asked(5_000) as NonNullable<Evidence['probe']>), failed: true } })).toEqual({
      is: 'unknown probe-failed',
      text: 'no sign of its application for 30.0s, our probe could not be sent; not held against it',
    });
    expect(said(unheard(30_000)).text).toBe('no sign of its application for 30.0s, not asked yet; its socket still answers pings');
  });

  test('a lost connection is named with its cause, and whether its client could come back', () => {
    expect(said({ link: { is: 'lost', since: at(4_000), reason: 'half-open' } }).text).toBe(
      'its connection answered no ping and was given up 4.0s ago; its client has not come back',
    );
    expect(said({ class: 'unverifiable', link: { is: 'lost', since: at(400), reason: 'transport-lost' } }).text).toBe(
      'its connection was lost 0.4s ago; its client cannot come back to it',
    );
    expect(said({ link: { is: 'ended', reason: 'client-closed' } }).text).toBe('its client said goodbye');
  });

  test('any evidence has its one sentence: on one line, without a full stop, with no figure that is none', () => {
    fc.assert(
      fc.property(evidence(), fc.double({ min: 0, max: 2, noNaN: true }), fc.boolean(), (e, p, correlated) => {
        const text = explainEvidence(e, judge(e, null, { ...WELL, correlated }, p, OPTIONS, NOW), NOW);
        expect(text).toMatch(/^[a-z0-9][^\n]*[a-z0-9]$/);
        expect(text).not.toMatch(/NaN|undefined|null|Infinity|-\d/);
      }),
    );
  });
});
