import type { WebSocketManagerFactory } from '../../../managers/factory.ts';
import type { UserId } from '../../../protocol/ids.ts';
import { Events, EventsQuery } from '../../../schemas/admin-bodies.ts';
import { problem } from '../problems.ts';
import { answerWithEvents } from '../sse.ts';
import type { AdminRoutes } from './admin-routes.ts';
import { type EventWatchers, told } from './event-watchers.ts';
import { cursorFor } from './nodes/merged-page.ts';

/** What happened lately, and what happens now. */
export function eventRoutes(routes: AdminRoutes, factory: WebSocketManagerFactory, watchers: EventWatchers): void {
  routes.look(
    {
      method: 'get',
      path: '/events',
      tag: 'Events',
      summary:
        'Admissions, cleanups, ended managers and alarms, oldest first: the newest `limit`, or what came after `cursor`. With `Accept: text/event-stream` they go on as they happen; `Last-Event-ID` wins over `cursor`',
      query: EventsQuery,
      answer: { status: 200, description: 'Events; of each type the last 500 are known, and the last 1,000 cleanups', schema: Events },
      problems: ['not-found'],
    },
    (c, { query }) => {
      const { limit, cursor, type, user, node, reason, since } = query;
      const filter = {
        ...(type === undefined ? {} : { type }),
        ...(user === undefined ? {} : { user: user as UserId }),
        ...(reason === undefined ? {} : { reason }),
        ...(since === undefined ? {} : { since }),
      };
      if (node !== undefined && node !== factory.node)
        return problem(c, { code: 'not-found', detail: `Expected \`${factory.node}\`, the one node that is there, got \`${node}\`.` });
      if (!wantsStream(c.req.header('accept'))) {
        const after = cursorFor(factory.node, cursor);
        const events = factory.history.events({ ...filter, limit, ...(after === undefined ? {} : { after: Number(after) }) });
        const nextCursor = String(events.at(-1)?.sequence ?? after ?? factory.history.sequence);
        return c.json({ events: events.map((event) => told(factory.node, event)), nextCursor, unanswered: [] });
      }
      const seen = c.req.header('last-event-id') ?? cursor;
      if (seen !== undefined && !/^\d{1,15}$/.test(seen)) {
        return problem(c, {
          code: 'bad-request',
          detail: `Expected \`Last-Event-ID\` to be the id of an event, a whole number, got ${JSON.stringify(seen.slice(0, 100))}.`,
        });
      }
      return answerWithEvents(c, () => watchers.open(filter, startOf(seen, since, factory.history.sequence), c.get('operator').expiresAt));
    },
  );
}

const wantsStream = (accept: string | undefined): boolean => accept?.split(',').some((part) => part.trim().startsWith('text/event-stream')) ?? false;

/** Behind what was seen; else at `since`; else now. A number that this process has not come to is another process's: all it knows. */
function startOf(seen: string | undefined, since: number | undefined, newest: number): number {
  if (seen !== undefined) return Number(seen) <= newest ? Number(seen) : 0;
  return since === undefined ? newest : 0;
}
