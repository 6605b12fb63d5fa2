import type { Cluster } from '../../managers/cluster/cluster.ts';
import type { LiveTopic, LiveUpdate, ManagerRow, ManagerSort, UserRow, UserSort } from '../../protocol/live.ts';
import type { UserDetail } from '../http/admin/nodes/merged-figures.ts';
import { mergedUserDetail } from '../http/admin/nodes/merged-figures.ts';
import { type Source, snapshot } from './source.ts';

/** A look waits no longer for a node that is late. */
const WITHIN_MS = 300;

/** How a topic of several nodes becomes one. */
export interface Merger {
  /** What each node is asked: of a list all rows down to the last one shown. */
  readonly wider: LiveTopic;
  /** This node's comes first. */
  merge(all: readonly LiveUpdate[]): LiveUpdate;
}

/** Null: a topic that is each node's own. */
export function mergerOf(topic: LiveTopic): Merger | null {
  switch (topic.of) {
    case 'users': {
      const { from, size } = topic.window;
      return { wider: { ...topic, window: { from: 0, size: from + size } }, merge: (all) => mergedUsers(only(all, 'users'), topic.sort, from, size) };
    }
    case 'managers': {
      const { from, size } = topic.window;
      return { wider: { ...topic, window: { from: 0, size: from + size } }, merge: (all) => mergedManagers(only(all, 'managers'), topic.sort, from, size) };
    }
    case 'user':
      return { wider: topic, merge: (all) => ({ of: 'user', user: userOf(only(all, 'user')) }) };
    case 'manager':
      return { wider: topic, merge: (all) => only(all, 'manager').find(({ manager }) => manager !== null) ?? (all[0] as LiveUpdate) };
    case 'queue':
      return { wider: topic, merge: (all) => queueOf(only(all, 'queue')) };
    case 'alerts':
    case 'drills':
    case 'events':
    case 'map':
    case 'nodes':
    case 'series':
    case 'summary':
      return null;
  }
}

/** A topic over all nodes: asked of the others as often as it is looked at here. */
export function acrossNodes(own: Source, cluster: Cluster, { wider, merge }: Merger): Source {
  const merged = snapshot(own.everyMs, async () => {
    const others = cluster
      .nodes()
      .slice(1)
      .filter(({ standing }) => standing !== 'dead');
    const [, ...answers] = await Promise.all([own.look(), ...others.map(({ card }) => cluster.ask(card.node, 'look', { topic: wider }, WITHIN_MS))]);
    const here = own.whole(null);
    if (here === null) return null;
    const there = answers.map((answer) => (answer?.is === 'answer' ? answer.answer.data : null));
    const update = merge([JSON.parse(here) as LiveUpdate, ...there.filter((data) => data !== null)]);
    const unanswered = others.filter((_, i) => there[i] === null).map(({ card }) => card.node);
    return unanswered.length === 0 ? update : ({ ...update, unanswered } as LiveUpdate);
  });
  return {
    ...merged,
    get everyMs() {
      return own.everyMs;
    },
    // Those of a spread object are values of one moment.
    look: () => merged.look(),
    end: () => own.end(),
  };
}

/** Lets other nodes look at this one. `sourceOf`: what a topic shows here; null for one that it cannot tell of. Returns the undo. */
export function letLook(cluster: Cluster, sourceOf: (topic: LiveTopic) => Source | null): () => void {
  return cluster.handle('look', async ({ topic }) => {
    const source = sourceOf(topic);
    if (source === null) return { data: null };
    try {
      await source.look();
      const text = source.whole(null);
      return { data: text === null ? null : (JSON.parse(text) as LiveUpdate) };
    } finally {
      source.end();
    }
  });
}

type UpdateOf<N extends LiveUpdate['of']> = Extract<LiveUpdate, { of: N }>;

/** Another version may answer something else. */
const only = <N extends LiveUpdate['of']>(all: readonly LiveUpdate[], of: N): readonly UpdateOf<N>[] => all.filter((one): one is UpdateOf<N> => one.of === of);

const USER_ORDER: Readonly<Record<UserSort, (a: UserRow, b: UserRow) => number>> = {
  seats: (a, b) => b.seats - a.seats,
  zombies: (a, b) => b.zombies - a.zombies,
  queued: (a, b) => b.queued - a.queued,
  name: () => 0,
};

function mergedUsers(all: readonly UpdateOf<'users'>[], sort: UserSort, from: number, size: number): LiveUpdate {
  const rows = new Map<string, UserRow>();
  for (const row of all.flatMap((one) => one.rows)) {
    const before = rows.get(row.user);
    rows.set(row.user, before === undefined ? row : sumOf(before, row));
  }
  const order = USER_ORDER[sort];
  const sorted = [...rows.values()].sort((a, b) => order(a, b) || (a.user < b.user ? -1 : 1));
  const twice = all.reduce((sum, one) => sum + one.rows.length, 0) - rows.size;
  const total = all.reduce((sum, one) => sum + one.total, 0) - twice;
  return { of: 'users', total, from, rows: sorted.slice(from, from + size) };
}

const sumOf = (a: UserRow, b: UserRow): UserRow => ({
  ...a,
  seats: a.seats + b.seats,
  effective: a.effective + b.effective,
  sockets: a.sockets + b.sockets,
  queued: a.queued + b.queued,
  zombies: a.zombies + b.zombies,
});

/** As each node orders its own: first what an operator looks for. */
const MANAGER_ORDER: Readonly<Record<ManagerSort, (row: ManagerRow) => number>> = {
  'last-ack': (row) => -(row.lastAckMs ?? row.ageMs),
  unacked: (row) => -row.unacked,
  buffered: (row) => -row.bufferedBytes,
  idle: (row) => (row.running ? Number.POSITIVE_INFINITY : -row.quietMs),
  age: (row) => -row.ageMs,
};

function mergedManagers(all: readonly UpdateOf<'managers'>[], sort: ManagerSort, from: number, size: number): LiveUpdate {
  const rank = MANAGER_ORDER[sort];
  const rows = all.flatMap((one) => one.rows).sort((a, b) => rank(a) - rank(b) || (a.manager < b.manager ? -1 : 1));
  return { of: 'managers', total: all.reduce((sum, one) => sum + one.total, 0), from, rows: rows.slice(from, from + size) };
}

function userOf(all: readonly UpdateOf<'user'>[]): unknown {
  const known = all.map(({ user }) => user).filter((user) => user !== null) as UserDetail[];
  return known.length === 0 ? null : mergedUserDetail(known);
}

function queueOf(all: readonly UpdateOf<'queue'>[]): LiveUpdate {
  return { of: 'queue', total: all.reduce((sum, one) => sum + one.total, 0), queued: all.flatMap(({ queued }) => queued).slice(0, TICKETS_SHOWN) };
}

/** As many as a page shows. */
const TICKETS_SHOWN = 200;
