import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseClientFrame } from '../protocol/parse.ts';
import { AGENT_EVENTS } from './agent-events.ts';
import { CLIENT_FRAMES } from './client-frames.ts';
import { SERVER_FRAMES } from './server-frames.ts';

/** Types that a union of interfaces in `src/protocol` declares, read from the source, so that no type can be forgotten here. */
function typesIn(file: string): readonly string[] {
  const source = readFileSync(new URL(`../protocol/${file}`, import.meta.url), 'utf8');
  return [...new Set([...source.matchAll(/readonly type: '([^']+)'/g)].map(([, type]) => type as string))].sort();
}

test('every frame of the protocol has a schema, and every schema a frame', () => {
  expect([...new Set([...Object.keys(CLIENT_FRAMES), ...Object.keys(SERVER_FRAMES)])].sort()).toEqual(typesIn('frames.ts'));
  expect(Object.keys(AGENT_EVENTS).sort()).toEqual(typesIn('agent-events.ts'));
});

/** Texts that are short, or about `max` bytes long in one or more bytes a character, or half a character. */
const near = (max: number) =>
  fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 9 }),
    fc
      .tuple(fc.constantFrom('x', 'é', '字', '😀'), fc.integer({ min: -1, max: 1 }))
      .map(([fill, off]) => fill.repeat(Math.floor(max / new TextEncoder().encode(fill).length) + off)),
    fc.constantFrom('', '\ud800', 'a\udc00b'),
  );
const sub = fc.integer({ min: 1, max: 65_535 });
const thread = fc.stringMatching(/^[A-Za-z0-9._:-]{1,128}$/);
const epoch = fc.stringMatching(/^[0-9a-z]{1,16}$/);
const offset = fc.maxSafeNat();
const visibility = fc.constantFrom('visible', 'hidden', 'frozen');
const json = fc.jsonValue({ maxDepth: 3 });
const part = fc.oneof(
  fc.record({ type: fc.constantFrom('text', 'reasoning'), text: fc.string() }),
  fc.record(
    { type: fc.constant('tool'), executionId: near(64), toolName: near(64), parameters: json, success: fc.boolean(), results: json },
    { requiredKeys: ['type', 'executionId', 'toolName'] },
  ),
  fc.record({ type: fc.constant('file'), url: fc.string(), mediaType: fc.string() }),
);

/** Frames near the edge of what is allowed, good ones and those just beyond. */
const frames = fc.oneof(
  fc.record(
    {
      type: fc.constant('hello'),
      v: fc.integer({ min: 0, max: 3 }),
      minV: fc.integer({ min: 0, max: 3 }),
      token: near(8_192),
      client: fc.record({ name: near(64), version: near(32), label: near(128) }, { requiredKeys: ['name', 'version'] }),
      intent: fc.constantFrom('user', 'auto', 'robot'),
      visibility,
      waitMs: fc.integer({ min: -1, max: 9 }),
      resume: fc.record({ manager: near(64), token: near(512), subs: fc.array(fc.record({ sub, thread, epoch, offset }), { maxLength: 2 }) }),
      traceparent: near(128),
    },
    { requiredKeys: ['type', 'v', 'client', 'intent'] },
  ),
  fc.record(
    {
      type: fc.constant('subscribe'),
      sub: fc.integer({ min: 0, max: 65_536 }),
      thread,
      from: fc.oneof(fc.constantFrom('start', 'run', 'now', 'then'), fc.record({ epoch, offset })),
    },
    { requiredKeys: ['type', 'sub', 'thread'] },
  ),
  fc.record({ type: fc.constant('unsubscribe'), sub: fc.integer({ min: 0, max: 2 }) }),
  fc.record({ type: fc.constant('ack'), sub, offset: fc.oneof(offset, fc.integer(), fc.double()) }),
  fc.record(
    {
      type: fc.constant('send'),
      id: near(64),
      thread: fc.oneof(thread, fc.string()),
      data: fc.oneof(
        fc.record({ text: fc.string() }),
        fc.record({ parts: fc.array(part, { maxLength: 3 }), metadata: fc.oneof(fc.dictionary(fc.string(), json), json) }, { requiredKeys: ['parts'] }),
        json,
      ),
      agent: near(64),
    },
    { requiredKeys: ['type', 'id', 'thread', 'data'] },
  ),
  fc.record({ type: fc.constant('cancel'), run: near(64) }),
  fc.record({ type: fc.constant('probe-ok'), n: fc.integer(), visibility }, { requiredKeys: ['type', 'n'] }),
  fc.record({ type: fc.constant('check'), n: fc.oneof(fc.integer(), fc.double()) }),
  fc.record({ type: fc.constant('visibility'), state: fc.oneof(visibility, fc.string()) }),
  fc.record({ type: fc.constant('token'), token: near(8_192) }),
  fc.record({ type: fc.constant('bye'), reason: fc.constantFrom('left', 'parked', 'bored') }),
);

