import { exportJWK, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import type { Clock } from '../ports/clock.ts';
import { type JwtOptions, jwtAuthenticator, rememberingRecogniser } from './jwt.ts';

const NOW = 1_800_000_000_000;
const secret = new TextEncoder().encode('a secret of the tests, 32 bytes long');

const clockAt = (now: number): Clock & { now: number } => {
  const clock: Clock & { now: number } = { now, mono: () => clock.now, wall: () => clock.now, after: () => () => {}, soon: () => {} };
  return clock;
};
const requestWith = (token: string): Request => new Request('http://gateway/', { headers: { authorization: `Bearer ${token}` } });
const signed = (claims: JWTPayload, key: Uint8Array = secret, alg = 'HS256'): Promise<string> => new SignJWT(claims).setProtectedHeader({ alg }).sign(key);
const inAnHour = NOW / 1_000 + 3_600;

function setUp(options: Partial<JwtOptions> = {}) {
  const clock = clockAt(NOW);
  const authenticator = jwtAuthenticator({ secret, clockToleranceMs: 0, clock, ...options });
  return { clock, ask: async (token: string) => authenticator.recognise(requestWith(token)) };
}

describe('a token of the issuer', () => {
  test('names user, name and tier', async () => {
    const { ask } = setUp();
    expect(await ask(await signed({ sub: 'ada', name: 'Ada', tier: 'mid', exp: inAnHour }))).toEqual({
      is: 'ok',
      identity: { user: 'ada', name: 'Ada', tier: 'mid', expiresAt: inAnHour * 1_000, family: null },
    });
  });

  test('may leave name and tier out', async () => {
    expect(await setUp().ask(await signed({ sub: 'ada', exp: inAnHour }))).toMatchObject({ identity: { name: 'ada', tier: 'free' } });
  });

  test('is expired from its end on, also when it is remembered', async () => {
    const { ask, clock } = setUp();
    const token = await signed({ sub: 'ada', exp: inAnHour });
    expect(await ask(token)).toMatchObject({ is: 'ok' });
    clock.now = inAnHour * 1_000;
    expect(await ask(token)).toEqual({ is: 'expired' });
    expect(await ask(token)).toEqual({ is: 'expired' });
  });

  test('is honoured a little longer where clocks may differ', async () => {
    const { ask, clock } = setUp({ clockToleranceMs: 5_000 });
    const token = await signed({ sub: 'ada', exp: inAnHour });
    clock.now = inAnHour * 1_000 + 4_000;
    expect(await ask(token)).toMatchObject({ is: 'ok' });
  });
});

describe('nobody is recognised by', () => {
  test.each<[string, JWTPayload]>([
    ['no subject', { exp: inAnHour }],
    ['no end', { sub: 'ada' }],
    ['an empty subject', { sub: '', exp: inAnHour }],
    ['a subject with a control character', { sub: 'a\nb', exp: inAnHour }],
    ['a subject of 257 bytes', { sub: 'x'.repeat(257), exp: inAnHour }],
    ['a tier that is no name', { sub: 'ada', tier: 'a b', exp: inAnHour }],
    ['a name that is no text', { sub: 'ada', name: 7, exp: inAnHour }],
    ['a beginning in the future', { sub: 'ada', exp: inAnHour, nbf: NOW / 1_000 + 60 }],
  ])('a token with %s', async (_name, claims) => expect(await setUp().ask(await signed(claims))).toEqual({ is: 'invalid' }));

  test('a token of another key', async () => {
    expect(await setUp().ask(await signed({ sub: 'ada', exp: inAnHour }, new Uint8Array(32)))).toEqual({ is: 'invalid' });
  });

  test('a token without a signature', async () => {
    expect(await setUp().ask(new UnsecuredJWT({ sub: 'ada', exp: inAnHour }).encode())).toEqual({ is: 'invalid' });
  });

  test('a token of an algorithm that is not on the list', async () => {
    expect(await setUp().ask(await signed({ sub: 'ada', exp: inAnHour }, secret, 'HS384'))).toEqual({ is: 'invalid' });
  });

  test('another issuer or audience', async () => {
    const token = await signed({ sub: 'ada', exp: inAnHour, iss: 'them', aud: 'them' });
    expect(await setUp({ issuer: 'us' }).ask(token)).toEqual({ is: 'invalid' });
    expect(await setUp({ audience: 'us' }).ask(token)).toEqual({ is: 'invalid' });
    expect(await setUp({ issuer: 'them', audience: 'them' }).ask(token)).toMatchObject({ is: 'ok' });
  });

  test.each(['x', 'a.b.c', 'eyJ.eyJ.', '..', 'x'.repeat(9_000)])('text that is no token', async (text) =>
    expect(await setUp().ask(text)).toEqual({ is: 'invalid' }),
  );

  test('no header, or another scheme', async () => {
    const authenticator = jwtAuthenticator({ secret });
    expect(await authenticator.recognise(new Request('http://gateway/'))).toEqual({ is: 'invalid' });
    expect(await authenticator.recognise(new Request('http://gateway/', { headers: { authorization: 'Basic YTpi' } }))).toEqual({ is: 'invalid' });
  });
});

test('a public key is never taken for a shared secret', async () => {
  const { publicKey } = await generateKeyPair('RS256', { extractable: true });
  const spelled = new TextEncoder().encode(JSON.stringify(await exportJWK(publicKey)));
  const authenticator = jwtAuthenticator({ jwksUrl: 'http://127.0.0.1:9/keys', clock: clockAt(NOW) });
  expect(await authenticator.recognise(requestWith(await signed({ sub: 'ada', exp: inAnHour }, spelled)))).toEqual({ is: 'invalid' });
});

test.each<[string, JwtOptions]>([
  ['neither secret nor key set', {}],
  ['both', { secret, jwksUrl: 'http://keys.example' }],
  ['an empty secret', { secret: '' }],
  ['the algorithm none', { secret, algorithms: ['none'] }],
  ['HMAC with a key set', { jwksUrl: 'http://keys.example', algorithms: ['HS256'] }],
  ['RSA with a secret', { secret, algorithms: ['RS256'] }],
  ['no algorithm', { secret, algorithms: [] }],
  ['a key set at no URL', { jwksUrl: 'keys' }],
])('%s is a start error', (_name, options) => expect(() => jwtAuthenticator(options)).toThrow(/^Expected/));

test('a good token is checked once; a flood of forged ones is never remembered', async () => {
  const asked: string[] = [];
  const clock = clockAt(NOW);
  const recognise = rememberingRecogniser(async (token) => {
    asked.push(token);
    return token === 'good' ? { is: 'ok', identity: { user: 'ada' as never, name: 'Ada', tier: 'free', expiresAt: NOW + 1, family: null } } : { is: 'invalid' };
  }, clock);
  for (const token of ['good', 'bad', 'good', 'bad', 'good']) await recognise(token);
  expect(asked).toEqual(['good', 'bad', 'bad']);
});
