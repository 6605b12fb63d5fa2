import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LogEntry } from '../../ports/store.ts';
import type { RunId } from '../../protocol/ids.ts';
import { KeptEntries } from './kept-entries.ts';

const START = 1_795_000_000_000;
const text = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('word ', '', 'é', '漢字', '😀', '\ud83d', '"\\', '"event_id":"', '"}') },
  fc.string({ unit: 'binary', maxLength: 400 }),
);
/** Events as a run logs them, and some that look nearly so. */
const event = fc.oneof(
  { weight: 12, arbitrary: fc.record({ type: fc.constant('text_delta'), message_id: fc.constantFrom('m1', 'm1', 'm1', 'm2'), text }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('agent_thinking'), reasoning: text, thinking_id: text }, { requiredKeys: ['type', 'reasoning'] }) },
  fc.constant({ type: 'tool_executing', tool_name: 't' }),
);
const step = fc.record({
  event,
  pauseMs: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 0, max: 90 }) }, fc.constantFrom(-5, 255, 256, 5_000, 0.5)),
  skip: fc.oneof({ weight: 12, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 9 })),
  idOf: fc.oneof({ weight: 12, arbitrary: fc.constant('run_1:') }, fc.constantFrom('run_2:', 'other-', '', 'a"b:', 'run_1:0')),
  timeOff: fc.oneof({ weight: 12, arbitrary: fc.constant(0) }, fc.constant(1)),
  packed: fc.oneof({ weight: 12, arbitrary: fc.constant(true) }, fc.constant(false)),
  more: fc.oneof({ weight: 12, arbitrary: fc.constant({}) }, fc.constant({ extra: 1 })),
});

function entriesOf(steps: readonly (typeof step extends fc.Arbitrary<infer S> ? S : never)[]): LogEntry[] {
  let at = START;
  let number = 0;
  return steps.map(({ event, pauseMs, skip, idOf, timeOff, more }, i) => {
    at += pauseMs;
    number += 1 + skip;
    const timestamp = new Date(at + timeOff).toISOString();
    const data = JSON.stringify({ ...event, event_id: `${idOf}${number}`, thread_id: 't', run_id: 'run_1', timestamp, ...more });
    return { offset: i + 1, kind: 'agent', run: 'run_1' as RunId, codec: 'agent-events', data, at };
  });
}

test('every entry comes back to the letter, from any offset, whatever was dropped before', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), fc.nat(60), fc.nat(60), (steps, dropped, from) => {
      const entries = entriesOf(steps);
      const kept = new KeptEntries();
      for (const [i, entry] of entries.entries()) kept.push(entry, i, steps[i]?.packed ?? true);
      const sizes = entries.map((entry) => Buffer.byteLength(entry.data));
      expect([...kept.from(0)].map((k) => k.entry)).toEqual(entries);
      expect([...kept.from(0)].map((k) => k.bytes)).toEqual(sizes);
      expect([...kept.from(from)].map((k) => k.entry)).toEqual(entries.slice(Math.max(0, from - 1)));
      const cut = Math.min(dropped, entries.length);
      if (cut > 0)
        kept.drop(
          cut,
          sizes.slice(0, cut).reduce((a, b) => a + b, 0),
        );
      expect([...kept.from(from)].map((k) => k.entry)).toEqual(entries.slice(Math.max(cut, from - 1)));
      expect(kept.first).toBe(cut === entries.length ? null : cut + 1);
      expect(kept.bytes).toBe(sizes.slice(cut).reduce((a, b) => a + b, 0));
    }),
    { numRuns: 400 },
  );
});
