import { expect, test } from 'vitest';
import { SpillwayError } from '../client/index.ts';
import { refusalOf } from './own-messages.ts';

test('trying again is offered only where it can help', () => {
  const tooLong = refusalOf(new SpillwayError('SPILLWAY_BAD_ARGUMENT', 'Expected a message of at most 262144 bytes, got 300000.'));
  expect(tooLong).toEqual({ text: 'The message is too long. Shorten it and send it again.', canRetry: false });
  expect(refusalOf(new SpillwayError('SPILLWAY_OUTBOX_FULL', '', { retry: 'later' })).canRetry).toBe(true);
  expect(refusalOf(new SpillwayError('SPILLWAY_CLOSED', '')).canRetry).toBe(true);
  expect(refusalOf(new SpillwayError('SPILLWAY_REFUSED', 'The words of the gateway.'))).toEqual({ text: 'The words of the gateway.', canRetry: false });
  expect(refusalOf(new SpillwayError('SPILLWAY_REFUSED', '', { retry: 'later' })).canRetry).toBe(true);
});
