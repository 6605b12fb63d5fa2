import type { OpenAPIHono } from '@hono/zod-openapi';
import { PROTOCOL_VERSION } from '../../protocol/frames.ts';
import { createAsyncApi } from '../../schemas/asyncapi.ts';
import { Config, Health as HealthSchema } from '../../schemas/bodies.ts';
import type { Health, HealthReport, Services } from '../services.ts';
import { SESSION_COOKIE } from '../upgrade.ts';
import type { HttpContext, HttpEnv } from './http-env.ts';
import type { RouteBook } from './route-book.ts';
import type { Routes } from './routes.ts';

const TAG = 'Service';

/** What a client must know before it signs in, and what an orchestrator asks. */
export function serviceRoutes(routes: Routes, services: Services): void {
  const { prefix, authenticator, agentName, version, health } = services;
  routes.open(
    {
      method: 'get',
      path: '/v1/config',
      tag: TAG,
      summary: 'Paths and ways to sign in',
      answer: { status: 200, description: 'The configuration', schema: Config },
    },
    (c) => c.json({ v: [PROTOCOL_VERSION], paths: { ws: `${prefix}/v1/ws` }, auth: { modes: [authenticator.mode] }, agent: { name: agentName }, version }),
  );

  healthRoutes(routes, health);
}

/** What an orchestrator asks, on either port. */
export function healthRoutes(routes: RouteBook, health: Health): void {
  const probes = {
    '/livez': ['Whether the process works', () => health.live()],
    '/readyz': ['Whether the node takes connections', () => health.ready()],
    '/startupz': ['Whether the node was ready once', () => health.started()],
  } as const;
  for (const [path, [summary, ask]] of Object.entries(probes)) {
    routes.open(
      {
        method: 'get',
        path,
        tag: TAG,
        summary: `${summary}; 503 with the same body if not`,
        answer: { status: 200, description: 'Yes', schema: HealthSchema },
      },
      async (c) => reportOf(c, await ask()),
    );
  }
}

const reportOf = (c: HttpContext, report: HealthReport): Response => c.json(report, report.status === 'ok' ? 200 : 503);

/** The machine-readable descriptions. Added last, for the OpenAPI document holds what was added before. */
export function documentRoutes(app: OpenAPIHono<HttpEnv>, routes: RouteBook, { prefix, version }: Services): void {
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' });
  app.openAPIRegistry.registerComponent('securitySchemes', 'cookie', { type: 'apiKey', in: 'cookie', name: SESSION_COOKIE });
  const openApi = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Spillway',
      version,
      license: { name: 'MIT' },
      description: 'Sessions for AI chat that never lock a user out. The WebSocket is described in `asyncapi.json`.',
    },
  });
  const asyncApi = createAsyncApi({ version, path: `${prefix}/v1/ws` });
  routes.serve('/openapi.json', (c) => c.json(openApi));
  routes.serve('/asyncapi.json', (c) => c.json(asyncApi));
}
