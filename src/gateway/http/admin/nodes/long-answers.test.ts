import { expect, it } from 'vitest';
import { LETTER_MAX_BYTES } from '../../../../ports/node-letters.ts';
import { systemRandom } from '../../../../ports/random.ts';
import { LongAnswers, unpacked } from './long-answers.ts';

/** Text that does not pack well. */
const noise = (characters: number): string => Buffer.from(systemRandom.bytes(characters)).toString('hex').slice(0, characters);

it('a short answer goes as it is, a long one in parts that fit into letters, and comes back whole', async () => {
  const answers = new LongAnswers(systemRandom);
  expect(await answers.put(200, '{"a":1}')).toEqual({ status: 200, text: '{"a":1}', more: null });
  const text = `ü${noise(1_500_000)}`;
  const first = await answers.put(200, text);
  const { id = '', parts = 0 } = first.more ?? {};
  expect(parts).toBeGreaterThan(3);
  const rest = Array.from({ length: parts - 1 }, (_, i) => answers.part(id, i + 1) ?? '');
  for (const part of [first.text, ...rest]) expect(Buffer.byteLength(JSON.stringify(part))).toBeLessThan(LETTER_MAX_BYTES);
  expect(await unpacked([first.text, ...rest])).toBe(text);
  // Fetched, and so forgotten.
  expect(answers.part(id, 1)).toBeNull();
  expect(answers.part('nobody', 0)).toBeNull();
});

it('what is far too long is not sent at all, and old answers are forgotten', async () => {
  const answers = new LongAnswers(systemRandom);
  await expect(answers.put(200, noise(12_000_000))).rejects.toThrow('Ask for less');
  const first = await answers.put(200, noise(800_000));
  for (let i = 0; i < 32; i++) await answers.put(200, noise(800_000));
  expect(answers.part(first.more?.id ?? '', 0)).toBeNull();
});
