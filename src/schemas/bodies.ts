/** Schemas of the bodies and parameters of the HTTP paths. What a client sends is checked with them; what it gets is described. */

import { z } from 'zod';
import { BOUNDS } from '../protocol/frames.ts';
import { CancelState, MessageData, RunAccepted, SessionInfo, ThreadSummary } from './messages.ts';
import { ErrorCodes } from './server-frames.ts';
import { Codec, duration, instant, Limits, OpaqueId, ThreadId, text, UserInfo, whole } from './values.ts';

/** Passwords longer than any a person types would only cost us time. */
const PASSWORD_BYTES = 1_024;

export const Problem = z
  .object({
    type: z.string().describe('`urn:spillway:problem:<code>`'),
    title: z.string(),
    status: whole(400, 599),
    code: ErrorCodes,
    detail: z.string().optional(),
    retryable: z.boolean(),
    retryAfterMs: duration.optional(),
    differences: z
      .array(z.object({ manager: z.string(), change: z.string() }))
      .optional()
      .describe('With `plan-stale`: what changed since the plan was made.'),
    instance: z.string().describe('Id of the request in the log.'),
  })
  .meta({ id: 'Problem', description: 'RFC 9457.' });

export const Login = z.object({ username: text(1, 256), password: text(0, PASSWORD_BYTES), cookie: z.boolean().optional() }).meta({ id: 'Login' });
export const Refresh = z.object({ refreshToken: text(1, 512) }).meta({ id: 'Refresh' });
export const Logout = z.object({ refreshToken: text(1, 512), everywhere: z.boolean().optional() }).meta({ id: 'Logout' });
export const LoginSession = z
  .object({ accessToken: z.string(), expiresAt: instant, refreshToken: z.string(), refreshExpiresAt: instant, user: UserInfo })
  .meta({ id: 'LoginSession' });
export const Me = z.object({ user: UserInfo, limits: Limits }).meta({ id: 'Me' });

export const TicketRequest = z.object({ ttlMs: whole(1_000, 300_000).optional() }).meta({ id: 'TicketRequest' });
export const TicketAnswer = z.object({ ticket: z.string(), expiresAt: instant }).meta({ id: 'TicketAnswer' });

export const Sessions = z.object({ sessions: z.array(SessionInfo), limits: Limits }).meta({ id: 'Sessions' });
export const Freed = z.object({ freed: z.array(OpaqueId), limits: Limits }).meta({ id: 'Freed' });
export const FreedUnresponsive = z.object({ freed: z.array(OpaqueId), kept: whole(0), limits: Limits }).meta({ id: 'FreedUnresponsive' });
export const Nothing = z.object({}).meta({ id: 'Nothing', description: 'No fields.' });

export const IdPath = z.object({ id: OpaqueId });
export const ThreadPath = z.object({ id: ThreadId });
/** A number in a query: digits only, so that `1e2` and ` 7` are told apart from a mistake. */
export const limit = (most: number, usual: number) =>
  z
    .string()
    .regex(/^[0-9]{1,4}$/)
    .transform(Number)
    .pipe(z.int().min(1).max(most))
    .default(usual)
    .meta({ override: { type: 'integer', minimum: 1, maximum: most, default: usual } });
export const ThreadsQuery = z.object({ limit: limit(100, 50), cursor: text(1, 256).optional() });
export const MessagesQuery = z.object({ limit: limit(200, 50), before: OpaqueId.optional() });
export const EventsQuery = z.object({
  from: text(1, 64).optional().describe('`epoch:n`, `start`, `run` or `now` (default).'),
  codec: Codec.optional(),
});

export const Threads = z.object({ threads: z.array(ThreadSummary), nextCursor: z.string().nullable() }).meta({ id: 'Threads' });
export const SendMessage = z
  .object({ id: text(1, BOUNDS.sendIdBytes), data: MessageData, agent: text(1, BOUNDS.agentBytes).optional() })
  .meta({ id: 'SendMessage' });
export const RunAcceptedBody = z.object(RunAccepted).meta({ id: 'RunAccepted' });
export const CancelAnswer = z.object({ run: OpaqueId, state: CancelState }).meta({ id: 'CancelAnswer' });

export const Config = z
  .object({
    v: z.array(whole(1)),
    paths: z.object({ ws: z.string() }),
    auth: z.object({ modes: z.array(z.string()) }),
    agent: z.object({ name: z.string() }),
    version: z.string(),
  })
  .meta({ id: 'Config' });
export const Health = z
  .object({ status: z.enum(['ok', 'fail']), checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string().optional() })) })
  .meta({ id: 'Health' });
