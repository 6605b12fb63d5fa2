import type { WebSocketManagerFactory } from '../../../managers/factory.ts';
import type { Explanation } from '../../../managers/reports.ts';
import type { ManagerId } from '../../../protocol/ids.ts';
import { Evicted, EvictManager, Managers, ManagersQuery, ProbeManager } from '../../../schemas/admin-bodies.ts';
import { Explanation as ExplanationSchema, ManagerDetail } from '../../../schemas/admin-reports.ts';
import { IdPath } from '../../../schemas/bodies.ts';
import type { Services } from '../../services.ts';
import type { HttpContext } from '../http-env.ts';
import { problem } from '../problems.ts';
import type { AdminRoutes } from './admin-routes.ts';
import { managersPage } from './manager-list.ts';
import { placesFor } from './paging.ts';
import { isProtected, protectedOnes } from './protection.ts';

const TAG = 'Managers';

/** One client session each: what it is, why, and how to end it. */
export function managerRoutes(routes: AdminRoutes, factory: WebSocketManagerFactory, { clock }: Services): void {
  routes.look(
    {
      method: 'get',
      path: '/managers',
      tag: TAG,
      summary: 'Managers that hold a seat',
      query: ManagersQuery,
      answer: { status: 200, description: 'One page of them', schema: Managers },
    },
    async (c, { query }) => {
      const page = await managersPage(factory, clock, query);
      if (page.is === 'problem') return problem(c, page.problem);
      const explained = page.items.map(({ id }) => factory.explain(id)).filter((one) => one !== null);
      // A seat that was given up this very moment leaves no row, and so no place.
      const shown = new Set<string>(explained.map(({ managerId }) => managerId));
      const places = page.places.filter((_, i) => shown.has(page.items[i]?.id ?? ''));
      return c.json({ managers: explained.map(inShort), nextCursor: page.nextCursor, unanswered: [], ...placesFor(c, places) });
    },
  );

  routes.look(
    {
      method: 'get',
      path: '/managers/{id}',
      tag: TAG,
      summary: 'One manager',
      params: IdPath,
      answer: { status: 200, description: 'The manager', schema: ManagerDetail },
      problems: ['not-found'],
    },
    (c, { params }) => {
      const explanation = factory.explain(params.id as ManagerId);
      if (explanation === null) return unknown(c, params.id);
      return c.json({ ...inShort(explanation), threads: factory.find(explanation.managerId)?.threads ?? [] });
    },
  );

  routes.look(
    {
      method: 'get',
      path: '/managers/{id}/explain',
      tag: TAG,
      summary: 'Why it is what it is, and what would have to happen for it to go',
      params: IdPath,
      answer: { status: 200, description: 'The explanation', schema: ExplanationSchema },
      problems: ['not-found'],
    },
    (c, { params }) => {
      const explanation = factory.explain(params.id as ManagerId);
      return explanation === null ? unknown(c, params.id) : c.json(explanation);
    },
  );

  routes.change(
    {
      method: 'post',
      path: '/managers/{id}/probe',
      tag: TAG,
      summary: 'Asks it for a sign of life now',
      params: IdPath,
      body: ProbeManager,
      isBodyOptional: true,
      answer: { status: 200, description: 'What is known after its answer, or after its patience', schema: ExplanationSchema },
      problems: ['not-found'],
    },
    { action: 'probe-manager', target: ({ params }) => params.id },
    async (c, { params }, { done }) => {
      const explanation = await factory.probe(params.id as ManagerId);
      if (explanation === null) return unknown(c, params.id);
      done(`it is ${explanation.verdict}: ${explanation.text}`);
      return c.json(explanation);
    },
  );

  routes.change(
    {
      method: 'post',
      path: '/managers/{id}/evict',
      tag: TAG,
      summary: 'Takes its seat; its client may come back when its person asks',
      params: IdPath,
      body: EvictManager,
      answer: { status: 200, description: 'The seat is free', schema: Evicted },
      problems: ['not-found', 'protected', 'store-unavailable'],
    },
    { action: 'evict-manager', target: ({ params }) => params.id },
    async (c, { params, body: { reason, overrideProtection = false } }, { done }) => {
      const manager = factory.find(params.id as ManagerId);
      if (manager === undefined || manager.seat === null) return unknown(c, params.id);
      if (isProtected(manager) && !overrideProtection)
        return protectedOnes(c, [manager.id], 'Ask again with `overrideProtection: true` to take it all the same.');
      if (!(await factory.evict(manager.id, { reason: 'admin-evicted', by: null, detail: reason }))) return unknown(c, params.id);
      done(`took the seat of a manager of ${manager.user.userId}`, [manager.id]);
      return c.json({ freed: [manager.id] });
    },
  );
}

function inShort({ rank: _, kept: __, ...short }: Explanation): Omit<Explanation, 'rank' | 'kept'> {
  return short;
}

const unknown = (c: HttpContext, id: string): Response => problem(c, { code: 'not-found', detail: `No manager \`${id}\` holds a seat here.` });
