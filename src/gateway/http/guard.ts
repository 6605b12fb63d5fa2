import type { MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';
import { secureHeaders } from 'hono/secure-headers';
import { spellRandom } from '../../protocol/ids.ts';
import type { Services } from '../services.ts';
import { BODY_MAX_BYTES, TOO_LARGE } from './body.ts';
import { type HttpEnv, ownOrigin } from './http-env.ts';
import { problem } from './problems.ts';

/** What every request passes before a route sees it. */
export function guards(services: Services): readonly MiddlewareHandler<HttpEnv>[] {
  const securityFor = { http: headersFor(false), https: headersFor(true) };

  const name: MiddlewareHandler<HttpEnv> = async (c, next) => {
    c.set('services', services);
    c.set('requestId', `req_${spellRandom(services.random.bytes(20), 20)}`);
    await next();
    c.res.headers.set('spillway-request', c.get('requestId'));
    if (!c.res.headers.has('cache-control')) c.res.headers.set('cache-control', 'no-store');
  };

  const secure: MiddlewareHandler<HttpEnv> = (c, next) => (ownOrigin(c).startsWith('https:') ? securityFor.https : securityFor.http)(c, next);

  const judgeOrigin: MiddlewareHandler<HttpEnv> = async (c, next) => {
    const verdict = services.origins.judge({ origin: c.req.header('origin') ?? null, own: ownOrigin(c) });
    if (verdict === 'denied') {
      return problem(c, { code: 'origin-denied', detail: 'The operator lists the origins of pages that may ask here in `auth.origins`.' });
    }
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

  const boundBody: MiddlewareHandler<HttpEnv> = (c, next) =>
    Number(c.req.header('content-length') ?? 0) > BODY_MAX_BYTES ? Promise.resolve(problem(c, TOO_LARGE)) : next();

  return [name, secure, judgeOrigin, shareIfAsked, boundBody];
}

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
