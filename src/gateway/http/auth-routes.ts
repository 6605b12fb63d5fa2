import type { Accounts } from '../../auth/accounts.ts';
import { createRateLimit } from '../../auth/rate-limit.ts';
import type { UserId } from '../../protocol/ids.ts';
import { Login, LoginSession, Logout, Me, Refresh, TicketAnswer, TicketRequest } from '../../schemas/bodies.ts';
import type { Services } from '../services.ts';
import { clearSessionCookie, setSessionCookie, usesSessionCookie } from './cookie.ts';
import type { EventStreams } from './event-streams.ts';
import type { HttpContext } from './http-env.ts';
import { problem } from './problems.ts';
import type { Routes } from './routes.ts';

const TAG = 'Signing in';
/** A person's tabs all come back at once after an outage, each with a ticket of its own; every ticket is kept until it ends. */
const TICKETS_PER_SECOND = 30;

/** Log-in, refresh and log-out: there only where the gateway has accounts of its own. */
export function accountRoutes(routes: Routes, accounts: Accounts, streams: EventStreams, addressOf: (c: HttpContext) => string): void {
  /** On all nodes, whatever a log-in holds open; of all the user's for null. */
  const endSessions = async (c: HttpContext, user: UserId, family: string | null): Promise<void> => {
    streams.endLogin(user, family);
    await c.get('services').sessions.loggedOut(user, family);
  };

  routes.open(
    {
      method: 'post',
      path: '/v1/auth/login',
      tag: TAG,
      summary: 'Signs a person in by name and password',
      body: Login,
      answer: { status: 200, description: 'Tokens; with `cookie` also the session cookie', schema: LoginSession },
      problems: ['invalid-credentials', 'rate-limited', 'store-unavailable'],
    },
    async (c, { body: { username, password, cookie } }) => {
      const answer = await accounts.login({ username, password, address: addressOf(c) });
      if (answer.is === 'too-many')
        return problem(c, { code: 'rate-limited', detail: 'Too many attempts to sign in; wait a little.', retryAfterMs: answer.retryAfterMs });
      if (answer.is === 'invalid') return problem(c, { code: 'invalid-credentials' });
      if (cookie === true) setSessionCookie(c, answer.session);
      return c.json(answer.session);
    },
  );

  routes.open(
    {
      method: 'post',
      path: '/v1/auth/refresh',
      tag: TAG,
      summary: 'Changes a refresh token, once, for new tokens',
      body: Refresh,
      answer: { status: 200, description: 'New tokens; the old refresh token is used up', schema: LoginSession },
      problems: ['unauthorized', 'refresh-reused', 'store-unavailable'],
    },
    async (c, { body: { refreshToken } }) => {
      const answer = await accounts.refresh(refreshToken);
      if (answer.is === 'reused') {
        await endSessions(c, answer.user, answer.family);
        return problem(c, { code: 'refresh-reused', detail: 'Somebody else may have it, so this log-in was ended; please sign in again.' });
      }
      if (answer.is === 'invalid') return problem(c, { code: 'unauthorized' });
      if (usesSessionCookie(c)) setSessionCookie(c, answer.session);
      return c.json(answer.session);
    },
  );

  routes.open(
    {
      method: 'post',
      path: '/v1/auth/logout',
      tag: TAG,
      summary: 'Ends a log-in, or all of a user',
      body: Logout,
      answer: { status: 204, description: 'Ended, or had ended before; its sessions are closed with 4506' },
      problems: ['store-unavailable'],
    },
    async (c, { body: { refreshToken, everywhere = false } }) => {
      const ended = await accounts.logout(refreshToken, everywhere);
      if (ended !== null) await endSessions(c, ended.user, ended.family);
      clearSessionCookie(c);
      return c.body(null, 204);
    },
  );
}

/** Who am I, and a ticket for places where no header can be set. */
export function identityRoutes(routes: Routes, { clock }: Services): void {
  const rate = createRateLimit({ limit: TICKETS_PER_SECOND, windowMs: 1_000, clock });
  routes.forUser(
    {
      method: 'get',
      path: '/v1/auth/me',
      tag: TAG,
      summary: 'Who asks, and how much room they have',
      answer: { status: 200, description: 'The user', schema: Me },
    },
    async (c, _, { user, name, tier }) => c.json({ user: { id: user, name, tier }, limits: await c.get('services').sessions.limits(user, tier) }),
  );

  routes.forUser(
    {
      method: 'post',
      path: '/v1/auth/ticket',
      tag: TAG,
      summary: 'A ticket for one WebSocket, to be put into its URL',
      body: TicketRequest,
      isBodyOptional: true,
      answer: { status: 201, description: 'The ticket, good for one use', schema: TicketAnswer },
      problems: ['rate-limited', 'store-unavailable'],
    },
    async (c, { body }, identity) => {
      const retryAfterMs = rate.take(identity.user);
      if (retryAfterMs > 0) return problem(c, { code: 'rate-limited', detail: `At most ${TICKETS_PER_SECOND} tickets a second.`, retryAfterMs });
      const { tickets, options } = c.get('services');
      return c.json(await tickets.buy(identity, body.ttlMs ?? options.tickets.ttlMs), 201);
    },
  );
}
