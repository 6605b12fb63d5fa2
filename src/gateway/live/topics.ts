import type { ManagerId, UserId } from '../../protocol/ids.ts';
import type { LiveTopic } from '../../protocol/live.ts';
import { mergedSummary } from '../node-board.ts';
import { acrossNodes, mergerOf } from './across-nodes.ts';
import { CellMap } from './cell-map.ts';
import { EventTail } from './event-tail.ts';
import type { LiveGround } from './ground.ts';
import { managerList } from './manager-list.ts';
import { SeriesTail } from './series.ts';
import { type Source, snapshot } from './source.ts';
import { timelineOf } from './timeline.ts';
import { userList } from './user-list.ts';

const SECOND_MS = 1_000;
const HALF_SECOND_MS = 500;
/** However many look, other nodes are asked at most this often. */
const KEPT_MS = 700;
/** As many as a page shows. */
const TICKETS_SHOWN = 200;

/** This gateway cannot tell of a topic; why, for the operator. */
export interface Absent {
  readonly absent: string;
}

const NO_HISTORY: Absent = { absent: 'This gateway keeps no history.' };

/** What a topic shows, over all nodes where it can be. Lists and explanations come from the very functions that the admin API answers with. */
export function sourceOf(topic: LiveTopic, ground: LiveGround): Source | Absent {
  const { cluster } = ground.factory;
  const across = cluster === null ? null : mergerOf(topic);
  if (cluster === null || across === null) return ownSourceOf(topic, ground);
  const own = ownSourceOf(across.wider, ground);
  return 'absent' in own ? own : acrossNodes(own, cluster, across);
}

/** What it shows of this node. */
export function ownSourceOf(topic: LiveTopic, ground: LiveGround): Source | Absent {
  const { factory, clock, tiers, history, summary, alerts, nodes, drills, board } = ground;
  switch (topic.of) {
    case 'map':
      return new CellMap(factory, clock, tiers);
    case 'users':
      return userList(factory, clock, topic);
    case 'managers':
      return managerList(factory, clock, topic);
    case 'user':
      return snapshot(SECOND_MS, async () => ({ of: 'user', user: await factory.userStatus(topic.user as UserId) }));
    case 'manager': {
      const id = topic.manager as ManagerId;
      return snapshot(HALF_SECOND_MS, () => ({ of: 'manager', manager: factory.explain(id), timeline: timelineOf(factory.history, id) }));
    }
    case 'events':
      return new EventTail(factory.history, topic);
    case 'queue':
      return snapshot(SECOND_MS, () => {
        const queued = factory.queue();
        return { of: 'queue', total: queued.length, queued: queued.slice(0, TICKETS_SHOWN).map((ticket) => ({ ...ticket, node: factory.node })) };
      });
    case 'nodes':
      if (nodes === null) return { absent: 'This gateway does not know its nodes.' };
      return snapshot(SECOND_MS, async () => ({ of: 'nodes', nodes: (await board.figures(KEPT_MS)).nodes }));
    case 'alerts':
      if (alerts === null) return { absent: 'This gateway evaluates no alerts.' };
      return snapshot(SECOND_MS, () => ({ of: 'alerts', alerts: alerts() }));
    case 'drills':
      if (drills === null) return { absent: 'Drills are off here: `dev` has them on, `serve` with `--drills`.' };
      return snapshot(HALF_SECOND_MS, () => ({ of: 'drills', running: drills.runs.find(({ state }) => state === 'running') ?? null, runs: drills.runs }));
    case 'summary':
      if (summary === null) return NO_HISTORY;
      return snapshot(SECOND_MS, async () => {
        const { summaries, unanswered } = await board.figures(KEPT_MS);
        return { of: 'summary', summary: mergedSummary(summaries.map((one) => one.summary)), nodes: summaries.map(({ node }) => node), unanswered };
      });
    case 'series':
      return history === null ? NO_HISTORY : new SeriesTail(history, topic.range);
  }
}
