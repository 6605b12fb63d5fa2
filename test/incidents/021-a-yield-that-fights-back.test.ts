// What an agent yields is anybody's object. One with a method `toJSON` was logged as whatever that method said, under no run and no
// thread; one with a getter that threw came out of a function that promised never to throw.
import { expect, test } from 'vitest';
import { normalise } from '../../src/codecs/agent-events.ts';
import type { MessageId, RunId, ThreadId } from '../../src/protocol/ids.ts';

const CONTEXT = { thread: 't' as ThreadId, run: 'run_1' as RunId, messageId: 'msg_1' as MessageId, eventId: 'e:1', timestamp: '2026-01-01T00:00:00.000Z' };

test('an event that would write itself is written by us', () => {
  const made = normalise({ type: 'custom', note: 'kept', toJSON: () => 'anything' }, CONTEXT);
  expect(made.is === 'event' && JSON.parse(made.text)).toMatchObject({ type: 'custom', note: 'kept', thread_id: 't', run_id: 'run_1' });
});

test.each([
  ['a getter', { type: 'agent_error', error: Object.defineProperty({}, 'message', { get: () => JSON.parse('{') }) }],
  ['a proxy', new Proxy({}, { get: () => JSON.parse('{') })],
])('%s that throws is a problem with a name', (_name, yielded) => {
  expect(normalise(yielded, CONTEXT)).toMatchObject({ is: 'invalid', problem: expect.stringContaining('fields can be read') });
});
