import type { WebSocketManagerFactory } from '../../../managers/factory.ts';
import type { PastCleanup } from '../../../managers/inspection/history.ts';
import type { UserId } from '../../../protocol/ids.ts';
import { CleanupDone, Cleanups, HistoryQuery, PlanCleanup, RunPath, RunPlan } from '../../../schemas/admin-bodies.ts';
import { PastCleanup as PastCleanupSchema, Plan } from '../../../schemas/admin-reports.ts';
import { problem } from '../problems.ts';
import type { AdminRoutes } from './admin-routes.ts';
import { cursorFor } from './nodes/merged-page.ts';
import { placesFor } from './paging.ts';

const TAG = 'Cleanup';

/** What a cleanup would do, doing it, and what was done. */
export function cleanupRoutes(routes: AdminRoutes, factory: WebSocketManagerFactory): void {
  routes.look(
    {
      role: 'operator',
      method: 'post',
      path: '/cleanup/plan',
      tag: TAG,
      summary: 'A dry run for one user: who would go at each level, and why the others stay',
      body: PlanCleanup,
      answer: { status: 200, description: 'The plan, good for 30 seconds; nothing was changed', schema: Plan },
    },
    async (c, { body: { user, need } }) => c.json(await factory.planCleanup(user as UserId, need === undefined ? {} : { need })),
  );

  routes.change(
    {
      method: 'post',
      path: '/cleanup/run',
      tag: TAG,
      summary: 'Carries out a plan up to a level, if it is still true',
      body: RunPlan,
      answer: { status: 200, description: 'The cleanup record', schema: CleanupDone },
      problems: ['not-found', 'plan-stale', 'store-unavailable'],
    },
    { action: 'run-cleanup', target: ({ body }) => body.planId },
    async (c, { body: { planId, level, reason } }, { done }) => {
      const outcome = await factory.runPlan(planId, { level, reason });
      switch (outcome.is) {
        case 'unknown':
          return problem(c, {
            code: 'not-found',
            detail: `There is no plan \`${planId}\`, or its 30 seconds are over. Make a new one with \`POST cleanup/plan\`.`,
          });
        case 'stale':
          return problem(c, {
            code: 'plan-stale',
            detail: 'Nobody was evicted: since the plan was made, what it rests on has changed. Make a new one with `POST cleanup/plan`.',
            differences: outcome.differences,
          });
        case 'done':
          done(
            `freed ${outcome.report.victims.length} of ${outcome.report.before} seats of ${outcome.report.user} under ${outcome.report.run}`,
            outcome.report.victims.map(({ managerId }) => managerId),
          );
          return c.json({ cleanup: outcome.report });
      }
    },
  );

  routes.look(
    {
      method: 'get',
      path: '/cleanup/history',
      tag: TAG,
      summary: 'Cleanup records, newest first; the last 1,000 are known',
      query: HistoryQuery,
      answer: { status: 200, description: 'One page of them', schema: Cleanups },
    },
    (c, { query: { user, since, limit, cursor } }) => {
      const own = cursorFor(factory.node, cursor);
      const before = own === undefined ? Number.POSITIVE_INFINITY : Number(own);
      const filter = { ...(user === undefined ? {} : { user: user as UserId }), ...(since === undefined ? {} : { since }) };
      const found = factory.history.cleanups(filter).filter(({ sequence }) => sequence < before);
      const page = found.slice(-limit).reverse();
      const nextCursor = found.length > limit ? String(page.at(-1)?.sequence) : null;
      const places = page.map(({ at, sequence }) => ({ rank: -at, cursor: String(sequence) }));
      return c.json({ cleanups: page.map((one) => told(factory.node, one)), nextCursor, unanswered: [], ...placesFor(c, places) });
    },
  );

  routes.look(
    {
      method: 'get',
      path: '/cleanup/history/{run}',
      tag: TAG,
      summary: 'One cleanup record',
      params: RunPath,
      answer: { status: 200, description: 'Who went, who stayed, and why', schema: PastCleanupSchema },
      problems: ['not-found'],
    },
    (c, { params: { run } }) => {
      const found = factory.history.cleanup(run);
      return found === null
        ? problem(c, { code: 'not-found', detail: `No cleanup \`${run}\` is known; the last 1,000 of this process are.` })
        : c.json(told(factory.node, found));
    },
  );
}

const told = (node: string, { at, report }: PastCleanup): { readonly at: number; readonly node: string; readonly cleanup: PastCleanup['report'] } => ({
  at,
  node,
  cleanup: report,
});
