/** Schemas of the frames that the gateway sends, one a type. */

import { z } from 'zod';
import { ERROR_STATUS, type ErrorCode } from '../protocol/errors.ts';
import { BOUNDS, type ServerFrameType } from '../protocol/frames.ts';
import { AGENT_EVENTS } from './agent-events.ts';
import { CancelState, NoticeShape, RunAccepted, ThreadMessage } from './messages.ts';
import { Codec, duration, Epoch, instant, Limits, LimitsFields, Offset, OpaqueId, Sub, ThreadId, UserInfo, whole } from './values.ts';

export const ErrorCodes = z.enum(Object.keys(ERROR_STATUS) as [ErrorCode, ...ErrorCode[]]).meta({ id: 'ErrorCode' });

const EventData = z
  .discriminatedUnion('type', Object.values(AGENT_EVENTS) as [(typeof AGENT_EVENTS)['agent_started'], ...(typeof AGENT_EVENTS)['agent_started'][]])
  .or(ThreadMessage)
  .meta({ id: 'EventData', description: 'One event of a run, or with `kind` "message" a stored message.' });

const Explanation = z
  .object({
    level: z.string(),
    evidence: z.array(z.object({ signal: z.string(), ageMs: z.number(), value: z.number().optional() })),
    by: z.object({ label: z.string() }).optional(),
  })
  .meta({ id: 'Explanation' });

export const SERVER_FRAMES = {
  welcome: z
    .object({
      type: z.literal('welcome'),
      v: whole(1),
      node: z.string(),
      now: instant,
      user: UserInfo,
      authExpiresAt: instant,
      heartbeatMs: duration,
      clientTimeoutMs: duration,
      ack: z.object({ frames: whole(1), bytes: whole(1), ms: duration }),
      max: z.object({ frameBytes: whole(1), subs: whole(1) }),
    })
    .meta({ id: 'Welcome', description: 'The user is recognised; no seat yet.' }),
  queued: z
    .object({ type: z.literal('queued'), position: whole(1), of: whole(1), etaMs: duration, deadlineMs: duration.describe('Left to wait.') })
    .meta({ id: 'Queued', description: 'Waiting for a seat; repeated on every change and at least every two seconds.' }),
  ready: z
    .object({
      type: z.literal('ready'),
      manager: OpaqueId,
      resumeToken: z.string().max(BOUNDS.resumeTokenBytes),
      resumeWindowMs: duration,
      resume: z.enum(['fresh', 'attached', 'readmitted']),
      seat: z.enum(['soft', 'burst']),
      limits: Limits,
    })
    .meta({ id: 'Ready', description: 'Seated.' }),
  subscribed: z
    .object({
      type: z.literal('subscribed'),
      sub: Sub,
      thread: ThreadId,
      epoch: Epoch,
      offset: Offset,
      head: Offset,
      codec: Codec,
      activeRun: OpaqueId.nullable(),
    })
    .meta({ id: 'Subscribed', description: 'Delivery continues behind `offset`.' }),
  unsubscribed: z.object({ type: z.literal('unsubscribed'), sub: Sub }).meta({ id: 'Unsubscribed' }),
  event: z
    .object({
      type: z.literal('event'),
      sub: Sub,
      from: Offset.optional().describe('First covered offset; absent means `offset`.'),
      offset: Offset.describe('Last covered offset.'),
      kind: z.literal('message').optional(),
      at: instant.optional(),
      ack: z.literal(true).optional().describe('Acknowledge at once.'),
      data: z.union([EventData, z.array(EventData)]),
    })
    .meta({ id: 'Event', description: 'A range of the stream, to be applied whole or not at all.' }),
  replayed: z
    .object({ type: z.literal('replayed'), sub: Sub, offset: Offset })
    .meta({ id: 'Replayed', description: 'Everything that existed at subscribe time has been sent.' }),
  gap: z
    .object({
      type: z.literal('gap'),
      sub: Sub,
      epoch: Epoch,
      from: Offset,
      to: Offset,
      reason: z.enum(['retention', 'epoch', 'rewound']),
      snapshot: z.string().describe('Path of the snapshot that replaces what is missing.'),
    })
    .meta({ id: 'Gap', description: 'Entries `from` to `to` cannot be delivered.' }),
  'run-accepted': z.object({ type: z.literal('run-accepted'), ...RunAccepted }).meta({ id: 'RunAcceptedFrame', description: 'The message is durable.' }),
  cancelled: z.object({ type: z.literal('cancelled'), run: OpaqueId, state: CancelState }).meta({ id: 'Cancelled' }),
  probe: z.object({ type: z.literal('probe'), n: whole(0) }).meta({ id: 'Probe', description: 'Answered with `probe-ok` inside the message handler.' }),
  'check-ok': z.object({ type: z.literal('check-ok'), n: whole(0) }).meta({ id: 'CheckOk' }),
  limits: z.object({ type: z.literal('limits'), ...LimitsFields }).meta({ id: 'LimitsFrame' }),
  notice: z.object({ type: z.literal('notice'), ...NoticeShape }).meta({ id: 'NoticeFrame' }),
  'token-ok': z.object({ type: z.literal('token-ok'), authExpiresAt: instant }).meta({ id: 'TokenOk' }),
  'token-expiring': z
    .object({ type: z.literal('token-expiring'), authExpiresAt: instant })
    .meta({ id: 'TokenExpiring', description: 'A `token` frame is due.' }),
  error: z
    .object({
      type: z.literal('error'),
      code: ErrorCodes,
      message: z.string(),
      retryable: z.boolean(),
      retryAfterMs: duration.optional(),
      ref: z
        .object({ type: z.string(), id: z.string().optional(), sub: z.number().optional(), run: z.string().optional(), n: z.number().optional() })
        .optional(),
    })
    .meta({ id: 'ErrorFrame', description: 'A request was refused; the connection stays.' }),
  bye: z
    .object({
      type: z.literal('bye'),
      code: whole(1_000, 4_999),
      name: z.string(),
      return: z.enum(['now', 'after', 'user', 'never']),
      retryAfterMs: duration,
      reason: z.string(),
      text: z.string(),
      resumable: z.boolean(),
      positions: z.array(z.object({ sub: Sub, epoch: Epoch, offset: Offset })),
      manager: OpaqueId.optional(),
      resumeToken: z.string().max(BOUNDS.resumeTokenBytes).optional(),
      explain: Explanation.optional(),
    })
    .meta({ id: 'ServerBye', description: 'Last frame before a close.' }),
} satisfies { readonly [T in ServerFrameType]: z.ZodType };
