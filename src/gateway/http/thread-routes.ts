import { SpillwayError } from '../../protocol/errors.ts';
import type { MessageId, RunId, ThreadId } from '../../protocol/ids.ts';
import type { MessageData } from '../../protocol/messages.ts';
import { CancelAnswer, IdPath, MessagesQuery, RunAcceptedBody, SendMessage, ThreadPath, Threads, ThreadsQuery } from '../../schemas/bodies.ts';
import { ThreadSnapshot } from '../../schemas/messages.ts';
import { problem } from './problems.ts';
import type { Routes } from './routes.ts';
import { currentManager } from './session-routes.ts';

const TAG = 'Conversations';

/** Conversations, their messages and runs. None of these takes a seat. */
export function threadRoutes(routes: Routes): void {
  routes.forUser(
    {
      method: 'get',
      path: '/v1/threads',
      tag: TAG,
      summary: 'Conversations, newest first',
      query: ThreadsQuery,
      answer: { status: 200, description: 'One page of them', schema: Threads },
      problems: ['store-unavailable'],
    },
    async (c, { query }, { user }) => {
      try {
        return c.json(await c.get('services').conversations.list(user, query.limit, query.cursor ?? null));
      } catch (error) {
        // The store alone knows how it spells a cursor.
        if (SpillwayError.is(error) && error.code === 'SPILLWAY_BAD_ARGUMENT')
          return problem(c, { code: 'bad-request', detail: 'Expected `cursor` to be the `nextCursor` of an earlier page.' });
        throw error;
      }
    },
  );

  routes.forUser(
    {
      method: 'get',
      path: '/v1/threads/{id}/messages',
      tag: TAG,
      summary: 'The snapshot: a conversation as it is at `position`',
      params: ThreadPath,
      query: MessagesQuery,
      answer: { status: 200, description: 'The snapshot', schema: ThreadSnapshot },
      problems: ['not-found', 'store-unavailable'],
    },
    async (c, { params, query }, { user }) => {
      const snapshot = await c
        .get('services')
        .conversations.snapshot(user, params.id as ThreadId, query.limit, (query.before as MessageId | undefined) ?? null);
      return snapshot === null ? problem(c, { code: 'not-found', detail: 'You have no conversation of this id.' }) : c.json(snapshot);
    },
  );

  routes.forUser(
    {
      method: 'post',
      path: '/v1/threads/{id}/messages',
      tag: TAG,
      summary: 'Stores a message and starts its run, or lets it wait',
      params: ThreadPath,
      body: SendMessage,
      answer: { status: 202, description: 'The message is durable', schema: RunAcceptedBody },
      problems: ['idempotency-conflict', 'thread-busy', 'store-unavailable', 'draining'],
    },
    async (c, { params, body }, identity) => {
      const { id, data, agent } = body;
      const request = { id, thread: params.id as ThreadId, data: data as MessageData, manager: currentManager(c), ...(agent === undefined ? {} : { agent }) };
      const answer = await c.get('services').runs.send(identity, request);
      if ('is' in answer) {
        const { code, message, retryAfterMs } = answer;
        return problem(c, { code, detail: message, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
      }
      const { type: _, ...accepted } = answer;
      return c.json(accepted, 202);
    },
  );

  routes.forUser(
    {
      method: 'post',
      path: '/v1/runs/{id}/cancel',
      tag: TAG,
      summary: 'Asks a run to stop; its last event follows in the stream',
      params: IdPath,
      answer: { status: 202, description: 'It stops, or had ended', schema: CancelAnswer },
      problems: ['not-found', 'store-unavailable'],
    },
    async (c, { params }, { user }) => {
      const answer = await c.get('services').runs.cancel(user, params.id as RunId);
      return answer === null ? problem(c, { code: 'not-found', detail: 'You have no run of this id.' }) : c.json(answer, 202);
    },
  );
}
