import type { Identity } from '../../auth/identity.ts';
import { createRateLimit } from '../../auth/rate-limit.ts';
import type { ManagerId } from '../../protocol/ids.ts';
import { Freed, FreedUnresponsive, IdPath, Nothing, Sessions } from '../../schemas/bodies.ts';
import type { Services } from '../services.ts';
import type { HttpContext } from './http-env.ts';
import { problem } from './problems.ts';
import type { Routes } from './routes.ts';

const TAG = 'Your sessions';
/** Far above what a person clicks; below what a loop of a broken page would ask. */
const REQUESTS_PER_SECOND = 10;

/** Milliseconds a user has to wait before the next look at their sessions, 0 for none. It has nothing to do with seats. */
export type SessionRate = (identity: Identity) => number;

export function createSessionRate({ clock }: Services): SessionRate {
  const limit = createRateLimit({ limit: REQUESTS_PER_SECOND, windowMs: 1_000, clock });
  return ({ user }) => limit.take(user);
}

/** A person's own sessions, and how to free them. These paths work whatever is full. */
export function sessionRoutes(routes: Routes, rate: SessionRate): void {
  const tooMany = (c: HttpContext, waitMs: number): Response =>
    problem(c, { code: 'rate-limited', detail: `At most ${REQUESTS_PER_SECOND} of these requests a second; no session is affected.`, retryAfterMs: waitMs });

  routes.forUser(
    {
      method: 'get',
      path: '/v1/me/sessions',
      tag: TAG,
      summary: 'All sessions of the person who asks',
      answer: { status: 200, description: 'The sessions', schema: Sessions },
      problems: ['rate-limited'],
    },
    async (c, _, identity) => {
      const waitMs = rate(identity);
      if (waitMs > 0) return tooMany(c, waitMs);
      const { sessions } = c.get('services');
      return c.json({ sessions: await sessions.list(identity.user, currentManager(c)), limits: await sessions.limits(identity.user, identity.tier) });
    },
  );

  routes.forUser(
    {
      method: 'delete',
      path: '/v1/me/sessions/{id}',
      tag: TAG,
      summary: 'Ends one session; its run goes on',
      params: IdPath,
      answer: { status: 200, description: 'Freed', schema: Freed },
      problems: ['not-found', 'rate-limited', 'store-unavailable'],
    },
    async (c, { params }, identity) => {
      const waitMs = rate(identity);
      if (waitMs > 0) return tooMany(c, waitMs);
      const { sessions } = c.get('services');
      const answer = await sessions.free(identity.user, params.id as ManagerId, await whoAsks(c, identity));
      if (answer === null) return problem(c, { code: 'not-found', detail: 'None of your sessions has this id.' });
      return c.json({ ...answer, limits: await sessions.limits(identity.user, identity.tier) });
    },
  );

  routes.forUser(
    {
      method: 'post',
      path: '/v1/me/sessions/free-unresponsive',
      tag: TAG,
      summary: 'Ends exactly the sessions that are dead',
      body: Nothing,
      isBodyOptional: true,
      answer: { status: 200, description: 'Freed, and how many are left', schema: FreedUnresponsive },
      problems: ['rate-limited', 'store-unavailable'],
    },
    async (c, _, identity) => {
      const waitMs = rate(identity);
      if (waitMs > 0) return tooMany(c, waitMs);
      const { sessions } = c.get('services');
      const answer = await sessions.freeUnresponsive(identity.user, await whoAsks(c, identity));
      return c.json({ ...answer, limits: await sessions.limits(identity.user, identity.tier) });
    },
  );
}

/** The session that asks, by its own word: it decides only what is marked as the current one. */
export const currentManager = (c: HttpContext): ManagerId | null => (c.req.header('spillway-manager') as ManagerId | undefined) ?? null;

/** What the freed session is told about who freed it. */
async function whoAsks(c: HttpContext, { user }: Identity): Promise<string> {
  const current = currentManager(c);
  const own = current === null ? undefined : (await c.get('services').sessions.list(user, current)).find((session) => session.current);
  return own?.label || 'another window';
}
