import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MessageId, RunId, ThreadId } from '../protocol/ids.ts';
import { type EventContext, normalise } from './agent-events.ts';

const context: EventContext = {
  thread: 't1' as ThreadId,
  run: 'run_00000000000000000001' as RunId,
  messageId: 'msg_00000000000000000002' as MessageId,
  eventId: 'run_00000000000000000001-3',
  timestamp: '2026-01-02T03:04:05.678Z',
};
const COMMON = { event_id: context.eventId, thread_id: context.thread, run_id: context.run, timestamp: context.timestamp };

const textOf = (yielded: unknown): string => {
  const answer = normalise(yielded, context);
  return answer.is === 'event' ? answer.text : answer.problem;
};
const eventOf = (yielded: unknown): unknown => {
  const answer = normalise(yielded, context);
  return answer.is === 'event' ? answer.event : answer.problem;
};

describe('the one form that is logged', () => {
  test('keys stand in the order of the transcripts, whatever order they came in', () => {
    expect(textOf({ text: 'Because', type: 'text_delta' })).toBe(
      `{"type":"text_delta","message_id":"${context.messageId}","text":"Because","event_id":"${context.eventId}","thread_id":"t1","run_id":"${context.run}","timestamp":"${context.timestamp}"}`,
    );
    expect(Object.keys(eventOf({ agent_name: 'demo', type: 'agent_started', model: 'm' }) as object)).toEqual([
      'type',
      'run_id',
      'message_id',
      'agent_name',
      'model',
      'event_id',
      'thread_id',
      'timestamp',
    ]);
    expect(Object.keys(eventOf({ final_response: 'x', type: 'agent_completed', status: 'completed' }) as object).slice(0, 3)).toEqual([
      'type',
      'status',
      'final_response',
    ]);
  });

  test('no producer speaks for another run, thread or message', () => {
    const event = eventOf({ type: 'text_delta', text: 'x', run_id: 'run_9', thread_id: 'foreign', message_id: 'msg_9' });
    expect(event).toMatchObject({ run_id: context.run, thread_id: 't1', message_id: context.messageId });
  });

  test('its own id and time are kept where they are good', () => {
    expect(eventOf({ type: 'text_delta', text: 'x', event_id: 'mine', timestamp: '2020-01-01T00:00:00Z' })).toMatchObject({
      event_id: 'mine',
      timestamp: '2020-01-01T00:00:00Z',
    });
    expect(eventOf({ type: 'text_delta', text: 'x', event_id: 7, timestamp: 1_577_836_800 })).toMatchObject({
      event_id: context.eventId,
      timestamp: context.timestamp,
    });
  });

  test('a long answer is left out of the end, which its deltas have told already', () => {
    const event = eventOf({ type: 'agent_completed', status: 'completed', final_response: 'x'.repeat(262_144), execution_time_ms: 5 });
    expect(event).toEqual({ type: 'agent_completed', status: 'completed', execution_time_ms: 5, ...COMMON });
  });

  test('the text is the event', () => {
    const answer = normalise({ type: 'tool_executing', tool_name: 'search', execution_id: 'x1', parameters: { q: 'sky' } }, context);
    expect(answer.is === 'event' && JSON.parse(answer.text)).toEqual(answer.is === 'event' && answer.event);
  });
});

