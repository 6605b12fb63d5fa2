/** What an agent may yield, and what it must not: an application's own code is a stranger too. */

import fc from 'fast-check';
import { anyJson } from './frames.ts';

const TYPES = [
  'agent_started',
  'agent_thinking',
  'tool_executing',
  'tool_completed',
  'text_delta',
  'agent_completed',
  'agent_error',
  'stream_chunk',
  'tool_call',
  'custom',
  '__proto__',
  'constructor',
  '',
];
const NAMES = [
  'text',
  'reasoning',
  'agent_name',
  'tool_name',
  'execution_id',
  'success',
  'status',
  'error_message',
  'recoverable',
  'delta',
  'content',
  'data',
  'payload',
  'error',
  'event_id',
  'thread_id',
  'run_id',
  'message_id',
  'timestamp',
  'final_response',
  'step_number',
  '__proto__',
  'toJSON',
];

const cyclic = (): object => {
  const self: Record<string, unknown> = {};
  self.self = self;
  return self;
};
const throwing = (): object =>
  Object.defineProperty({ [fc.toStringMethod]: () => 'throwing' }, 'message', {
    enumerable: true,
    get() {
      throw new Error('a getter');
    },
  });
const hostile = (): object =>
  new Proxy(
    {},
    {
      get(_target, key) {
        // Asked by fast-check, for its report.
        if (key === fc.toStringMethod) return () => 'hostile';
        throw new Error('a proxy');
      },
      has: (_target, key) => key === fc.toStringMethod,
    },
  );
/** Values that no JSON carries, and some that fight back. */
const odd: fc.Arbitrary<unknown> = fc
  .constantFrom<() => unknown>(
    () => undefined,
    () => Number.NaN,
    () => Number.POSITIVE_INFINITY,
    () => 1n,
    () => Symbol('s'),
    () => () => 1,
    () => new Date(Number.NaN),
    () => new Map([[1, 2]]),
    () => new Uint8Array(3),
    cyclic,
    throwing,
    hostile,
    () => '\ud800',
    () => 'x'.repeat(300_000),
    () => ({
      toJSON() {
        throw new Error('toJSON');
      },
    }),
    () => Object.create(null) as object,
    () => deep(500),
  )
  .map((make) => make());

function deep(levels: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < levels; i++) value = [value];
  return value;
}

const value = fc.oneof({ weight: 6, arbitrary: anyJson }, { weight: 3, arbitrary: fc.string({ maxLength: 20 }) }, { weight: 1, arbitrary: odd });
const fields = fc.array(fc.tuple(fc.constantFrom(...NAMES), value), { maxLength: 6 });

export const anyYield: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 1, arbitrary: value },
  {
    weight: 9,
    arbitrary: fc.tuple(fc.constantFrom(...TYPES), fields, fc.option(fields)).map(([type, own, inner]) => {
      const event: Record<string, unknown> = { type, ...Object.fromEntries(own) };
      return inner === null ? event : { ...event, data: Object.fromEntries(inner) };
    }),
  },
);
