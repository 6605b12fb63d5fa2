import type { WebSocketManagerFactory } from '../../../managers/factory.ts';
import { AuditQuery, DrainNode, NodePath } from '../../../schemas/admin-bodies.ts';
import { Alerts, AuditEntries, Configuration, Draining, Nodes } from '../../../schemas/admin-operation.ts';
import { problem } from '../problems.ts';
import type { AdminRoutes } from './admin-routes.ts';
import type { Desk } from './desk.ts';

const TAG = 'Operation';

/** Nodes and what is around them: alerts, what operators did, the configuration. */
export function nodeRoutes(routes: AdminRoutes, factory: WebSocketManagerFactory, desk: Desk): void {
  routes.look(
    {
      method: 'get',
      path: '/nodes',
      tag: TAG,
      summary: 'The nodes that this one knows of; for now itself',
      answer: { status: 200, description: 'How they are', schema: Nodes },
    },
    async (c) => c.json({ nodes: await desk.nodes() }),
  );

  routes.change(
    {
      method: 'post',
      path: '/nodes/{id}/drain',
      tag: TAG,
      summary: 'Moves everybody away from a node, one by one. It takes no new connections from here on until it is restarted',
      params: NodePath,
      body: DrainNode,
      answer: { status: 202, description: 'It has begun, or was under way', schema: Draining },
      problems: ['not-found'],
    },
    { action: 'drain-node', role: 'admin', target: ({ params }) => params.id },
    (c, { params, body: { timeoutMs } }, { done }) => {
      if (params.id !== factory.node)
        return problem(c, {
          code: 'not-found',
          detail: `Expected \`${factory.node}\`, the one node that this one knows of, got \`${params.id}\`. Nothing was drained.`,
        });
      const withinMs = desk.startDrain(timeoutMs ?? factory.options.shutdown.timeoutMs);
      done(`everybody is moved away; answers under way may end within ${withinMs} ms`);
      return c.json({ node: factory.node, state: 'draining', withinMs }, 202);
    },
  );

  routes.look(
    {
      method: 'get',
      path: '/alerts',
      tag: TAG,
      summary: 'Every alert with its value and threshold, the quiet ones too',
      answer: { status: 200, description: 'As the last evaluation found them', schema: Alerts },
      problems: ['not-found'],
    },
    (c) => (desk.alerts === null ? problem(c, { code: 'not-found', detail: 'No alerts are evaluated here.' }) : c.json({ alerts: desk.alerts.statuses() })),
  );

  routes.look(
    {
      method: 'get',
      path: '/audit',
      tag: TAG,
      summary: 'What operators did and were refused, newest first; the last 1,000 of this process are known',
      query: AuditQuery,
      answer: { status: 200, description: 'One page of them', schema: AuditEntries },
    },
    (c, { query: { action, since, limit, cursor } }) => {
      const filter = { ...(action === undefined ? {} : { action }), ...(since === undefined ? {} : { since }) };
      const found = desk.audit.entries({ ...filter, ...(cursor === undefined ? {} : { before: Number(cursor) }) });
      const page = found.slice(0, limit);
      return c.json({ entries: page, nextCursor: found.length > limit ? String(page.at(-1)?.id) : null });
    },
  );

  routes.look(
    {
      method: 'get',
      path: '/config',
      tag: TAG,
      summary: 'Every option with its value and where the value came from; secrets are left out',
      answer: { status: 200, description: 'The options', schema: Configuration },
    },
    (c) => c.json({ options: desk.configuration() }),
  );
}