describe('old producers', () => {
  const started = { type: 'agent_started', message_id: context.messageId, ...COMMON };
  test.each<[string, object, object]>([
    ['agent_id, task_description', { type: 'agent_started', agent_id: 'a', task_description: 'do' }, { ...started, agent_name: 'a', message: 'do' }],
    ['agent_type', { type: 'agent_started', agent_type: 'triage' }, { ...started, agent_name: 'triage' }],
    ['thought', { type: 'agent_thinking', thought: 'hm' }, { type: 'agent_thinking', reasoning: 'hm', ...COMMON }],
    ['thinking', { type: 'agent_thinking', thinking: 'hm' }, { type: 'agent_thinking', reasoning: 'hm', ...COMMON }],
    [
      'tool_started, tool_args',
      { type: 'tool_started', tool_name: 's', execution_id: 'e', tool_args: { q: 1 } },
      { type: 'tool_executing', tool_name: 's', execution_id: 'e', parameters: { q: 1 }, ...COMMON },
    ],
    [
      'tool_call, params, no id',
      { type: 'tool_call', tool_name: 's', params: [] },
      { type: 'tool_executing', tool_name: 's', execution_id: 'tool:s', parameters: [], ...COMMON },
    ],
    [
      'tool_result, result, duration',
      { type: 'tool_result', tool_name: 's', result: 1, duration: 5 },
      { type: 'tool_completed', tool_name: 's', execution_id: 'tool:s', success: true, results: 1, execution_time_ms: 5, ...COMMON },
    ],
    [
      'output, duration_ms',
      { type: 'tool_completed', tool_name: 's', execution_id: 'e', success: true, output: 'o', duration_ms: 5 },
      { type: 'tool_completed', tool_name: 's', execution_id: 'e', success: true, results: 'o', execution_time_ms: 5, ...COMMON },
    ],
    [
      'a failed tool',
      { type: 'tool_completed', tool_name: 's', execution_id: 'e', error_message: 'no' },
      { type: 'tool_completed', tool_name: 's', execution_id: 'e', success: false, error_message: 'no', ...COMMON },
    ],
    ['partial_result, delta', { type: 'partial_result', delta: 'x' }, { type: 'text_delta', message_id: context.messageId, text: 'x', ...COMMON }],
    ['stream_chunk, content', { type: 'stream_chunk', content: 'x' }, { type: 'text_delta', message_id: context.messageId, text: 'x', ...COMMON }],
    [
      'final_report, response, duration_ms',
      { type: 'final_report', response: 'r', duration_ms: 9 },
      { type: 'agent_completed', status: 'completed', final_response: 'r', execution_time_ms: 9, ...COMMON },
    ],
    ['agent_death, error', { type: 'agent_death', error: 'gone' }, { type: 'agent_error', error_message: 'gone', recoverable: true, ...COMMON }],
    [
      'an error object',
      { type: 'agent_error', error: { message: 'gone' }, recoverable: false },
      { type: 'agent_error', error_message: 'gone', recoverable: false, ...COMMON },
    ],
    ['message', { type: 'agent_error', message: 'gone' }, { type: 'agent_error', error_message: 'gone', recoverable: true, ...COMMON }],
  ])('%s', (_name, yielded, event) => {
    expect(eventOf(yielded)).toEqual(event);
    const { type, ...fields } = yielded as { type: string };
    expect(eventOf({ type, data: fields })).toEqual(event);
    expect(eventOf({ type, payload: fields })).toEqual(event);
  });

  test('a name of today wins over an older one, wherever it lies', () => {
    expect(eventOf({ type: 'text_delta', content: 'old', payload: { text: 'new' } })).toMatchObject({ text: 'new' });
  });
});

describe('what is no event', () => {
  test.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /Expected an event object/],
    ['text', 'hello', /Expected an event object, got string/],
    ['an array', [], /got an array/],
    ['no type', {}, /`type`/],
    ['a delta without text', { type: 'text_delta' }, /text_delta: expected `text`, got none/],
    ['a delta of numbers', { type: 'text_delta', text: 4 }, /expected `text` to be a string, got number/],
    ['a start without a name', { type: 'agent_started' }, /`agent_name`/],
    ['another status', { type: 'agent_completed', status: 'great' }, /`status`/],
    ['values that JSON has no word for', { type: 'tool_executing', tool_name: 't', execution_id: 'e', parameters: { n: 1n } }, /JSON can carry/],
    ['an event of 256 KiB and more', { type: 'text_delta', text: 'x'.repeat(262_144) }, /at most 262144 bytes/],
  ])('%s', (_name, yielded, problem) => {
    expect(normalise(yielded, context)).toEqual({ is: 'invalid', problem: expect.stringMatching(problem) });
  });

  test('an event of a type of its own passes, in its own run', () => {
    expect(eventOf({ type: 'my_step', label: 'two', run_id: 'run_9' })).toEqual({ type: 'my_step', label: 'two', ...COMMON });
  });

  test('whatever an agent yields, normalising answers', () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withNullPrototype: true, withSparseArray: true, withTypedArray: true }), (value) =>
        ['event', 'invalid'].includes(normalise(value, context).is),
      ),
    );
    fc.assert(
      fc.property(
        fc.constantFrom('text_delta', 'agent_error', 'tool_result', 'x'),
        fc.object({ key: fc.constantFrom('text', 'data', 'payload', 'error', 'success', 'tool_name') }),
        (type, o) => ['event', 'invalid'].includes(normalise({ ...o, type }, context).is),
      ),
    );
  });
});
