import type { Cluster } from '../managers/cluster/cluster.ts';
import type { KnownNode } from '../managers/cluster/nodes.ts';
import type { Clock } from '../ports/clock.ts';
import type { NodeStatus, Summary } from '../protocol/live.ts';

/** A screen waits no longer for a node that is late. */
const WITHIN_MS = 300;

/** The figures of all nodes, as far as they answered. */
export interface Figures {
  readonly nodes: readonly NodeStatus[];
  /** Of the nodes that answered and measure themselves. */
  readonly summaries: readonly { readonly node: string; readonly summary: Summary }[];
  /** Living ones that did not answer in time. */
  readonly unanswered: readonly string[];
}

/** Knows how every node stands, this one first; it asks the others only when somebody looks. */
export interface NodeBoard extends Disposable {
  /** `keptMs`: how old they may be, for those who look again and again. Default: of now. */
  figures(keptMs?: number): Promise<Figures>;
}

/** `summary`: what is measured here, if anything is. */
export function createNodeBoard(o: {
  readonly cluster: Cluster | null;
  readonly clock: Clock;
  status(): Promise<NodeStatus>;
  summary(): Summary | null;
}): NodeBoard {
  const { cluster, clock, status, summary } = o;
  const undo = cluster?.handle('figures', async () => ({ status: await status(), summary: summary() })) ?? (() => {});
  let last: { readonly at: number; readonly figures: Promise<Figures> } | null = null;

  async function look(): Promise<Figures> {
    const others = (cluster?.nodes() ?? []).slice(1);
    const [own, ...answers] = await Promise.all([status(), ...others.map((node) => ask(node))]);
    const here = summary();
    return {
      nodes: [own, ...others.map((node, i) => answers[i]?.status ?? absent(node))],
      summaries: [
        ...(here === null ? [] : [{ node: own.node, summary: here }]),
        ...answers.flatMap((answer) => (answer === null || answer.summary === null ? [] : [{ node: answer.status.node, summary: answer.summary }])),
      ],
      unanswered: others.filter(({ standing }, i) => standing !== 'dead' && answers[i] === null).map(({ card }) => card.node),
    };
  }

  async function ask({ card, standing }: KnownNode): Promise<{ readonly status: NodeStatus; readonly summary: Summary | null } | null> {
    if (cluster === null || standing === 'dead') return null;
    const outcome = await cluster.ask(card.node, 'figures', {}, WITHIN_MS);
    return outcome.is === 'answer' ? outcome.answer : null;
  }

  return {
    figures(keptMs = 0) {
      const at = clock.mono();
      if (last === null || at - last.at >= keptMs) last = { at, figures: look() };
      return last.figures;
    },
    [Symbol.dispose]: undo,
  };
}

/** What its card told last; the rest nobody knows. */
const absent = ({ card, standing }: KnownNode): NodeStatus => ({
  node: card.node,
  state: standing === 'dead' ? 'expired' : 'silent',
  version: card.version,
  managers: card.managers,
  zombies: null,
  cpuShare: null,
  loopP99Ms: null,
  rssBytes: null,
  storeMs: null,
  leaseMs: standing === 'dead' ? 0 : null,
});

/** The first screen over several nodes. Figures are sums; of a time, a share, alerts and the golden path the worst is told, of states whether any
 *  node is in it; `draining` is this node's own. */
export function mergedSummary(all: readonly Summary[]): Summary {
  const first = all[0] as Summary;
  const sum = (of: (one: Summary) => number): number => all.reduce((total, one) => total + of(one), 0);
  const worst = (values: readonly (number | null)[], pick: (...numbers: number[]) => number): number | null => {
    const known = values.filter((value) => value !== null);
    return known.length === 0 ? null : pick(...known);
  };
  const paths = all.map(({ goldenPath }) => goldenPath).filter((path) => path !== null);
  return {
    ...first,
    goldenPath:
      paths.find(({ ok }) => !ok) ?? paths.reduce<Summary['goldenPath']>((slow, one) => (slow === null || (one.ms ?? 0) > (slow.ms ?? 0) ? one : slow), null),
    lockouts: { total: sum((s) => s.lockouts.total), last24h: sum((s) => s.lockouts.last24h) },
    gaps: sum((s) => s.gaps),
    cleanupP99Ms: worst(
      all.map((s) => s.cleanupP99Ms),
      Math.max,
    ),
    queue: { length: sum((s) => s.queue.length), longestMs: Math.max(...all.map((s) => s.queue.longestMs)) },
    availability: worst(
      all.map((s) => s.availability),
      Math.min,
    ),
    // What one node fires for, others most often do too.
    alertsFiring: Math.max(...all.map((s) => s.alertsFiring)),
    users: sum((s) => s.users),
    usersAtLimit: sum((s) => s.usersAtLimit),
    seats: sum((s) => s.seats),
    effectiveSeats: sum((s) => s.effectiveSeats),
    transports: sum((s) => s.transports),
    quarantined: sum((s) => s.quarantined),
    burst: { active: sum((s) => s.burst.active), debt: sum((s) => s.burst.debt) },
    managers: Object.fromEntries(
      Object.keys(first.managers).map((name) => [name, sum((s) => s.managers[name as keyof Summary['managers']])]),
    ) as Summary['managers'],
    evicted: sum((s) => s.evicted),
    regrets: sum((s) => s.regrets),
    storeFailOpen: all.some((s) => s.storeFailOpen),
    selfSlow: all.some((s) => s.selfSlow),
  };
}
