import type { WebSocketManagerFactory } from '../../../managers/factory.ts';
import type { WebSocketManager } from '../../../managers/manager.ts';
import type { ManagerId, UserId } from '../../../protocol/ids.ts';
import { FreedByOperator, FreeUser, UserPath, Users, UsersQuery } from '../../../schemas/admin-bodies.ts';
import { UserDetail } from '../../../schemas/admin-reports.ts';
import type { HttpContext } from '../http-env.ts';
import { problem } from '../problems.ts';
import { type AdminRoutes, recordAct } from './admin-routes.ts';
import { pageByKey } from './paging.ts';
import { isProtected, protectedOnes } from './protection.ts';

const TAG = 'Users';

/** Who holds seats, and how to free some. */
export function userRoutes(routes: AdminRoutes, factory: WebSocketManagerFactory): void {
  routes.forOperator(
    {
      method: 'get',
      path: '/users',
      tag: TAG,
      summary: 'Users that hold or wait for a seat here, by id',
      query: UsersQuery,
      answer: { status: 200, description: 'One page of them', schema: Users },
    },
    (c, { query: { limit, cursor } }) => {
      const { items, nextCursor } = pageByKey(factory.users(), ({ user }) => user, limit, cursor);
      return c.json({ users: items, nextCursor });
    },
  );

  routes.forOperator(
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
      return status === null ? unknown(c, params.id) : c.json(status);
    },
  );

  routes.forOperator(
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
    async (c, { params, body: { managers, count, reason } }) => {
      const user = params.id as UserId;
      const held = factory.list(user);
      if (held.length === 0) return unknown(c, user);
      const answer = (freed: readonly string[], run: string | null): Response => {
        recordAct(c, { action: 'free-user', reason, target: user, freed });
        return c.json({ freed, kept: factory.list(user).length, run });
      };
      if (count !== undefined) {
        const report = await factory.cleanup(user, { upTo: 'force', need: count });
        return answer(report?.victims.map(({ managerId }) => managerId) ?? [], report?.run ?? null);
      }
      if (managers === undefined)
        return answer(
          await evictAll(
            factory,
            held.filter(({ verdict }) => verdict.proof),
            reason,
          ),
          null,
        );

      const chosen = managers.map((id) => held.find((manager) => manager.id === id));
      const strange = managers.filter((_, i) => chosen[i] === undefined);
      if (strange.length > 0) return problem(c, { code: 'not-found', detail: `${strange.join(', ')}: not a manager of this user here. Nobody was freed.` });
      const safe = chosen.filter((manager) => manager !== undefined);
      const pinned = safe.filter(isProtected).map(({ id }) => id);
      if (pinned.length > 0) return protectedOnes(c, pinned, 'Nobody was freed; leave it out, or evict it by itself with `overrideProtection: true`.');
      return answer(await evictAll(factory, safe, reason), null);
    },
  );
}

/** Evicts one after the other. Who was gone meanwhile is left out of the answer. */
async function evictAll(factory: WebSocketManagerFactory, managers: readonly WebSocketManager[], reason: string): Promise<ManagerId[]> {
  const freed: ManagerId[] = [];
  for (const { id } of managers) if (await factory.evict(id, { reason: 'admin-evicted', by: null, detail: reason })) freed.push(id);
  return freed;
}

const unknown = (c: HttpContext, id: string): Response => problem(c, { code: 'not-found', detail: `User \`${id}\` holds no seat here and waits for none.` });
