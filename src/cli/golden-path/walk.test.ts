import { expect, test } from 'vitest';
import type { AgentEvent } from '../../protocol/agent-events.ts';
import { problemIn } from './walk.ts';

const common = { thread_id: 't', run_id: 'r', message_id: 'm', timestamp: '2026-11-21T00:00:00.000Z' };
const started = { ...common, event_id: '1', type: 'agent_started', agent_name: 'a' } as const;
const delta = (text: string): AgentEvent => ({ ...common, event_id: `d-${text}`, type: 'text_delta', text });
const completed = (final_response: string): AgentEvent => ({ ...common, event_id: '9', type: 'agent_completed', status: 'completed', final_response });

test('a whole and right answer has no problem, whatever groups its digits', () => {
  expect(problemIn([started, delta('It is '), delta('9,193.'), completed('It is 9,193.')], 9_193)).toBeNull();
  expect(problemIn([started, delta('Certainly.'), completed('Certainly.')], null)).toBeNull();
});

test.each<[string, readonly AgentEvent[], string]>([
  ['nothing came', [], 'begins with nothing'],
  ['the beginning is missing', [delta('9'), completed('9')], 'begins with text_delta'],
  ['the end is missing', [started, delta('9193')], 'ends with text_delta'],
  ['it is empty', [started, completed('')], 'is empty'],
  ['a piece is missing', [started, delta('It is 9193'), completed('It is 9193.')], '10 characters arrived of 11'],
  ['a piece came twice', [started, delta('9193'), delta('9193'), completed('9193')], '8 characters arrived of 4'],
  ['the answer is wrong', [started, delta('9194'), completed('9194')], 'is wrong'],
  [
    'the agent failed',
    [started, { ...common, event_id: '9', type: 'agent_error', error_message: 'x', recoverable: true, code: 'producer_lost' }],
    'producer_lost',
  ],
])('what is wrong is named: %s', (_, events, problem) => {
  expect(problemIn(events, 9_193)).toContain(problem);
});
