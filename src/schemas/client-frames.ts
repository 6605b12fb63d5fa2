/** Schemas of the frames that a client sends, one a type. Unknown fields are ignored. */

import { z } from 'zod';
import { BOUNDS, type ClientFrameType } from '../protocol/frames.ts';
import { MessageData } from './messages.ts';
import { Codec, duration, Epoch, Intent, Offset, OpaqueId, Position, Sub, ThreadId, text, Visibility, whole } from './values.ts';

const ResumeSub = z.object({ sub: Sub, thread: ThreadId, epoch: Epoch, offset: Offset, codec: Codec.optional() }).meta({ id: 'ResumeSub' });

/** Whose is the frame's place in its type's rules, and what a wrong one costs, is in the description. */
export const CLIENT_FRAMES = {
  hello: z
    .object({
      type: z.literal('hello'),
      v: whole(1).describe('Highest version spoken.'),
      minV: whole(1).optional().describe('Lowest version spoken; at most `v`, which is its default.'),
      token: text(1, BOUNDS.tokenBytes).optional().describe('A JWT.'),
      client: z.object({
        name: text(1, BOUNDS.clientNameBytes),
        version: text(1, BOUNDS.clientVersionBytes),
        label: text(0, BOUNDS.clientLabelBytes).optional(),
      }),
      intent: Intent,
      visibility: Visibility.optional(),
      waitMs: duration.optional().describe('A shorter patience with the queue.'),
      resume: z.object({ manager: OpaqueId, token: text(1, BOUNDS.resumeTokenBytes), subs: z.array(ResumeSub).max(BOUNDS.subs) }).optional(),
      traceparent: text(0, BOUNDS.traceparentBytes).optional(),
    })
    .refine((hello) => hello.minV === undefined || hello.minV <= hello.v, 'Expected `minV` to be at most `v`')
    .meta({ id: 'Hello', description: 'First frame of a connection, exactly once. A wrong one ends it with 4500.' }),
  subscribe: z
    .object({
      type: z.literal('subscribe'),
      sub: Sub,
      thread: ThreadId,
      from: z.union([Position, z.enum(['start', 'run', 'now'])]).optional(),
      codec: Codec.optional(),
    })
    .meta({ id: 'Subscribe', description: 'Follows a thread behind a position; default `now`.' }),
  unsubscribe: z.object({ type: z.literal('unsubscribe'), sub: Sub }).meta({ id: 'Unsubscribe' }),
  ack: z
    .object({ type: z.literal('ack'), sub: Sub, offset: Offset })
    .meta({ id: 'Ack', description: 'The application has applied everything up to `offset`. A wrong one ends the connection with 4500.' }),
  send: z
    .object({
      type: z.literal('send'),
      id: text(1, BOUNDS.sendIdBytes).describe('Idempotency key.'),
      thread: ThreadId,
      data: MessageData,
      agent: text(1, BOUNDS.agentBytes).optional(),
    })
    .meta({ id: 'Send', description: 'A message of the person; starts a run or waits for the one before.' }),
  cancel: z.object({ type: z.literal('cancel'), run: OpaqueId }).meta({ id: 'Cancel' }),
  'probe-ok': z
    .object({ type: z.literal('probe-ok'), n: whole(0), visibility: Visibility.optional() })
    .meta({ id: 'ProbeOk', description: 'Answer to `probe`, after the acks of all subscriptions. A wrong one ends the connection with 4500.' }),
  check: z.object({ type: z.literal('check'), n: whole(0) }).meta({ id: 'Check', description: 'Asks whether the connection still works.' }),
  visibility: z.object({ type: z.literal('visibility'), state: Visibility }).meta({ id: 'VisibilityFrame' }),
  token: z
    .object({ type: z.literal('token'), token: text(1, BOUNDS.tokenBytes) })
    .meta({ id: 'TokenFrame', description: 'A fresh JWT of the same user. A wrong one ends the connection with 4501.' }),
  bye: z.object({ type: z.literal('bye'), reason: z.enum(['left', 'parked']) }).meta({ id: 'ClientBye', description: 'Frees the seat at once.' }),
} satisfies { readonly [T in ClientFrameType]: z.ZodType };
