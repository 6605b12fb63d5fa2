/** Schemas of conversations, sessions and notices. */

import { z } from 'zod';
import { Epoch, instant, Offset, OpaqueId, Position, ThreadId, Visibility, whole } from './values.ts';

export const MessagePart = z
  .discriminatedUnion('type', [
    z.object({ type: z.literal('text'), text: z.string() }),
    z.object({ type: z.literal('reasoning'), text: z.string() }),
    z.object({
      type: z.literal('tool'),
      executionId: OpaqueId,
      toolName: OpaqueId,
      parameters: z.unknown().optional(),
      success: z.boolean().optional(),
      results: z.unknown().optional(),
    }),
    z.object({ type: z.literal('file'), url: z.string(), mediaType: z.string() }),
  ])
  .meta({ id: 'MessagePart' });

/** A field that must not be there. OpenAPI's generator wants a type beside it; `not` alone already allows nothing. */
const absent = z.never().meta({ type: 'null', not: {} }).optional();

/** Either of the two; both together are refused. */
export const MessageData = z
  .union(
    [
      z.object({ text: z.string(), parts: absent }),
      z.object({ text: absent, parts: z.array(MessagePart).min(1), metadata: z.record(z.string(), z.unknown()).optional() }),
    ],
    { error: 'Expected an object with either `text` or `parts`' },
  )
  .meta({ id: 'MessageData', description: 'What a person sends: plain text, or parts with metadata.' });

export const ThreadMessage = z
  .object({
    id: OpaqueId,
    role: z.enum(['user', 'assistant']),
    status: z.enum(['complete', 'streaming', 'cancelled', 'failed']),
    createdAt: instant,
    run: OpaqueId.optional(),
    parts: z.array(MessagePart),
  })
  .meta({ id: 'ThreadMessage' });

export const ThreadSnapshot = z
  .object({ thread: ThreadId, position: Position, activeRun: OpaqueId.nullable(), messages: z.array(ThreadMessage), hasMore: z.boolean() })
  .meta({ id: 'ThreadSnapshot', description: 'The conversation, true exactly at `position`; a running answer is included as far as it has come.' });

export const ThreadSummary = z
  .object({ id: ThreadId, title: z.string(), createdAt: instant, updatedAt: instant, position: Position, activeRun: OpaqueId.nullable() })
  .meta({ id: 'ThreadSummary' });

export const RunAccepted = {
  id: z.string(),
  thread: ThreadId,
  run: OpaqueId,
  message: OpaqueId,
  epoch: Epoch,
  offset: Offset.describe('Where the stored message lies in the stream.'),
  state: z.enum(['running', 'queued']),
  duplicate: z.boolean().describe('True: this very message had been accepted before; nothing was stored or started.'),
};

export const CancelState = z.enum(['cancelling', 'ended']);

export const SessionInfo = z
  .object({
    id: OpaqueId,
    label: z.string().nullable(),
    client: z.string(),
    verdict: z.enum(['healthy', 'idle', 'suspect', 'zombie', 'inactive', 'unknown']),
    connected: z.boolean(),
    visibility: z.enum([...Visibility.options, 'unknown']),
    openedAt: instant,
    lastEvidenceAt: instant,
    threads: z.array(ThreadId),
    running: z.boolean(),
    seat: z.enum(['soft', 'burst']),
    current: z.boolean().describe('The session named by the request header `Spillway-Manager`.'),
    outdated: z.literal(true).optional().describe('The node that holds it does not answer, or is gone: this is what was known of it last.'),
  })
  .meta({ id: 'SessionInfo' });

export const NoticeShape = {
  id: z.string(),
  version: whole(1).describe('A higher one of the same `id` replaces.'),
  kind: z.string().describe('`limit-near`, `burst`, `queue`, `cleaned-up`, `evicting`, `draining`; unknown ones are shown by `text`.'),
  level: z.enum(['info', 'warning']),
  text: z.string().describe('What happened, why, until when, what to do.'),
  until: instant.optional(),
  actions: z.array(z.enum(['free', 'resume-here', 'retry', 'sign-in', 'reload'])),
  data: z.record(z.string(), z.unknown()),
  cleared: z.boolean().optional(),
};
