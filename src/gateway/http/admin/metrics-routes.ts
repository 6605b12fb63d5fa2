import { z } from '@hono/zod-openapi';
import type { NodeId } from '../../../protocol/ids.ts';
import { Version } from '../../../schemas/admin-operation.ts';
import type { Exposition } from '../../../telemetry/exposition.ts';
import type { AdminRoutes } from './admin-routes.ts';

const TAG = 'Service';

export interface MetricsPaths {
  readonly node: NodeId;
  readonly version: string;
  readonly metrics: Exposition;
}

/** What a scraper asks: the metrics, with the key; and what runs here, for anybody. At the root of the port, where scrapers look. */
export function metricsRoutes(routes: AdminRoutes, { node, version, metrics }: MetricsPaths): void {
  routes.scrape(
    {
      method: 'get',
      path: '/metrics',
      tag: TAG,
      summary: 'Everything that is counted and measured, in the text format of Prometheus',
      answer: { status: 200, description: 'The metrics', schema: z.string(), mediaType: 'text/plain' },
    },
    async (c) => {
      const { contentType, text } = await metrics.read(c.req.header('accept') ?? null);
      return c.body(text, 200, { 'content-type': contentType });
    },
  );
  routes.open(
    { method: 'get', path: '/version', tag: TAG, summary: 'What runs here', answer: { status: 200, description: 'Versions', schema: Version } },
    (c) => c.json({ version, node, nodeVersion: process.versions.node }),
  );
}
