import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AgentEvent } from '../protocol/agent-events.ts';
import { foldRun } from './fold.ts';
import { deltaOf, withText } from './merge.ts';

const COMMON = { event_id: 'e', thread_id: 't', run_id: 'run_1', timestamp: '2026-01-01T00:00:00Z' };
const words = fc.constantFrom('', 'a', 'bc', ' ', '😀', '\ud83d');
const name = fc.constantFrom('x1', 'x2');
const event: fc.Arbitrary<AgentEvent> = fc
  .oneof(
    { weight: 4, arbitrary: fc.record({ type: fc.constant('text_delta' as const), message_id: fc.constantFrom('m1', 'm2'), text: words }) },
    {
      weight: 3,
      arbitrary: fc.record(
        { type: fc.constant('agent_thinking' as const), reasoning: words, thinking_id: name, step_number: fc.nat(1) },
        { requiredKeys: ['type', 'reasoning'] },
      ),
    },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('agent_started' as const), agent_name: name, message_id: name }) },
    {
      weight: 1,
      arbitrary: fc.record(
        { type: fc.constant('tool_executing' as const), tool_name: name, execution_id: name, parameters: fc.constant({ q: 1 }) },
        { requiredKeys: ['type', 'tool_name', 'execution_id'] },
      ),
    },
    {
      weight: 1,
      arbitrary: fc.record(
        {
          type: fc.constant('tool_completed' as const),
          tool_name: name,
          execution_id: name,
          success: fc.boolean(),
          results: fc.constant(1),
          error_message: name,
        },
        { requiredKeys: ['type', 'tool_name', 'execution_id', 'success'] },
      ),
    },
    {
      weight: 1,
      arbitrary: fc.record(
        {
          type: fc.constant('agent_completed' as const),
          status: fc.constantFrom('completed' as const, 'cancelled' as const, 'interrupted' as const),
          final_response: words,
        },
        { requiredKeys: ['type', 'status'] },
      ),
    },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('agent_error' as const), error_message: words, recoverable: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('my_step' as never) }) },
  )
  .map((own) => ({ ...own, ...COMMON }) as AgentEvent);
const run = fc.array(event, { maxLength: 30 });

/** Merges neighbours where `joins` says so, as delivery does for whoever is behind. */
function merged(events: readonly AgentEvent[], joins: () => boolean): AgentEvent[] {
  const result: AgentEvent[] = [];
  for (const next of events) {
    const last = result.at(-1);
    const a = last === undefined ? null : deltaOf(last);
    const b = deltaOf(next);
    if (last !== undefined && a !== null && b !== null && a.key === b.key && joins()) result[result.length - 1] = withText(last, a.text + b.text);
    else result.push(next);
  }
  return result;
}

describe('merging', () => {
  test('a run reads the same, merged anywhere or not at all', () => {
    fc.assert(
      fc.property(run, fc.infiniteStream(fc.boolean()), (events, coins) => {
        expect(foldRun(merged(events, () => coins.next().value === true))).toEqual(foldRun(events));
      }),
      { numRuns: 1_000 },
    );
  });

  test('the merged event has the first one’s fields, in their order', () => {
    const first: AgentEvent = { type: 'text_delta', message_id: 'm1', text: 'a', ...COMMON };
    expect(JSON.stringify(withText(first, 'abc'))).toBe(JSON.stringify({ ...first, text: 'abc' }));
    const tool: AgentEvent = { type: 'tool_executing', tool_name: 't', execution_id: 'e', ...COMMON };
    expect(withText(tool, 'x')).toBe(tool);
  });

  test('deltas of different texts are never neighbours', () => {
    const thinking = (o: object): AgentEvent => ({ type: 'agent_thinking', reasoning: 'x', ...COMMON, ...o }) as AgentEvent;
    const different: AgentEvent[] = [
      { type: 'text_delta', message_id: 'm1', text: 'x', ...COMMON },
      { type: 'text_delta', message_id: 'm2', text: 'x', ...COMMON },
      { type: 'text_delta', message_id: 'm1', text: 'x', ...COMMON, run_id: 'run_2' },
      thinking({}),
      thinking({ thinking_id: '' }),
      thinking({ thinking_id: '1' }),
      thinking({ step_number: 1 }),
      thinking({ step_number: 1, thinking_id: '1' }),
      thinking({ run_id: 'run_2' }),
    ];
    expect(new Set(different.map((e) => deltaOf(e)?.key)).size).toBe(different.length);
  });
});

