import type { MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';
import { secureHeaders } from 'hono/secure-headers';
import { spellRandom } from '../../protocol/ids.ts';
import { createOriginPolicy, type OriginPolicy } from '../origins.ts';
import type { Services } from '../services.ts';
import { BODY_MAX_BYTES, TOO_LARGE } from './body.ts';
import { type HttpEnv, ownOrigin } from './http-env.ts';
import { problem } from './problems.ts';

/** What every public request passes before a route sees it. */
export function guards(services: Services): readonly MiddlewareHandler<HttpEnv>[] {
  const help = 'The operator lists the origins of pages that may ask here in `auth.origins`.';
  return [nameIt(services), addressed, secure, judgeOrigin(services.origins, help), shareIfAsked, boundBody];
}

/** What every request of an operator passes. Pages of other origins have no business here. */
export function adminGuards(services: Services): readonly MiddlewareHandler<HttpEnv>[] {
  return [nameIt(services), addressed, secure, judgeOrigin(createOriginPolicy({ allow: [] }), 'Only pages of this very address may ask here.'), boundBody];
}

const nameIt =
  (services: Services): MiddlewareHandler<HttpEnv> =>
  async (c, next) => {
    c.set('services', services);
    c.set('requestId', c.env?.passedOn?.request ?? `req_${spellRandom(services.random.bytes(20), 20)}`);
    await next();
    c.res.headers.set('spillway-request', c.get('requestId'));
    if (!c.res.headers.has('cache-control')) c.res.headers.set('cache-control', 'no-store');
  };

/** Not every `Host` that HTTP can carry makes an address. */
const addressed: MiddlewareHandler<HttpEnv> = (c, next) =>
  URL.canParse(c.req.url) ? next() : Promise.resolve(problem(c, { code: 'bad-request', detail: 'Expected `Host` to name a host.' }));

const secure: MiddlewareHandler<HttpEnv> = (c, next) => (ownOrigin(c).startsWith('https:') ? SECURITY.https : SECURITY.http)(c, next);

const boundBody: MiddlewareHandler<HttpEnv> = (c, next) =>
  Number(c.req.header('content-length') ?? 0) > BODY_MAX_BYTES ? Promise.resolve(problem(c, TOO_LARGE)) : next();

const judgeOrigin =
  (policy: OriginPolicy, help: string): MiddlewareHandler<HttpEnv> =>
  async (c, next) => {
    const verdict = policy.judge({ origin: c.req.header('origin') ?? null, own: ownOrigin(c) });
    if (verdict === 'denied') return problem(c, { code: 'origin-denied', detail: help });
    c.set('origin', verdict);
    return next();
  };

const share = cors({
  // Denied origins never get here.
  origin: (origin) => origin,
  credentials: true,
  allowMethods: ['GET', 'POST', 'DELETE'],
  allowHeaders: ['authorization', 'content-type', 'last-event-id', 'spillway-manager', 'traceparent'],
  exposeHeaders: ['retry-after', 'spillway-request'],
  maxAge: 600,
});
const shareIfAsked: MiddlewareHandler<HttpEnv> = (c, next) => (c.req.header('origin') === undefined ? next() : share(c, next));

const headersFor = (isSecure: boolean): MiddlewareHandler =>
  secureHeaders({
    // A browser that once saw this header over plain HTTP of a test machine would refuse that machine for a year.
    strictTransportSecurity: isSecure ? 'max-age=15552000' : false,
    // Without a referrer a browser says `Origin: null` in forms, and the forms of our own page would be refused.
    referrerPolicy: 'same-origin',
    xFrameOptions: 'DENY',
    contentSecurityPolicy: {
      defaultSrc: ["'self'"],
      // 'self' covers WebSockets of the page's own host in some browsers only.
      connectSrc: ["'self'", (c) => `ws://${new URL(c.req.url).host}`, (c) => `wss://${new URL(c.req.url).host}`],
      imgSrc: ["'self'", 'data:'],
      objectSrc: ["'none'"],
      baseUri: ["'none'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
    },
  });

const SECURITY = { http: headersFor(false), https: headersFor(true) };
