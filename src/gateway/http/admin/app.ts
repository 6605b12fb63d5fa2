import { OpenAPIHono } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import { prettyJSON } from 'hono/pretty-json';
import { adminKeyCheck } from '../../../auth/admin-key.ts';
import { bearerOf } from '../../../auth/bearer.ts';
import type { WebSocketManagerFactory } from '../../../managers/factory.ts';
import type { Services } from '../../services.ts';
import { adminGuards } from '../guard.ts';
import type { HttpEnv } from '../http-env.ts';
import { problem, problemOf } from '../problems.ts';
import { healthRoutes } from '../service-routes.ts';
import { ADMIN_BASE, AdminRoutes } from './admin-routes.ts';
import { cleanupRoutes } from './cleanup-routes.ts';
import { eventRoutes } from './event-routes.ts';
import { EventWatchers } from './event-watchers.ts';
import { managerRoutes } from './manager-routes.ts';
import { statusRoutes } from './status-routes.ts';
import { userRoutes } from './user-routes.ts';

export interface AdminApp {
  /** Answers every request; what fails becomes a problem. `env` is what the node server gives. */
  fetch(request: Request, env?: HttpEnv['Bindings']): Response | Promise<Response>;
  /** Ends all event streams, for a server that stops. */
  endStreams(): void;
}

/** The paths for operators: health for anybody, everything else with the key. Without a key there is only health.
 *  @throws SpillwayError `SPILLWAY_BAD_OPTION` for a key that is too short. */
export function createAdminApp(services: Services, factory: WebSocketManagerFactory, key: string | null): AdminApp {
  const app = new OpenAPIHono<HttpEnv>();
  const watchers = new EventWatchers(factory, services);
  const isHere = key !== null;
  app.use('*', ...adminGuards(services), prettyJSON());
  app.notFound((c) => problem(c, { code: 'not-found', detail: isHere ? `Nothing answers at this path; ${HELP}` : NO_KEY }));
  app.onError((error, c) => problemOf(c, error));
  if (isHere) app.use(`${services.prefix}${ADMIN_BASE}/*`, requireKey(key));

  const routes = new AdminRoutes(app, services.prefix);
  healthRoutes(routes, services.health);
  if (isHere) {
    statusRoutes(routes, factory, services);
    userRoutes(routes, factory);
    managerRoutes(routes, factory);
    cleanupRoutes(routes, factory);
    eventRoutes(routes, factory, watchers);
    document(app, routes, services);
  }
  routes.refuseOtherMethods();

  return {
    fetch: (request, env) => app.fetch(request, env ?? {}),
    endStreams: () => watchers.endAll(),
  };
}

const HELP = `\`GET ${ADMIN_BASE}/openapi.json\` lists what does.`;
const NO_KEY = 'This gateway has no admin API: it was made without `adminKey`.';

function requireKey(key: string): MiddlewareHandler<HttpEnv> {
  const isKey = adminKeyCheck(key);
  return async (c, next) => {
    const presented = bearerOf(c.req.raw);
    if (presented !== null && isKey(presented)) return next();
    const came = presented === null ? 'none came' : 'another one came';
    return problem(c, {
      code: 'unauthorized',
      detail: `Expected the admin key as \`Authorization: Bearer KEY\`, ${came}. It is the value of \`admin.token\`, else it stands in the file \`admin-key\` of the data folder.`,
      headers: {
        'www-authenticate': presented === null ? 'Bearer' : 'Bearer error="invalid_token"',
        // The body of somebody without the key is never read.
        ...(c.req.method === 'GET' || c.req.method === 'HEAD' ? {} : { connection: 'close' }),
      },
    });
  };
}

/** The machine-readable description. Added last, for it holds what was added before. */
function document(app: OpenAPIHono<HttpEnv>, routes: AdminRoutes, { version }: Services): void {
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer', description: 'The admin key.' });
  const openApi = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Spillway for operators',
      version,
      license: { name: 'MIT' },
      description: 'Who holds seats, why, who would go, and who went. It tells of no message what was in it.',
    },
  });
  routes.serve(`${ADMIN_BASE}/openapi.json`, (c) => c.json(openApi));
}
