import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bodyAfter, looksLikeDelta, splitDelta } from './delta-json.ts';

/** What text may hold that JSON escapes, halves of characters among it. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(fc.constantFrom('"', '\\', '\\"', '"event_id":"', '","text":"', '\ud83d', '\ude00', '😀', '漢', '\n', '\u0000', 'word '))
    .map((parts) => parts.join('')),
);
const ids = fc.record({ thinking_id: text, step_number: fc.nat(2), total_steps: fc.nat(2) }, { requiredKeys: [] });
const rest = (n: number) => ({ event_id: `run_1:${n}`, thread_id: 't', run_id: 'run_1', timestamp: '2026-01-01T00:00:00.000Z' });

test('texts joined as they stand in the JSON are the text that their readers would have put together', () => {
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 6 }), text, ids, fc.boolean(), (texts, message, thought, isThought) => {
      const events = texts.map((said, n) =>
        isThought ? { type: 'agent_thinking', reasoning: said, ...thought, ...rest(n) } : { type: 'text_delta', message_id: message, text: said, ...rest(n) },
      );
      const [first, ...others] = events.map((event) => JSON.stringify(event)) as [string, ...string[]];
      const delta = splitDelta(first);
      expect(looksLikeDelta(first)).toBe(true);
      if (delta === null) throw new Error(`Expected ${first} to be split.`);
      expect(delta.head + delta.body + delta.ids + first.slice(delta.restAt)).toBe(first);
      const bodies = others.map((json) => bodyAfter(delta, json));
      expect(bodies).not.toContain(null);
      const merged = JSON.parse(delta.head + [delta.body, ...bodies].join('') + delta.ids + first.slice(delta.restAt)) as Record<string, unknown>;
      expect(merged).toEqual({ ...events[0], [isThought ? 'reasoning' : 'text']: texts.join('') });
    }),
    { numRuns: 500 },
  );
});

test('deltas of different texts do not append to each other', () => {
  const thinking = (o: object): string => JSON.stringify({ type: 'agent_thinking', reasoning: 'x', ...o, ...rest(1) });
  const different = [
    JSON.stringify({ type: 'text_delta', message_id: 'm1', text: 'x', ...rest(1) }),
    JSON.stringify({ type: 'text_delta', message_id: 'm2', text: 'x', ...rest(1) }),
    thinking({}),
    thinking({ thinking_id: '' }),
    thinking({ thinking_id: '1' }),
    thinking({ step_number: 1 }),
    thinking({ thinking_id: '1', step_number: 1 }),
  ];
  for (const a of different) {
    for (const b of different) {
      const delta = splitDelta(a);
      expect(delta === null ? null : bodyAfter(delta, b), `${a} ${b}`).toBe(a === b ? 'x' : null);
    }
  }
});

test('what is no delta, or none in the order in which they are logged, has no parts', () => {
  for (const json of [
    '{}',
    '{"type":"tool_executing"}',
    '{"type":"text_delta","text":"x"}',
    '{"type":"text_delta","message_id":"m',
    '{"type":"text_delta","message_id":"m","text":"x\\',
  ])
    expect(splitDelta(json), json).toBe(null);
});