/** Frames that both must take. */
const good = frames.filter((frame) => parseClientFrame(JSON.stringify(frame)).is === 'frame');

/** Values near the bounds of fields. */
const edges = fc.oneof(
  fc.constant(undefined),
  json,
  fc.constantFrom(-1, 0, 1, 0.5, 65_535, 65_536, 2 ** 53 - 1, 2 ** 53),
  fc.constantFrom(32, 64, 128, 512, 8_192).chain(near),
);

/** A good frame with one of its fields, at any depth, replaced or taken away. */
const broken = fc.tuple(good, fc.nat(), edges).map(([frame, where, instead]) => {
  const copy = structuredClone(frame) as Record<string, unknown>;
  const places: [Record<string, unknown>, string][] = [];
  const collect = (value: unknown, depth: number): void => {
    if (typeof value !== 'object' || value === null || depth > 4) return;
    for (const key of Object.keys(value)) {
      if (depth > 0 || key !== 'type') places.push([value as Record<string, unknown>, key]);
      collect((value as Record<string, unknown>)[key], depth + 1);
    }
  };
  collect(copy, 0);
  const place = places[where % Math.max(1, places.length)];
  if (place) place[0][place[1]] = instead;
  return copy;
});

describe('the schemas and the parser', () => {
  const agree = (frame: object): boolean => {
    const wire = JSON.stringify(frame);
    const value = JSON.parse(wire) as { type: keyof typeof CLIENT_FRAMES };
    const taken = CLIENT_FRAMES[value.type].safeParse(value).success;
    return (parseClientFrame(wire).is === 'frame') === taken;
  };

  test('agree on frames near the edge of what is allowed', () => {
    fc.assert(fc.property(frames, agree), { numRuns: 2_000 });
  });

  test('agree on broken frames', () => {
    fc.assert(fc.property(broken, agree), { numRuns: 3_000 });
  });

  const hello = { type: 'hello', v: 1, client: { name: 'a', version: '1' }, intent: 'user' };
  test.each<[string, number, (text: string) => object]>([
    ['hello.token', 8_192, (token) => ({ ...hello, token })],
    ['hello.client.name', 64, (name) => ({ ...hello, client: { ...hello.client, name } })],
    ['hello.client.version', 32, (version) => ({ ...hello, client: { ...hello.client, version } })],
    ['hello.client.label', 128, (label) => ({ ...hello, client: { ...hello.client, label } })],
    ['hello.traceparent', 128, (traceparent) => ({ ...hello, traceparent })],
    ['hello.resume.manager', 64, (manager) => ({ ...hello, resume: { manager, token: 't', subs: [] } })],
    ['hello.resume.token', 512, (token) => ({ ...hello, resume: { manager: 'm', token, subs: [] } })],
    ['subscribe.thread', 128, (thread) => ({ type: 'subscribe', sub: 1, thread })],
    ['subscribe.from.epoch', 16, (epoch) => ({ type: 'subscribe', sub: 1, thread: 't', from: { epoch, offset: 0 } })],
    ['send.id', 64, (id) => ({ type: 'send', id, thread: 't', data: { text: '' } })],
    ['send.agent', 64, (agent) => ({ type: 'send', id: 'a', thread: 't', data: { text: '' }, agent })],
    ['cancel.run', 64, (run) => ({ type: 'cancel', run })],
    ['token.token', 8_192, (token) => ({ type: 'token', token })],
  ])('take %s up to %i bytes', (_name, most, frameWith) => {
    const taken = (text: string): boolean => {
      const frame = frameWith(text) as { type: keyof typeof CLIENT_FRAMES };
      expect(agree(frame)).toBe(true);
      return CLIENT_FRAMES[frame.type].safeParse(frame).success;
    };
    expect([taken('x'.repeat(most)), taken('x'.repeat(most + 1)), taken(`${'é'.repeat(most / 2)}x`)]).toEqual([true, false, false]);
  });

  test('leave the same frame when they take one', () => {
    fc.assert(
      fc.property(frames, (frame) => {
        const parsed = parseClientFrame(JSON.stringify(frame));
        if (parsed.is === 'frame') expect(CLIENT_FRAMES[parsed.frame.type].parse(parsed.frame)).toEqual(parsed.frame);
      }),
      { numRuns: 500 },
    );
  });
});
