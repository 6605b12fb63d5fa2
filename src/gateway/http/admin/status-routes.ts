import type { WebSocketManagerFactory } from '../../../managers/factory.ts';
import { Queue } from '../../../schemas/admin-bodies.ts';
import { Consistency, HealthCheck, Status } from '../../../schemas/admin-reports.ts';
import type { Services } from '../../services.ts';
import type { AdminRoutes } from './admin-routes.ts';
import { longJson } from './long-json.ts';

const TAG = 'The whole gateway';

/** How this node stands. */
export function statusRoutes(routes: AdminRoutes, factory: WebSocketManagerFactory, { version, clock }: Services): void {
  routes.look(
    {
      method: 'get',
      path: '/status',
      tag: TAG,
      summary: 'Gauges of this instant, and what was done since the start',
      answer: { status: 200, description: 'The status', schema: Status },
    },
    (c) => c.json({ node: factory.node, nodes: [factory.node], unanswered: [], version, at: clock.wall(), ...factory.getFactoryStatus() }),
  );

  routes.look(
    {
      method: 'get',
      path: '/health-check',
      tag: TAG,
      summary: 'The verdict on every manager of the node that is asked; evicts nobody',
      answer: { status: 200, description: 'Counts and managers', schema: HealthCheck },
    },
    async (c) => {
      const { managers, ...counts } = await factory.healthCheckAllManagers();
      return c.body(longJson(clock, counts, 'managers', managers), 200, { 'content-type': 'application/json' });
    },
  );

  routes.look(
    {
      method: 'get',
      path: '/queue',
      tag: TAG,
      summary: 'Who waits for a seat',
      answer: { status: 200, description: 'Users’ queues and the queue of a full node', schema: Queue },
    },
    (c) => c.json({ queued: factory.queue().map((ticket) => ({ ...ticket, node: factory.node })), unanswered: [] }),
  );

  routes.look(
    {
      method: 'get',
      path: '/consistency',
      tag: TAG,
      summary: 'Compares managers, seats and sockets',
      answer: { status: 200, description: 'Every difference; none is how it should be', schema: Consistency },
      problems: ['store-unavailable'],
    },
    async (c) => {
      const { checkedAt, differences } = await factory.checkConsistency();
      return c.json({ checkedAt, differences: differences.map((one) => ({ ...one, node: factory.node })), unanswered: [] });
    },
  );
}
