import { expect, test } from 'vitest';
import { TokenChecker } from '../../bench/generator/checker.ts';
import { Histogram, quantileUs } from '../../bench/histogram.ts';
import { eventOf } from '../../bench/peers/peer.ts';
import { readTokens, TOKEN_LENGTH, token } from '../../bench/tokens.ts';

function checked(sequences: readonly number[], sent: number): ReturnType<TokenChecker['result']> {
  const checker = new TokenChecker();
  for (const sequence of sequences) checker.take(sequence);
  return checker.result(sent);
}

test('tokens that all came in order are fine', () => {
  expect(checked([0, 1, 2, 3], 4)).toEqual({ checked: 4, lost: 0, doubled: 0, reordered: 0 });
});

test('a token that never came is lost, in the middle and at the end', () => {
  expect(checked([0, 2, 3], 4)).toMatchObject({ checked: 3, lost: 1, doubled: 0, reordered: 0 });
  expect(checked([0, 1], 4)).toMatchObject({ lost: 2 });
});

test('a token that came again is doubled, and hides no other that is lost', () => {
  expect(checked([0, 1, 1, 2], 3)).toMatchObject({ lost: 0, doubled: 1, reordered: 0 });
  expect(checked([0, 1, 1], 3)).toMatchObject({ lost: 1, doubled: 1 });
});

test('two tokens that were swapped are out of order, not lost', () => {
  expect(checked([0, 2, 1, 3], 4)).toEqual({ checked: 4, lost: 0, doubled: 0, reordered: 1 });
});

test('texts that were merged on their way are taken apart again', () => {
  const seen: (readonly [number, number])[] = [];
  const one = token(0, 5);
  const two = `${token(1, 123_456_789_012)}${token(2, 7)}`;
  const frame = JSON.stringify({ type: 'event', data: [{ text: one }, { text: two }, { type: 'agent_completed', final_response: 'no token' }] });
  readTokens(Buffer.from(frame), (sequence, dueUs) => seen.push([sequence, dueUs]));
  expect(seen).toEqual([
    [0, 5],
    [1, 123_456_789_012],
    [2, 7],
  ]);
});

test('a text that is cut or holds anything else is no token', () => {
  const reading = (text: string) => () => readTokens(Buffer.from(JSON.stringify({ text })), () => {});
  expect(reading(token(0, 1).slice(0, -1))).toThrow(`tokens of ${TOKEN_LENGTH} characters`);
  expect(reading(`${token(0, 1)}x`)).toThrow('Expected tokens');
  expect(reading(token(0, 1).toUpperCase().replace('0', '#'))).toThrow('Expected tokens');
});

test('the bare peers send 125 bytes a token', () => {
  expect(JSON.stringify(eventOf(token(36 ** 6 - 1, 36 ** 9)))).toHaveLength(125);
});

test('a histogram knows its values to 6 %', () => {
  const histogram = new Histogram();
  for (let us = 1; us <= 1_000; us++) histogram.add(us);
  const p50 = quantileUs(histogram.buckets, 0.5) as number;
  expect(p50).toBeGreaterThan(500 * 0.94);
  expect(p50).toBeLessThanOrEqual(500);
  expect(quantileUs(new Histogram().buckets, 0.5)).toBeNull();
});
