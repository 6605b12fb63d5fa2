import { OpenAPIHono } from '@hono/zod-openapi';
import { prettyJSON } from 'hono/pretty-json';
import type { WebSocketManagerFactory } from '../../../managers/factory.ts';
import type { Services } from '../../services.ts';
import { adminGuards } from '../guard.ts';
import type { HttpEnv } from '../http-env.ts';
import { pageRoutes } from '../pages.ts';
import { problem, problemOf } from '../problems.ts';
import { healthRoutes } from '../service-routes.ts';
import { ADMIN_BASE, AdminRoutes } from './admin-routes.ts';
import { cleanupRoutes } from './cleanup-routes.ts';
import type { Desk } from './desk.ts';
import { drillRoutes } from './drill-routes.ts';
import { eventRoutes } from './event-routes.ts';
import { EventWatchers } from './event-watchers.ts';
import { logRoutes } from './log-routes.ts';
import { managerRoutes } from './manager-routes.ts';
import { metricsRoutes } from './metrics-routes.ts';
import { nodeRoutes } from './node-routes.ts';
import { acrossNodes } from './nodes/across-nodes.ts';
import { createPeers, type Peers } from './nodes/peers.ts';
import { requireOperator } from './require-operator.ts';
import { statusRoutes } from './status-routes.ts';
import { userRoutes } from './user-routes.ts';

export interface AdminApp extends Disposable {
  /** Answers every request; what fails becomes a problem. `env` is what the node server gives. */
  fetch(request: Request, env?: HttpEnv['Bindings']): Response | Promise<Response>;
  /** Ends all event streams, for a server that stops. */
  endStreams(): void;
}

/** The paths for operators: health and pages for anybody, everything else with the key or a token of a role. Without a desk there is only
 *  health. `pages`: folder of the built dashboard. */
export function createAdminApp(services: Services, factory: WebSocketManagerFactory, desk: Desk | null, pages: string | null): AdminApp {
  const { prefix, version, health, observatory } = services;
  const app = new OpenAPIHono<HttpEnv>();
  const watchers = new EventWatchers(factory, services);
  app.use('*', ...adminGuards(services), prettyJSON());
  app.notFound((c) => problem(c, { code: 'not-found', detail: desk === null ? NO_KEY : `Nothing answers at this path; ${HELP}` }));
  app.onError((error, c) => problemOf(c, error));
  const base = `${prefix}${ADMIN_BASE}`;
  let peers: (Peers & Disposable) | null = null;
  if (desk !== null) {
    for (const path of [`${ADMIN_BASE}/*`, '/metrics']) app.use(prefix + path, requireOperator(desk.operators));
    app.use(
      `${base}/*`,
      acrossNodes(() => peers, base),
    );
  }

  const routes = new AdminRoutes(app, prefix, desk);
  healthRoutes(routes, health);
  if (desk !== null) {
    statusRoutes(routes, factory, services);
    userRoutes(routes, factory, services);
    managerRoutes(routes, factory, services);
    cleanupRoutes(routes, factory);
    eventRoutes(routes, factory, watchers);
    logRoutes(routes, services);
    nodeRoutes(routes, factory, desk);
    drillRoutes(routes, desk.drills);
    if (observatory !== null) metricsRoutes(routes, { node: factory.node, version, metrics: observatory.metrics });
    document(app, routes, version);
  }
  routes.refuseOtherMethods();
  if (pages !== null) pageRoutes(app, { option: 'dashboardPages', folder: pages, prefix });

  const { cluster } = factory;
  if (desk !== null && cluster !== null) {
    const { clock, random } = services;
    peers = createPeers({ cluster, own: factory.node, base, clock, random, answer: (request, env) => app.fetch(request, env) });
  }

  return {
    fetch: (request, env) => app.fetch(request, env ?? {}),
    endStreams: () => watchers.endAll(),
    [Symbol.dispose]: () => peers?.[Symbol.dispose](),
  };
}

const HELP = `\`GET ${ADMIN_BASE}/openapi.json\` lists what does. In a path, ids \`.\` and \`..\` are written \`~.\` and \`~..\`.`;
const NO_KEY = 'This gateway has no admin API: it was made without `adminKey`.';

/** The machine-readable description. Added last, for it holds what was added before. */
function document(app: OpenAPIHono<HttpEnv>, routes: AdminRoutes, version: string): void {
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    description: 'The admin key, or a token of a role: `spillway token create --role viewer|operator|admin`.',
  });
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
