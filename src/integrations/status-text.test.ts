import { expect, test } from 'vitest';
import type { ClientState, DisconnectInfo } from '../client/index.ts';
import { statusText } from './status-text.ts';

const info = (code: number, returns: DisconnectInfo['return'], text = 'A sentence.'): DisconnectInfo => ({ code, name: 'x', return: returns, text, docs: '' });
const lost = (name: 'reconnecting' | 'offline', more: object = {}): ClientState => ({ name, attempt: 2, retryInMs: 500, since: 0, ...more });

test('a wait always has a number', () => {
  expect(statusText({ name: 'queued', position: 2, of: 3, etaMs: 3_000, deadlineMs: 9_000 }, 2_600, 0)?.text).toBe(
    'Finding room for you: number 2, about 3 s. Your message is kept and goes out by itself.',
  );
});

test('a short loss needs no words, a longer one some, a long one a button', () => {
  expect(statusText(lost('reconnecting'), 500, 2_999)).toBeNull();
  expect(statusText(lost('reconnecting'), 500, 3_000)).toEqual({ text: 'Reconnecting… what you see is kept.', action: null });
  expect(statusText(lost('offline'), 500, 15_000)).toMatchObject({ text: expect.stringMatching(/^Offline since .*We go on trying\.$/), action: 'try-now' });
});

test('an answer is said to go on only where nothing speaks against it', () => {
  const text = (more: object, isOffline = false): string | undefined => statusText(lost('reconnecting', more), 500, 3_000, isOffline)?.text;
  expect(text({ info: info(4001, 'now') })).toBe('Reconnecting… your answer continues.');
  expect(text({ info: info(1006, 'now') }, true)).toBe('Reconnecting… your answer continues.');
  // A killed gateway takes the answer along.
  expect(text({ info: info(1006, 'now') })).toBe('Reconnecting… what you see is kept.');
});

test('what the gateway said is said, with the step that helps', () => {
  expect(statusText(lost('reconnecting', { info: info(4102, 'after') }), 500, 0)).toEqual({ text: 'A sentence.', action: 'try-now' });
  expect(statusText({ name: 'superseded', info: info(4201, 'user') }, 0, 0)).toEqual({ text: 'A sentence.', action: 'resume-here' });
  expect(statusText({ name: 'failed', info: info(4010, 'never') }, 0, 0)?.action).toBe('sign-in');
  expect(statusText({ name: 'failed', info: info(4503, 'never') }, 0, 0)?.action).toBe('reload');
  for (const name of ['idle', 'parked', 'closed'] as const) expect(statusText({ name }, 0, 0)).toBeNull();
});
