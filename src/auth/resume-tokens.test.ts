import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isUserId, type ManagerId, type UserId } from '../protocol/ids.ts';
import { createResumeTokens, type ResumeClaims } from './resume-tokens.ts';

const key = new Uint8Array(32).fill(7);
const tokens = createResumeTokens(key);
const claims: ResumeClaims = {
  user: 'ada' as UserId,
  tier: 'free',
  manager: `mgr_${'0a'.repeat(10)}` as ManagerId,
  serial: 3,
  authExpiresAt: 1_800_000_000_000,
  family: null,
  promise: null,
};

/** User ids up to the bound of 256 bytes, in all scripts. */
const users = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 256 })
  .filter(isUserId)
  .map((text) => text as UserId);

describe('a resume token', () => {
  test('says again what it was told, whoever the user is', () => {
    fc.assert(
      fc.property(
        users,
        fc.nat(),
        fc.option(fc.stringMatching(/^[a-z0-9.]{1,25}$/)),
        fc.option(fc.stringMatching(/^[a-z0-9]{1,20}$/)),
        (user, serial, family, promise) => {
          const told = { ...claims, user, serial, family, promise };
          const token = tokens.mint(told);
          expect(token.length).toBeLessThanOrEqual(512);
          expect(tokens.read(token)).toEqual(told);
        },
      ),
    );
  });

  test.each(['"'.repeat(256), '\\'.repeat(256), '字'.repeat(85), '😀'.repeat(64)])('fits for the longest ids, which JSON would double', (user) => {
    const told = { ...claims, user: user as UserId, tier: 'enterprise', serial: 1e9, family: `mwpynpug.${'f'.repeat(16)}`, promise: 'p'.repeat(20) };
    expect(isUserId(user)).toBe(true);
    expect(tokens.mint(told).length).toBeLessThanOrEqual(512);
    expect(tokens.read(tokens.mint(told))).toEqual(told);
  });

  test('is void when a single character differs, or under another key', () => {
    const token = tokens.mint(claims);
    for (let i = 0; i < token.length; i++) {
      const other = token[i] === 'A' ? 'B' : 'A';
      const forged = token.slice(0, i) + other + token.slice(i + 1);
      // The last character of base64url may spell bits that count for nothing.
      if (i < token.length - 1) expect(tokens.read(forged)).toBeNull();
    }
    expect(createResumeTokens(new Uint8Array(32).fill(8)).read(token)).toBeNull();
  });

  test('is not found in arbitrary text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `rt1${text}`),
          fc.base64String().map((text) => `rt1${text}`),
        ),
        (text) => tokens.read(text) === null,
      ),
    );
  });

  test('is refused to claims with line breaks, which could pose as other claims', () => {
    expect(() => tokens.mint({ ...claims, tier: 'free\nmgr' })).toThrow('line breaks');
    expect(() => tokens.mint({ ...claims, tier: 't'.repeat(512) })).toThrow('512 bytes');
  });
});
