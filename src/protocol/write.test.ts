import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type EventParts, writeEventFrame, writeFrame } from './write.ts';

const parts: fc.Arbitrary<EventParts> = fc.record({
  sub: fc.integer({ min: 1, max: 65_535 }),
  from: fc.option(fc.nat(), { nil: undefined }),
  offset: fc.maxSafeNat(),
  kind: fc.constantFrom('message', undefined),
  at: fc.option(fc.maxSafeNat(), { nil: undefined }),
  ack: fc.option(fc.boolean(), { nil: undefined }),
  data: fc.json(),
});

test('an event frame is what JSON.stringify would have written, field for field in wire order', () => {
  fc.assert(
    fc.property(parts, (e) => {
      const expected = {
        type: 'event',
        sub: e.sub,
        ...(e.from === undefined || e.from === e.offset ? {} : { from: e.from }),
        offset: e.offset,
        ...(e.kind === undefined ? {} : { kind: e.kind }),
        ...(e.at === undefined ? {} : { at: e.at }),
        ...(e.ack === true ? { ack: true } : {}),
        data: 0,
      };
      expect(writeEventFrame(e)).toBe(JSON.stringify(expected).replace(/0}$/, () => `${e.data}}`));
    }),
  );
});

test('the first covered offset is left out where the frame covers one entry', () => {
  expect(writeEventFrame({ sub: 1, from: 4, offset: 4, data: '{}' })).toBe('{"type":"event","sub":1,"offset":4,"data":{}}');
  expect(writeEventFrame({ sub: 1, from: 4, offset: 61, ack: true, data: '[]' })).toBe('{"type":"event","sub":1,"from":4,"offset":61,"ack":true,"data":[]}');
});

test('other frames keep the order of their fields', () => {
  expect(writeFrame({ type: 'replayed', sub: 1, offset: 0 })).toBe('{"type":"replayed","sub":1,"offset":0}');
});
