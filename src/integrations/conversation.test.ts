import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { StreamEvent, ThreadEvent, ThreadMessage, ThreadSnapshot } from '../client/index.ts';
import { foldRun } from '../codecs/fold.ts';
import type { AgentEvent } from '../protocol/agent-events.ts';
import type { Epoch, MessageId, RunId, ThreadId } from '../protocol/ids.ts';
import { EMPTY, fromSnapshot, stepsOf, withEvent } from './conversation.ts';

const EPOCH = 'k3' as Epoch;
const common = { event_id: 'e', thread_id: 't', run_id: 'run_1', timestamp: '2026-01-01T00:00:00.000Z' };
const started: AgentEvent = { ...common, type: 'agent_started', agent_name: 'a', message_id: 'msg_1' };
const text = (t: string): AgentEvent => ({ ...common, type: 'text_delta', message_id: 'msg_1', text: t });
const thought = (t: string, id?: string): AgentEvent => ({ ...common, type: 'agent_thinking', reasoning: t, ...(id === undefined ? {} : { thinking_id: id }) });
const calling = (id: string): AgentEvent => ({ ...common, type: 'tool_executing', tool_name: 'search', execution_id: id, parameters: { q: id } });
const called = (id: string, success: boolean): AgentEvent => ({
  ...common,
  type: 'tool_completed',
  tool_name: 'search',
  execution_id: id,
  success,
  ...(success ? { results: 1 } : { error_message: 'no' }),
});

const middle = fc.oneof(
  fc.constantFrom('', 'a', 'b ').map(text),
  fc.constantFrom('x', 'y').map((t) => thought(t)),
  fc.constantFrom('1', '2').map(calling),
  fc.tuple(fc.constantFrom('1', '2'), fc.boolean()).map(([id, success]) => called(id, success)),
);
const ends = fc.constantFrom<AgentEvent | null>(
  null,
  { ...common, type: 'agent_completed', status: 'completed', final_response: 'whole' },
  { ...common, type: 'agent_completed', status: 'cancelled' },
  { ...common, type: 'agent_error', error_message: 'It broke.', recoverable: true },
);
const runs = fc.tuple(fc.array(middle, { maxLength: 20 }), ends).map(([events, end]) => [started, ...events, ...(end === null ? [] : [end])]);

const at = (data: ThreadEvent, offset: number): StreamEvent<ThreadEvent> => ({ position: { epoch: EPOCH, offset }, data, replay: false });

function snapshotAfter(events: readonly AgentEvent[], offset: number): ThreadSnapshot {
  const { parts, status } = foldRun(events);
  const message: ThreadMessage = { id: 'msg_1' as MessageId, role: 'assistant', status, createdAt: 0, run: 'run_1' as RunId, parts };
  return {
    thread: 't' as ThreadId,
    position: { epoch: EPOCH, offset },
    activeRun: status === 'streaming' ? ('run_1' as RunId) : null,
    messages: [message],
    hasMore: false,
  };
}

test('a reload anywhere in an answer makes the same message as watching all of it', () => {
  fc.assert(
    fc.property(runs, fc.nat(21), (events, split) => {
      const whole = foldRun(events);
      for (const cut of [0, Math.min(split, events.length)]) {
        const start = cut === 0 ? EMPTY : fromSnapshot(snapshotAfter(events.slice(0, cut), cut));
        const end = events.slice(cut).reduce((c, data, i) => withEvent(c, at(data, cut + i + 1)), start);
        expect(end.messages.map(({ parts, status }) => ({ parts, status }))).toEqual([{ parts: whole.parts, status: whole.status }]);
        expect(end.position?.offset).toBe(events.length);
        expect(end.activeRun).toBe(whole.status === 'streaming' ? 'run_1' : null);
      }
    }),
  );
});

test('thoughts of different ids stay apart, and one goes on over a tool', () => {
  const events = [started, thought('a', '1'), thought('b', '1'), thought('c', '2'), calling('1'), thought('d', '2')];
  const end = events.reduce((c, data, i) => withEvent(c, at(data, i + 1)), EMPTY);
  expect(stepsOf(end.messages[0]).map((s) => (s.kind === 'thinking' ? s.text : s.state))).toEqual(['ab', 'c', 'running', 'd']);
});

test('what follows the end of a run changes nothing but the position', () => {
  const failed: AgentEvent = { ...common, type: 'agent_error', error_message: 'It broke.', recoverable: false };
  const end = [started, text('a'), failed, text('late')].reduce((c, data, i) => withEvent(c, at(data, i + 1)), EMPTY);
  expect(end.messages[0]).toMatchObject({ status: 'failed', parts: [{ type: 'text', text: 'a' }] });
  expect(end).toMatchObject({ failure: { text: 'It broke.', canRetry: false }, activeRun: null, position: { offset: 4 } });
});

test('a message of the person is shown once, and clears what went wrong before', () => {
  const message = { id: 'msg_0' as MessageId, role: 'user', status: 'complete', createdAt: 1, parts: [{ type: 'text', text: 'hi' }] } as const;
  const before = { ...EMPTY, messages: [message], failure: { text: 'It broke.', canRetry: true } };
  const after = withEvent(before, { ...at(message, 1), kind: 'message' });
  expect(after.messages).toHaveLength(1);
  expect(after.failure).toBeNull();
});

test('a call without a result in an answer that is over has failed', () => {
  const events: AgentEvent[] = [started, calling('1'), { ...common, type: 'agent_completed', status: 'cancelled' }];
  const end = events.reduce((c, data, i) => withEvent(c, at(data, i + 1)), EMPTY);
  expect(stepsOf(end.messages[0])).toMatchObject([{ kind: 'tool', state: 'failed', parameters: { q: '1' } }]);
});
