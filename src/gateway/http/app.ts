import { OpenAPIHono } from '@hono/zod-openapi';
import { CLOSE } from '../../protocol/close-codes.ts';
import type { UserId } from '../../protocol/ids.ts';
import type { Services } from '../services.ts';
import { accountRoutes, identityRoutes } from './auth-routes.ts';
import { eventRoutes } from './event-routes.ts';
import { EventStreams } from './event-streams.ts';
import { guards } from './guard.ts';
import type { HttpContext, HttpEnv } from './http-env.ts';
import { mePage } from './me-page.ts';
import { pageRoutes } from './pages.ts';
import { problem, problemOf } from './problems.ts';
import { Routes } from './routes.ts';
import { documentRoutes, serviceRoutes } from './service-routes.ts';
import { createSessionRate, sessionRoutes } from './session-routes.ts';
import { threadRoutes } from './thread-routes.ts';

export interface HttpExtras {
  /** Folder with the built chat page; left out: no page at `/`. */
  readonly chatPages?: string;
  /** Where a request came from, for counting log-ins. Default: the peer of its socket. */
  readonly requestAddress?: (request: Request) => string;
}

export interface HttpApp {
  /** Answers every request; what fails becomes a problem. `env` is what the node server gives. */
  fetch(request: Request, env?: HttpEnv['Bindings']): Response | Promise<Response>;
  /** Ends all event streams, for a server that stops: their clients come back elsewhere with their position. */
  endStreams(): void;
  /** Ends the event streams of a log-in, or all of the user's for null. */
  endLogin(user: UserId, family: string | null): void;
}

/** The public HTTP paths. */
export function createHttpApp(services: Services, extras: HttpExtras = {}): HttpApp {
  const { prefix, accounts } = services;
  const app = new OpenAPIHono<HttpEnv>();
  app.use('*', ...guards(services));
  app.notFound((c) => problem(c, { code: 'not-found', detail: `Expected a path of \`${prefix}/openapi.json\`, got one at which nothing answers.` }));
  app.onError((error, c) => problemOf(c, error));

  const addressOf = (c: HttpContext): string => extras.requestAddress?.(c.req.raw) ?? c.env?.incoming?.socket.remoteAddress ?? 'unknown';
  const routes = new Routes(app, prefix);
  const streams = new EventStreams(services);
  const rate = createSessionRate(services);
  if (accounts !== null) accountRoutes(routes, accounts, streams, addressOf);
  identityRoutes(routes, services);
  sessionRoutes(routes, rate);
  threadRoutes(routes);
  eventRoutes(routes, streams);
  serviceRoutes(routes, services);
  documentRoutes(app, routes, services);
  routes.serve('/v1/ws', (c) => problem(c, { code: 'upgrade-required', detail: 'Connect with a WebSocket client; the subprotocol is `spillway.v1`.' }));
  routes.refuseOtherMethods();
  if (accounts !== null) mePage(app, prefix, rate);
  if (extras.chatPages !== undefined) pageRoutes(app, { option: 'chatPages', folder: extras.chatPages, prefix });

  return {
    fetch: (request, env) => app.fetch(request, env ?? {}),
    endStreams: () => streams.endAll(CLOSE.draining),
    endLogin: (user, family) => streams.endLogin(user, family),
  };
}
