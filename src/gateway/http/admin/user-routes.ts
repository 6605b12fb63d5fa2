import type { WebSocketManagerFactory } from '../../../managers/factory.ts';
import type { WebSocketManager } from '../../../managers/manager.ts';
import type { ManagerId, UserId } from '../../../protocol/ids.ts';
import { FreedByOperator, FreeUser, SetTier, UserPath, Users, UsersQuery } from '../../../schemas/admin-bodies.ts';
import { TierSet } from '../../../schemas/admin-operation.ts';
import { UserDetail } from '../../../schemas/admin-reports.ts';
import type { Services } from '../../services.ts';
import type { HttpContext } from '../http-env.ts';
import { problem } from '../problems.ts';
import type { AdminRoutes } from './admin-routes.ts';
import { placesFor } from './paging.ts';
import { isProtected, protectedOnes } from './protection.ts';
import { usersPage } from './user-list.ts';

const TAG = 'Users';

/** Who holds seats, and how to free some. */
export function userRoutes(routes: AdminRoutes, factory: WebSocketManagerFactory, { clock }: Services): void {
  routes.look(
    {
      method: 'get',
      path: '/users',
      tag: TAG,
      summary: 'Users that hold or wait for a seat here',
      query: UsersQuery,
      answer: { status: 200, description: 'One page of them', schema: Users },
    },
    async (c, { query }) => {
      const page = await usersPage(factory, clock, query);
      if (page.is !== 'ok') return problem(c, page.problem);
      const users = page.items.map((user) => ({ ...user, nodes: [factory.node] }));
      return c.json({ users, nextCursor: page.nextCursor, unanswered: [], ...placesFor(c, page.places) });
    },
  );

  routes.look(
    {
      method: 'get',
      path: '/users/{id}',
      tag: TAG,
      summary: 'A user’s room, and each of the user’s managers explained',
      params: UserPath,
      answer: { status: 200, description: 'The user', schema: UserDetail },
      problems: ['not-found', 'store-unavailable'],
    },
    async (c, { params }) => {
      const status = await factory.userStatus(params.id as UserId);
      if (status === null) return unknown(c, params.id);
      return c.json({ ...status, queued: status.queued.map((ticket) => ({ ...ticket, node: factory.node })), unanswered: [] });
    },
  );

  routes.change(
    {
      method: 'put',
      path: '/users/{id}/tier',
      tag: TAG,
      summary: 'Gives a user another tier on every node until it restarts: for new admissions, and for those who wait at the gate',
      params: UserPath,
      body: SetTier,
      answer: { status: 200, description: 'What counts from now on', schema: TierSet },
    },
    { action: 'set-tier', role: 'admin', target: ({ params }) => params.id },
    (c, { params, body: { tier } }, { done }) => {
      if (!factory.setTier(params.id as UserId, tier)) {
        return problem(c, { code: 'bad-request', detail: TOO_MANY_TIERS });
      }
      done(tier === null ? 'the tier of the credential counts again' : `the tier is ${tier} from now on`);
      return c.json({ user: params.id, tier, unanswered: [] });
    },
  );

  routes.change(
    {
      method: 'post',
      path: '/users/{id}/free',
      tag: TAG,
      summary: 'Frees named seats of a user, a number of them, or exactly the dead',
      params: UserPath,
      body: FreeUser,
      answer: { status: 200, description: 'Freed', schema: FreedByOperator },
      problems: ['not-found', 'protected', 'store-unavailable'],
    },
    { action: 'free-user', target: ({ params }) => params.id },
    async (c, { params, body: { managers, count, reason } }, { done }) => {
      const user = params.id as UserId;
      const held = factory.list(user);
      if (held.length === 0) return unknown(c, user);
      const answer = (freed: readonly string[], run: string | null): Response => {
        done(`freed ${freed.length} of ${held.length} seats`, freed);
        return c.json({ freed, kept: factory.list(user).length, run, unanswered: [] });
      };
      if (count !== undefined) {
        const report = await factory.cleanup(user, { upTo: 'force', need: count });
        return answer(
          report.victims.map(({ managerId }) => managerId),
          report.run,
        );
      }
      const evicted = async (whom: readonly WebSocketManager[]): Promise<Response> => answer(await evictAll(factory, whom, reason), null);
      if (managers === undefined) return await evicted(held.filter(({ verdict }) => verdict.proof));

      const chosen = managers.map((id) => held.find((manager) => manager.id === id));
      const strange = managers.filter((_, i) => chosen[i] === undefined);
      if (strange.length > 0) return problem(c, { code: 'not-found', detail: `${strange.join(', ')}: not a manager of this user here. Nobody was freed.` });
      const safe = chosen.filter((manager) => manager !== undefined);
      const pinned = safe.filter(isProtected).map(({ id }) => id);
      if (pinned.length > 0) return protectedOnes(c, pinned, 'Nobody was freed; leave it out, or evict it by itself with `overrideProtection: true`.');
      return await evicted(safe);
    },
  );
}

/** Evicts one after the other. Who was gone meanwhile is left out of the answer. */
async function evictAll(factory: WebSocketManagerFactory, managers: readonly WebSocketManager[], reason: string): Promise<ManagerId[]> {
  const freed: ManagerId[] = [];
  for (const { id } of managers) if (await factory.evict(id, { reason: 'admin-evicted', by: null, detail: reason })) freed.push(id);
  return freed;
}

const TOO_MANY_TIERS =
  'Expected at most 10,000 users with a tier given by operators, one more came. Give some back with `tier: null`, or set tiers where the credentials are made.';

const unknown = (c: HttpContext, id: string): Response => problem(c, { code: 'not-found', detail: `User \`${id}\` holds no seat here and waits for none.` });
