import { describe, expect, it } from 'vitest';
import { systemClock } from '../ports/clock.ts';
import { createAccessTokens } from './access-tokens.ts';
import { createOperators } from './operators.ts';
import { mayAct, mintRoleToken, ROLES, verifyRoleToken } from './role-tokens.ts';

const KEY = new Uint8Array(32).fill(1);
const at = (wallMs: number) => ({ ...systemClock, wall: () => wallMs });
const NOW = 1_800_000_000_000;

describe('tokens of roles', () => {
  it.each(ROLES)('say %s until they end, and then that they have', async (role) => {
    const token = await mintRoleToken(KEY, { role, expiresAt: NOW + 1_500 }, at(NOW));
    expect(await verifyRoleToken(KEY, token, at(NOW + 1_499))).toEqual({ is: 'ok', role, expiresAt: NOW + 1_500 });
    expect(await verifyRoleToken(KEY, token, at(NOW + 1_500))).toEqual({ is: 'expired' });
    expect(await verifyRoleToken(KEY, token, at(NOW + 86_400_000))).toEqual({ is: 'expired' });
  });

  it('of another signing key, of users, and what is no token at all are invalid', async () => {
    const other = await mintRoleToken(new Uint8Array(32).fill(2), { role: 'admin', expiresAt: NOW + 60_000 }, at(NOW));
    const user = await createAccessTokens(KEY, at(NOW)).mint({ user: 'ada' as never, name: 'Ada', tier: 'free', expiresAt: NOW + 60_000, family: null });
    for (const token of [other, user, '', 'a.b.c', 'the-admin-key-itself']) expect(await verifyRoleToken(KEY, token, at(NOW))).toEqual({ is: 'invalid' });
  });

  it('are no access tokens of users', async () => {
    const token = await mintRoleToken(KEY, { role: 'admin', expiresAt: NOW + 60_000 }, at(NOW));
    expect(await createAccessTokens(KEY, at(NOW)).verify(token)).toMatchObject({ is: 'invalid' });
  });
});

describe('operators', () => {
  it('with the key are admins without an end, with a token what it says until it ends', async () => {
    const operators = createOperators('the-key-of-the-tests', KEY, at(NOW));
    expect(await operators.recognise('the-key-of-the-tests')).toEqual({ is: 'ok', operator: { role: 'admin', expiresAt: null } });
    const token = await mintRoleToken(KEY, { role: 'viewer', expiresAt: NOW + 60_000 }, at(NOW));
    expect(await operators.recognise(token)).toEqual({ is: 'ok', operator: { role: 'viewer', expiresAt: NOW + 60_000 } });
    expect(await operators.recognise('the-key-of-the-test')).toEqual({ is: 'invalid' });
  });

  it('may do what those below them may', () => {
    const table = ROLES.map((role) => ROLES.map((needed) => mayAct(role, needed)));
    expect(table).toEqual([
      [true, false, false],
      [true, true, false],
      [true, true, true],
    ]);
  });
});
