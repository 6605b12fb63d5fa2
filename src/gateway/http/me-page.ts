import type { OpenAPIHono } from '@hono/zod-openapi';
import { getCookie } from 'hono/cookie';
import { html, raw } from 'hono/html';
import type { Identity } from '../../auth/identity.ts';
import type { ManagerId } from '../../protocol/ids.ts';
import type { Limits, SessionInfo } from '../../protocol/messages.ts';
import { durationText } from '../../protocol/texts.ts';
import { SESSION_COOKIE } from '../upgrade.ts';
import type { HttpContext, HttpEnv } from './http-env.ts';
import { problem } from './problems.ts';
import { recognise, recogniseCookie } from './recognise.ts';
import type { SessionRate } from './session-routes.ts';

const BY = 'the page of your sessions';

/** "Your sessions" without scripts: works where the chat page does not. Needs the session cookie; every change is a form, which
 *  counts only with an allowed `Origin`. */
export function mePage(app: OpenAPIHono<HttpEnv>, prefix: string, rate: SessionRate): void {
  const home = `${prefix}/me`;
  const tooMany = (c: HttpContext, waitMs: number): Response =>
    problem(c, { code: 'rate-limited', detail: 'Wait a second; no session is affected.', retryAfterMs: waitMs });

  app.get(home, async (c) => {
    const cookie = getCookie(c, SESSION_COOKIE);
    const who = cookie === undefined ? null : await recogniseCookie(c, cookie);
    if (who?.is !== 'ok') return c.html(page(prefix, html`<p>Please <a href="${prefix}/">sign in</a> first, then open this page again.</p>`), 401);
    const waitMs = rate(who.identity);
    if (waitMs > 0) return tooMany(c, waitMs);
    const { sessions } = c.get('services');
    const { user, tier } = who.identity;
    return c.html(page(prefix, list(home, who.identity, await sessions.list(user, null), await sessions.limits(user, tier), c.get('services').clock.wall())));
  });

  const change = (path: string, act: (c: HttpContext, identity: Identity) => Promise<unknown>): void => {
    app.post(path, async (c) => {
      if (c.get('origin') !== 'allowed') return problem(c, { code: 'origin-denied', detail: 'This form must be sent by the page that shows it.' });
      const who = await recognise(c);
      if (who.is !== 'ok') return c.redirect(home, 303);
      const waitMs = rate(who.identity);
      if (waitMs > 0) return tooMany(c, waitMs);
      await act(c, who.identity);
      return c.redirect(home, 303);
    });
  };
  // A session that is gone already is what the person wanted.
  change(`${home}/sessions/:id/free`, (c, { user }) => c.get('services').sessions.free(user, c.req.param('id') as ManagerId, BY));
  change(`${home}/free-unresponsive`, (c, { user }) => c.get('services').sessions.freeUnresponsive(user, BY));

  app.get(`${prefix}/me.css`, (c) => c.body(STYLE, 200, { 'content-type': 'text/css; charset=utf-8' }));
}

type Html = ReturnType<typeof html>;

function list(home: string, { name }: Identity, sessions: readonly SessionInfo[], limits: Limits, now: number): Html {
  const rows = sessions.map(
    (session) => html`<li>
      <p><strong>${session.label || session.client}</strong>${session.running ? ', an answer is being written' : ''}</p>
      <p>${wordsFor(session, now)}</p>
      <form method="post" action="${home}/sessions/${session.id}/free"><button>Close this</button></form>
    </li>`,
  );
  return html`<p>${name}, you use ${limits.used} of ${limits.soft} sessions. Closing one loses nothing: its conversation stays, and its answer is written to the end.</p>
    ${sessions.length === 0 ? html`<p>No session is open.</p>` : html`<ul>${rows}</ul>`}
    <form method="post" action="${home}/free-unresponsive"><button>Close all that do not respond</button></form>`;
}

/** The same words as on the chat page. */
function wordsFor({ verdict, connected, lastEvidenceAt }: SessionInfo, now: number): string {
  const span = durationText(Math.max(0, now - lastEvidenceAt));
  if (verdict === 'zombie' || verdict === 'inactive') return `Not responding for ${span}`;
  return connected ? `Seen ${span} ago` : `Connection lost, seen ${span} ago`;
}

const page = (prefix: string, content: Html): Html => html`${raw('<!doctype html>')}
<html lang="en">
  <head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Your sessions</title><link rel="stylesheet" href="${prefix}/me.css"></head>
  <body><main><h1>Your sessions</h1>${content}</main></body>
</html>`;

const STYLE = `:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 40rem; margin: 0 auto; padding: 1rem; }
ul { list-style: none; padding: 0; }
li { border-top: 1px solid GrayText; padding: 0.5rem 0 1rem; }
p { margin: 0.25rem 0; }
button { font: inherit; padding: 0.5rem 1rem; min-height: 44px; }
`;
