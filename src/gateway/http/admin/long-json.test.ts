import fc from 'fast-check';
import { expect, test } from 'vitest';
import { systemClock } from '../../../ports/clock.ts';
import { longJson } from './long-json.ts';

const read = (head: object, items: readonly unknown[]): Promise<string> => new Response(longJson(systemClock, head, 'items', items)).text();

test('is the same JSON as in one piece', async () => {
  const heads = fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true }).filter((head) => !('items' in head));
  await fc.assert(
    fc.asyncProperty(heads, fc.array(fc.jsonValue(), { maxLength: 5 }), async (head, items) => {
      expect(await read(head, items)).toBe(JSON.stringify({ ...head, items }));
    }),
  );
});

test.each([0, 1, 255, 256, 257, 512, 600])('%i items come each once, in order', async (count) => {
  const items = Array.from({ length: count }, (_, i) => ({ i }));
  expect(JSON.parse(await read({ checked: count }, items))).toEqual({ checked: count, items });
});
