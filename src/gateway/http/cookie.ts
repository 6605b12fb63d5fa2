import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { LoginSession } from '../../auth/accounts.ts';
import { SESSION_COOKIE } from '../upgrade.ts';
import { type HttpContext, ownOrigin } from './http-env.ts';

/** Gives the browser the access token as a cookie that no script can read and no other site can send with a form. */
export function setSessionCookie(c: HttpContext, session: LoginSession): void {
  const { clock } = c.get('services');
  const maxAge = Math.max(1, Math.floor((session.expiresAt - clock.wall()) / 1_000));
  setCookie(c, SESSION_COOKIE, session.accessToken, { ...attributes(c), maxAge });
}

export const clearSessionCookie = (c: HttpContext): void => {
  deleteCookie(c, SESSION_COOKIE, attributes(c));
};

/** Whether this browser keeps its session in our cookie, and said so from an allowed page. */
export const usesSessionCookie = (c: HttpContext): boolean => c.get('origin') === 'allowed' && getCookie(c, SESSION_COOKIE) !== undefined;

function attributes(c: HttpContext) {
  // Behind a proxy that ends TLS our own URL says http; the page's origin knows better.
  const secure = (c.req.header('origin') ?? ownOrigin(c)).startsWith('https:');
  return { httpOnly: true, sameSite: 'Lax', secure, path: c.get('services').prefix || '/' } as const;
}
