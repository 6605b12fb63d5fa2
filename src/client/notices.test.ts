import { expect, test } from 'vitest';
import type { Notice } from '../protocol/messages.ts';
import { lastingNotices, withNotice } from './notices.ts';

const notice = (id: string, version: number, more: Partial<Notice> = {}): Notice => ({
  id,
  version,
  kind: 'burst',
  level: 'info',
  text: `${id} ${version}`,
  actions: [],
  data: {},
  ...more,
});
const texts = (notices: readonly Notice[]): string[] => notices.map((n) => n.text);

test('a higher version replaces in place, a late one changes nothing, a cleared one removes', () => {
  const two = [notice('a', 1), notice('b', 1)].reduce(withNotice, [] as readonly Notice[]);
  const replaced = withNotice(two, notice('a', 3));
  expect(texts(replaced)).toEqual(['a 3', 'b 1']);
  expect(withNotice(replaced, notice('a', 2))).toBe(replaced);
  expect(texts(withNotice(replaced, notice('a', 4, { cleared: true })))).toEqual(['b 1']);
  expect(texts(withNotice(replaced, notice('c', 1, { cleared: true })))).toEqual(['a 3', 'b 1']);
});

test('on a new transport only what has happened already still holds', () => {
  expect(texts(lastingNotices([notice('a', 1), notice('b', 1, { kind: 'cleaned-up' })]))).toEqual(['b 1']);
});