describe('folding', () => {
  test('any first part of a run can be read', () => {
    fc.assert(
      fc.property(run, (events) => {
        for (let n = 0; n <= events.length; n++) {
          const folded = foldRun(events.slice(0, n));
          if (folded.status === 'streaming') expect(events.slice(0, n).some((e) => e.type === 'agent_completed' || e.type === 'agent_error')).toBe(false);
        }
      }),
    );
  });

  test('a whole run becomes the message that the person saw', () => {
    const events: AgentEvent[] = [
      { type: 'agent_started', agent_name: 'demo', message_id: 'm1', ...COMMON },
      { type: 'agent_thinking', reasoning: 'Let me', ...COMMON },
      { type: 'agent_thinking', reasoning: ' look.', ...COMMON },
      { type: 'tool_executing', tool_name: 'search', execution_id: 'x', parameters: { q: 'sky' }, ...COMMON },
      { type: 'tool_completed', tool_name: 'search', execution_id: 'x', success: true, results: ['blue'], ...COMMON },
      { type: 'text_delta', message_id: 'm1', text: 'Because', ...COMMON },
      { type: 'text_delta', message_id: 'm1', text: ' of air.', ...COMMON },
      { type: 'agent_completed', status: 'completed', final_response: 'Because of air.', ...COMMON },
      { type: 'text_delta', message_id: 'm1', text: 'too late', ...COMMON },
    ];
    expect(foldRun(events)).toEqual({
      parts: [
        { type: 'reasoning', text: 'Let me look.' },
        { type: 'tool', executionId: 'x', toolName: 'search', parameters: { q: 'sky' }, success: true, results: ['blue'] },
        { type: 'text', text: 'Because of air.' },
      ],
      status: 'complete',
      messageId: 'm1',
    });
  });

  test('two thoughts stay two, a call without an id of its own finds its result, a failure keeps its reason', () => {
    const { parts, status } = foldRun([
      { type: 'agent_thinking', reasoning: 'one', step_number: 1, ...COMMON },
      { type: 'agent_thinking', reasoning: 'two', step_number: 2, ...COMMON },
      { type: 'tool_executing', tool_name: 's', execution_id: 'tool:s', ...COMMON },
      { type: 'tool_completed', tool_name: 's', execution_id: 'tool:s', success: true, ...COMMON },
      { type: 'tool_executing', tool_name: 's', execution_id: 'tool:s', ...COMMON },
      { type: 'tool_completed', tool_name: 's', execution_id: 'tool:s', success: false, error_message: 'no', ...COMMON },
      { type: 'agent_error', error_message: 'gone', recoverable: true, ...COMMON },
    ]);
    expect(status).toBe('failed');
    expect(parts).toEqual([
      { type: 'reasoning', text: 'one' },
      { type: 'reasoning', text: 'two' },
      { type: 'tool', executionId: 'tool:s', toolName: 's', success: true },
      { type: 'tool', executionId: 'tool:s', toolName: 's', success: false, results: { error: 'no' } },
    ]);
  });

  test('a producer that does not stream is read from its last event', () => {
    expect(foldRun([{ type: 'agent_completed', status: 'completed', final_response: 'All.', ...COMMON }]).parts).toEqual([{ type: 'text', text: 'All.' }]);
  });
});
