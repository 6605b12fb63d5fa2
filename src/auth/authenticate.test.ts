import { describe, expect, test } from 'vitest';
import type { Clock } from '../ports/clock.ts';
import { type AuthenticatedUser, customAuthenticator } from './authenticate.ts';

const NOW = 1_800_000_000_000;
const clock: Clock = { mono: () => NOW, wall: () => NOW, after: () => () => {}, soon: () => {} };
const ask = (answer: AuthenticatedUser | null) => customAuthenticator(() => answer, clock).recognise(new Request('http://gateway/'));

describe('an application’s own check', () => {
  test('names the user; the rest has defaults', async () => {
    expect(await ask({ userId: 'ada' })).toEqual({ is: 'ok', identity: { user: 'ada', name: 'ada', tier: 'free', expiresAt: NOW + 3_600_000, family: null } });
    expect(await ask({ userId: 'ada', name: 'Ada', tier: 'mid', expiresAt: NOW + 5 })).toMatchObject({
      identity: { name: 'Ada', tier: 'mid', expiresAt: NOW + 5 },
    });
  });

  test('says no, or that it is over', async () => {
    expect(await ask(null)).toEqual({ is: 'invalid' });
    expect(await ask({ userId: 'ada', expiresAt: NOW })).toEqual({ is: 'expired' });
  });

  test('sees the request', async () => {
    const authenticator = customAuthenticator(async (request) => ({ userId: request.headers.get('x-user') ?? '' }), clock);
    expect(await authenticator.recognise(new Request('http://gateway/', { headers: { 'x-user': 'ben' } }))).toMatchObject({ identity: { user: 'ben' } });
  });

  test.each([{ userId: '' }, { userId: 'a\u0000b' }, { userId: 'x'.repeat(257) }, { userId: 'ada', tier: '' }, { userId: 'ada', expiresAt: Number.NaN }])(
    'that names nobody possible is told so, without repeating what it said',
    async (answer) => {
      await expect(ask(answer)).rejects.toThrow(/^Expected `authenticate` to answer with/);
      await expect(ask(answer)).rejects.not.toThrow('x'.repeat(10));
    },
  );
});
