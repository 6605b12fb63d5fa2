import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LIVE_BOUNDS } from './live.ts';
import { parseLiveRequest } from './parse-live.ts';

const id = fc.integer({ min: 0, max: 0x7fff_ffff });
const name = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 60 });
const window = fc.record({ from: fc.nat(), size: fc.integer({ min: 1, max: LIVE_BOUNDS.windowRows }) });
const optionally = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(fields, { requiredKeys: [] });
const topic = fc.oneof(
  fc.constantFrom('summary', 'map', 'queue', 'alerts', 'nodes', 'drills').map((of) => ({ of })),
  fc.record({ of: fc.constant('series'), range: fc.constantFrom('15m', '24h', '7d') }),
  fc.record(
    { of: fc.constant('users'), filter: name, sort: fc.constantFrom('seats', 'zombies', 'queued', 'name'), window },
    { requiredKeys: ['of', 'sort', 'window'] },
  ),
  fc.record(
    {
      of: fc.constant('managers'),
      filter: optionally({ user: name, verdict: name }),
      sort: fc.constantFrom('last-ack', 'unacked', 'buffered', 'idle', 'age'),
      window,
    },
    { requiredKeys: ['of', 'sort', 'window'] },
  ),
  fc.record({ of: fc.constant('user'), user: name }),
  fc.record({ of: fc.constant('manager'), manager: name }),
  fc.record({ of: fc.constant('events'), filter: optionally({ type: name, user: name, reason: name }) }, { requiredKeys: ['of'] }),
);
const request = fc.oneof(
  fc.record({ type: fc.constant('auth'), key: name }),
  fc.record({ type: fc.constant('watch'), id, topic }),
  fc.record({ type: fc.constant('unwatch'), id }),
  fc.record({ type: fc.constant('who'), id, cell: fc.nat() }),
);

test('everything that a page may say is taken as it is, and fields of later versions are left out', () => {
  fc.assert(
    fc.property(request, (said) => {
      expect(parseLiveRequest(JSON.stringify({ ...said, later: true }))).toEqual({ is: 'request', request: said });
    }),
  );
});

test('a topic has one spelling, so that two pages that watch the same share one look', () => {
  const parsed = parseLiveRequest('{"topic":{"window":{"size":5,"from":0},"sort":"age","of":"managers"},"id":1,"type":"watch"}');
  const request = { type: 'watch', id: 1, topic: { of: 'managers', sort: 'age', window: { from: 0, size: 5 } } };
  expect(JSON.stringify(parsed)).toBe(JSON.stringify({ is: 'request', request }));
});

test('anything else is a problem that says what was expected, and never throws', () => {
  const wrong = fc.oneof(
    fc.string(),
    fc.json(),
    fc.record({ type: fc.jsonValue(), id: fc.jsonValue(), topic: fc.jsonValue() }).map((value) => JSON.stringify(value)),
  );
  fc.assert(
    fc.property(wrong, (text) => {
      const parsed = parseLiveRequest(text);
      if (parsed.is === 'problem') expect(parsed.detail).toMatch(/Expected .*(got|nested|bytes)/);
    }),
  );
  expect(parseLiveRequest(`{"type":"auth","key":"${'x'.repeat(LIVE_BOUNDS.frameBytes)}"}`)).toMatchObject({ is: 'problem', code: 'payload-too-large' });
  expect(parseLiveRequest('['.repeat(100))).toMatchObject({ is: 'problem', code: 'bad-request' });
  // A key that is spelt wrong is not repeated.
  expect(JSON.stringify(parseLiveRequest('{"type":"auth","key":["a secret"]}'))).not.toContain('secret');
});
