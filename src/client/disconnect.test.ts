import { expect, test } from 'vitest';
import { CLOSE, closeReason } from '../protocol/close-codes.ts';
import { CREDENTIAL_EXPIRED, explainEnd } from './disconnect.ts';

test('every code of the gateway is obeyed by its close frame alone', () => {
  for (const close of Object.values(CLOSE)) {
    const info = explainEnd({ code: close.code, reason: closeReason(close, 7_000, 'lowest-value') });
    expect(info).toMatchObject({ code: close.code, name: close.name, reason: 'lowest-value' });
    expect(info.return).toBe({ 0: 'now', 1: 'after', 2: 'user', 5: 'never' }[Math.floor(close.code / 100) - 40]);
    expect(info.retryAfterMs).toBe(info.return === 'after' ? 7_000 : undefined);
  }
});

test('codes of the WebSocket standard are mapped, and what nobody has heard of means: come back', () => {
  expect(explainEnd({ code: 1013, reason: '' })).toMatchObject({ return: 'after', retryAfterMs: 5_000 });
  expect(explainEnd({ code: 1008, reason: 'policy' })).toMatchObject({ return: 'never', name: 'lost' });
  expect(explainEnd({ code: 4_999, reason: '' })).toEqual({ code: 4_999, name: 'lost', return: 'now', text: '', docs: expect.any(String) });
});

test('a goodbye adds its words and who goes on instead', () => {
  const bye = {
    type: 'bye' as const,
    code: 4201,
    name: 'evicted-for-newer',
    return: 'user' as const,
    retryAfterMs: 0,
    reason: 'lowest-value',
    text: 'Paused.',
    resumable: true,
    positions: [],
    explain: { level: 'force', evidence: [], by: { label: 'Phone' } },
  };
  expect(explainEnd({ code: 4201, reason: '', bye })).toMatchObject({ text: 'Paused.', by: 'Phone', reason: 'lowest-value' });
});

test('the one code with a meaning of its own is the one of the protocol', () => {
  expect(CREDENTIAL_EXPIRED).toBe(CLOSE.credentialExpired.code);
});
