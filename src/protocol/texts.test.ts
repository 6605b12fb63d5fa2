import { describe, expect, test } from 'vitest';
import { CLOSE } from './close-codes.ts';
import {
  AGENT_FAILURES,
  burstNotice,
  cleanedUpNotice,
  closeText,
  drainingNotice,
  durationText,
  evictingNotice,
  limitNearNotice,
  queueNotice,
} from './texts.ts';

test.each([
  [0, '1 s'],
  [2_001, '3 s'],
  [41_000, '41 s'],
  [90_000, '90 s'],
  [90_001, '2 min'],
  [38 * 60_000, '38 min'],
  [2 * 3_600_000, '2 h'],
])('%i ms read as %s', (ms, text) => expect(durationText(ms)).toBe(text));

describe('close texts', () => {
  test('blanks are filled in', () => {
    expect(closeText(CLOSE.noSeatYet, { retryAfterMs: 3_000 })).toBe('Another of your tabs is using the room; back in 3 s.');
    expect(closeText(CLOSE.evictedForNewer, { label: 'Phone' })).toBe('Paused because you went on in Phone. Nothing is lost.');
    expect(closeText(CLOSE.freedByAdmin, { reason: 'maintenance.' })).toBe('Ended by an administrator: maintenance.');
  });

  test('a tab without a name and an administrator without a reason make whole sentences too', () => {
    expect(closeText(CLOSE.freedByUser, { label: ' ' })).toBe('You closed this one from another tab.');
    expect(closeText(CLOSE.freedByAdmin)).toBe('Ended by an administrator.');
  });

  test('a label is text, not a pattern', () => {
    expect(closeText(CLOSE.evictedForNewer, { label: '$& {t}' })).toContain('in $& {t}. Nothing');
  });

  test('no blank is ever left over', () => {
    for (const close of Object.values(CLOSE)) expect(closeText(close)).not.toMatch(/[{}]/);
  });
});

const notices = [
  limitNearNotice({ used: 15, limit: 20 }),
  burstNotice({ used: 22, limit: 20, burst: 25, untilAt: 1_000, leftMs: 41_000 }),
  queueNotice({ waiting: 1, etaMs: 3_000, untilAt: 1_000 }),
  queueNotice({ waiting: 3, etaMs: 3_000, untilAt: 1_000 }),
  cleanedUpNotice({ freed: 16, level: 'moderate', durationMs: 12, reasons: { 'ack-timeout': 10, 'half-open': 6 } }),
  cleanedUpNotice({ freed: 1, level: 'conservative', durationMs: 2, reasons: { ghost: 1 } }),
  cleanedUpNotice({ freed: 3, level: 'aggressive', durationMs: 2, reasons: { ghost: 1, 'idle-over-limit': 2 } }),
  evictingNotice({ level: 'force', reason: 'lowest-value', graceMs: 250, label: 'Phone' }),
  evictingNotice({ level: 'force', reason: 'lowest-value', graceMs: 250, label: null }),
  drainingNotice({ slotMs: 1_200, reason: 'deploy' }),
];

test('the person is told in their words', () => {
  const texts = [...notices.map((n) => n.text), ...Object.values(AGENT_FAILURES).map((f) => f.error_message), ...Object.values(CLOSE).map((c) => c.text)];
  for (const text of texts) expect(text).not.toMatch(/manager|seat|verdict|limit reached|undefined|null|NaN/i);
});

test('sessions that had stopped are told apart from those that gave way', () => {
  expect(notices[4]?.text).toBe('We closed 16 of your sessions that had stopped responding.');
  expect(notices[5]?.text).toBe('We closed one of your sessions that had stopped responding.');
  expect(notices[6]?.text).toBe('We closed 3 of your sessions to make room; 1 had stopped responding. Nothing is lost.');
});
