import type { From } from '../../protocol/frames.ts';
import type { ThreadId } from '../../protocol/ids.ts';
import { parsePosition } from '../../protocol/position.ts';
import { EventsQuery, ThreadPath } from '../../schemas/bodies.ts';
import { text } from '../../schemas/values.ts';
import type { EventStreams } from './event-streams.ts';
import { problem } from './problems.ts';
import type { Routes } from './routes.ts';
import { answerWithEvents } from './sse.ts';

/** The read-only fallback for places where no WebSocket gets through. */
export function eventRoutes(routes: Routes, streams: EventStreams): void {
  routes.forUser(
    {
      method: 'get',
      path: '/v1/threads/{id}/events',
      tag: 'Conversations',
      summary: 'Follows a conversation as server-sent events, without a seat',
      params: ThreadPath,
      query: EventsQuery,
      answer: {
        status: 200,
        description:
          '`id` is `epoch:n`, `data` an `event`, `gap` or `replayed` frame without `sub`; the event `bye` comes last. `Last-Event-ID` wins over `from`.',
        mediaType: 'text/event-stream',
        schema: text(0, 1_048_576),
      },
      problems: ['store-unavailable'],
    },
    async (c, { params, query }, identity) => {
      const from = readFrom(c.req.header('last-event-id') ?? query.from ?? 'now');
      if (from === null)
        return problem(c, { code: 'bad-request', detail: 'Expected `Last-Event-ID` or `from` to be `epoch:n`, or `from` to be `start`, `run` or `now`.' });
      return await answerWithEvents(c, async () => {
        const stream = streams.open(identity);
        try {
          stream.feedFrom(await c.get('services').conversations.follow(identity.user, params.id as ThreadId, from, stream));
        } catch (error) {
          await stream.body.cancel();
          throw error;
        }
        return stream.body;
      });
    },
  );
}

const readFrom = (text: string): From | null => (text === 'start' || text === 'run' || text === 'now' ? text : parsePosition(text));
