import type { WebSocketManagerFactory } from '../../../managers/factory.ts';
import { AuditQuery, DrainNode, NodePath } from '../../../schemas/admin-bodies.ts';
import { Alerts, AuditEntries, Configuration, Draining, Nodes } from '../../../schemas/admin-operation.ts';
import { problem } from '../problems.ts';
import type { AdminRoutes } from './admin-routes.ts';
import type { Desk } from './desk.ts';
import { cursorFor } from './nodes/merged-page.ts';
import { placesFor } from './paging.ts';

const TAG = 'Operation';

/** Nodes and what is around them: alerts, what operators did, the configuration. */
export function nodeRoutes(routes: AdminRoutes, factory: WebSocketManagerFactory, desk: Desk): void {
  routes.look(
    {
      method: 'get',
      path: '/nodes',
      tag: TAG,
      summary: 'The nodes that share the store, this one among them; those that ended without a word for ten minutes more',
      answer: { status: 200, description: 'How they are', schema: Nodes },
    },
    async (c) => {
      const nodes = await desk.nodes();
      return c.json({ nodes, unanswered: nodes.filter(({ state }) => state === 'silent').map(({ node }) => node) });
    },
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
    async (c, { params, body: { timeoutMs } }, { done }) => {
      if (params.id !== factory.node) {
        const known = (await desk.nodes()).filter(({ state }) => state !== 'expired').map(({ node }) => `\`${node}\``);
        return problem(c, { code: 'not-found', detail: `Expected one of ${known.join(', ')}, got \`${params.id}\`. Nothing was drained.` });
      }
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
      const own = cursorFor(factory.node, cursor);
      const found = desk.audit.entries({ ...filter, ...(own === undefined ? {} : { before: Number(own) }) });
      const page = found.slice(0, limit);
      const places = page.map(({ at, id }) => ({ rank: -at, cursor: String(id) }));
      return c.json({ entries: page, nextCursor: found.length > limit ? String(page.at(-1)?.id) : null, unanswered: [], ...placesFor(c, places) });
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
