import type { StreamKey } from '../../../ports/store.ts';
import type { ThreadId, UserId } from '../../../protocol/ids.ts';
import { ThreadLogPath, ThreadLogQuery } from '../../../schemas/admin-bodies.ts';
import { ThreadLog } from '../../../schemas/admin-operation.ts';
import type { Services } from '../../services.ts';
import { entriesOf, verifyLog } from '../../thread-log.ts';
import { problem } from '../problems.ts';
import type { AdminRoutes } from './admin-routes.ts';

/** What was logged in a conversation, and whether it is whole; never what it says. */
export function logRoutes(routes: AdminRoutes, { store, clock }: Services): void {
  routes.look(
    {
      method: 'get',
      path: '/threads/{user}/{thread}/log',
      tag: 'Conversations',
      summary: 'Offsets, sizes and kinds of a conversation’s log. With `verify` also whether it is whole',
      params: ThreadLogPath,
      query: ThreadLogQuery,
      answer: { status: 200, description: 'One page of it, oldest first', schema: ThreadLog },
      problems: ['not-found', 'store-unavailable'],
    },
    async (c, { params, query: { from, limit, verify } }) => {
      const key: StreamKey = { user: params.user as UserId, thread: params.thread as ThreadId };
      const state = await store.log.state(key);
      if (state.head === 0 && (await store.threads.snapshot(key, 1, null)) === null)
        return problem(c, { code: 'not-found', detail: `User \`${params.user}\` has no conversation \`${params.thread}\`.` });
      const entries = await entriesOf(store.log, key, state, from ?? 0, limit);
      const last = entries.at(-1)?.offset ?? state.head;
      return c.json({
        ...params,
        epoch: state.epoch,
        first: state.first,
        head: state.head,
        activeRun: state.activeRun?.id ?? null,
        entries,
        nextFrom: last < state.head ? last + 1 : null,
        verified: verify === undefined ? null : await verifyLog(store.log, key, clock),
      });
    },
  );
}
