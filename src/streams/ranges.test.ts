import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LogEntry } from '../ports/store.ts';
import type { RunId } from '../protocol/ids.ts';
import { rangesOf } from './ranges.ts';

const piece = fc.constantFrom('a', 'word ', '漢', '😀', '\ud83d', '\ude00', '"', '\\', '\n');
const text = fc.array(piece, { maxLength: 4 }).map((parts) => parts.join(''));
const run = fc.constantFrom('run_a', 'run_b');
const delta = fc.record({ type: fc.constant('text_delta'), message_id: fc.constantFrom('m1', 'm2'), text });
const thought = fc.record({ type: fc.constant('agent_thinking'), reasoning: text, step_number: fc.nat(1) }, { requiredKeys: ['type', 'reasoning'] });
const other = fc.constantFrom(
  { type: 'tool_executing', tool_name: 't', execution_id: 'x' },
  { type: 'custom', text: 'x' },
  { type: 'agent_completed', status: 'completed' },
);

const entries: fc.Arbitrary<readonly LogEntry[]> = fc
  .array(
    fc.record({ event: fc.oneof({ weight: 5, arbitrary: delta }, { weight: 3, arbitrary: thought }, other), run, isMessage: fc.integer({ max: 9, min: 0 }) }),
    {
      minLength: 1,
      maxLength: 30,
    },
  )
  .map((all) =>
    all.map(({ event, run, isMessage }, i) => ({
      offset: i + 5,
      kind: isMessage === 0 ? 'message' : 'agent',
      run: run as RunId,
      codec: 'agent-events',
      data: JSON.stringify({ ...event, event_id: `${run}:${i}`, thread_id: 't', run_id: run, timestamp: '2026-01-01T00:00:00.000Z' }),
      at: i,
    })),
  );

interface Told {
  readonly type: string;
  readonly text?: string;
  readonly reasoning?: string;
}
const told = (json: string): Told => JSON.parse(json) as Told;
const textOf = (event: Told): string => event.text ?? event.reasoning ?? '';

test('ranges cover every entry once, in order; only deltas of one text are merged, and their text is the concatenation', () => {
  fc.assert(
    fc.property(entries, (all) => {
      let next = 5;
      for (const range of rangesOf(all)) {
        expect(range.from ?? range.offset).toBe(next);
        const covered = all.slice(next - 5, range.offset - 4);
        next = range.offset + 1;
        const first = covered[0] as LogEntry;
        const events = covered.map((entry) => told(entry.data));
        expect(range.kind).toBe(first.kind === 'message' ? 'message' : undefined);
        if (covered.length === 1) {
          expect(range.data).toBe(first.data);
          expect(range.ack).toBe(first.kind === 'agent' && events[0]?.type === 'agent_completed' ? true : undefined);
          continue;
        }
        const same = (key: (entry: LogEntry, event: Told) => unknown): void =>
          expect(new Set(covered.map((entry, i) => JSON.stringify(key(entry, events[i] as Told)))).size).toBe(1);
        same((entry) => [entry.kind, entry.run]);
        same((_entry, event) => ({ ...event, text: '', reasoning: '', event_id: '' }));
        expect(first.kind).toBe('agent');
        expect(['text_delta', 'agent_thinking']).toContain(events[0]?.type);
        const merged = told(range.data);
        expect(textOf(merged)).toBe(events.map(textOf).join(''));
        expect({ ...merged, text: '', reasoning: '' }).toEqual({ ...events[0], text: '', reasoning: '' });
      }
      expect(next).toBe(all.length + 5);
    }),
    { numRuns: 500 },
  );
});

test('a merged frame has at most 64 KiB, counted in UTF-8', () => {
  const of = (i: number, said: string): LogEntry => ({
    offset: i + 1,
    kind: 'agent',
    run: null,
    codec: 'agent-events',
    data: JSON.stringify({ type: 'text_delta', message_id: 'm', text: said, event_id: `e:${i}` }),
    at: 0,
  });
  const ranges = rangesOf(Array.from({ length: 100 }, (_, i) => of(i, '漢'.repeat(500))));
  expect(ranges.length).toBeGreaterThan(2);
  expect(ranges.length).toBeLessThan(5);
  for (const range of ranges) {
    const frame = JSON.stringify({ type: 'event', sub: 65_535, from: range.from, offset: range.offset, ack: true, data: told(range.data) });
    expect(Buffer.byteLength(frame)).toBeLessThanOrEqual(65_536);
  }
  // One that is larger goes alone.
  expect(rangesOf([of(0, 'x'.repeat(70_000)), of(1, 'y')]).map((range) => range.offset)).toEqual([1, 2]);
});
