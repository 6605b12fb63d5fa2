import { getCookie } from 'hono/cookie';
import type { Recognition } from '../../auth/identity.ts';
import { SESSION_COOKIE } from '../upgrade.ts';
import type { HttpContext } from './http-env.ts';
import type { Problem } from './problems.ts';

/** Who asks? The `Authorization` header counts, else the session cookie, which is worth something only in a request whose `Origin`
 *  is present and allowed. */
export function recognise(c: HttpContext): Promise<Recognition> {
  const cookie = getCookie(c, SESSION_COOKIE);
  return cookie !== undefined && c.get('origin') === 'allowed' && c.req.header('authorization') === undefined
    ? recogniseCookie(c, cookie)
    : c.get('services').authenticator.recognise(headersOf(c));
}

/** Who does the session cookie name? Only for pages that a person opens, which browsers ask for without an `Origin`. */
export function recogniseCookie(c: HttpContext, cookie: string): Promise<Recognition> {
  const request = headersOf(c);
  request.headers.set('authorization', `Bearer ${cookie}`);
  return c.get('services').authenticator.recognise(request);
}

/** The request without its body, which belongs to the route. */
const headersOf = (c: HttpContext): Request => new Request(c.req.url, { headers: new Headers(c.req.header()) });

/** What somebody is told who was not recognised. */
export const notRecognised = (why: 'expired' | 'invalid'): Problem => ({
  code: why === 'expired' ? 'credential-expired' : 'unauthorized',
  headers: { 'www-authenticate': why === 'expired' ? 'Bearer error="invalid_token", error_description="expired"' : 'Bearer' },
});
