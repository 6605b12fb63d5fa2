import { expect, test } from 'vitest';
import type { NodeId, UserId } from '../../protocol/ids.ts';
import { isKeyPrefix, keysOf, spellUser } from './keys.ts';

const spell = (user: string) => spellUser(user as UserId);

test('a user is one slot, whatever its id holds, and no two users share a name', () => {
  expect(spell('ada_L.1-2')).toBe('ada_L.1-2');
  expect(spell('{a}:b*')).toBe('%7Ba%7D%3Ab%2A');
  expect(spell('ü%7B')).toBe('%C3%BC%257B');
  const keys = keysOf('sp');
  expect(keys.user('a}{b' as UserId, 's')).toBe('sp:{a%7D%7Bb}:s');
  expect(keys.user('ada' as UserId, 'th', 't:1', 'log')).toBe('sp:{ada}:th:t:1:log');
  expect(keys.box('gw 1' as NodeId)).toBe('sp:box:gw%201');
});

test('a prefix stands before every key and in patterns of access rules', () => {
  expect(['sp', 'a.b-c_9'].map(isKeyPrefix)).toEqual([true, true]);
  expect(['', 'a*', 'a:b', '{a}', 'a b'].map(isKeyPrefix)).toEqual([false, false, false, false, false]);
});
