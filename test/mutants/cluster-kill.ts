import type { Mutant } from './mutant.ts';

const HISTORIES = 'test/cluster/histories.test.ts -t one order explains every seat';
const KILLED = 'test/cluster/cluster.test.ts -t one is killed while thirty people read';

/** Mistakes that histories of a shared Redis, and the killing of a node, must notice. */
export const CLUSTER_KILL_MUTANTS: readonly Mutant[] = [
  {
    name: 'admit-without-room',
    proves: 'the script gives a seat whether there is one or not',
    file: 'src/stores/redis/lua/seat-admit.lua',
    find: "  if not hasRoom() then return { 'full', facts() } end\n",
    replace: '',
    caughtBy: HISTORIES,
  },
  {
    name: 'append-without-fence',
    proves: 'a writer that was replaced may go on writing',
    file: 'src/stores/redis/lua/shared/writing.lua',
    find: "  if token < math.max(stream.token, 1) then return { 'fenced' } end\n",
    replace: '',
    caughtBy: HISTORIES,
  },
  {
    name: 'dead-is-silent',
    proves: 'a node that is gone is never proven dead',
    file: 'src/core/lease.ts',
    find: "  return n.epochStableMs >= NODE_KEY_MS ? 'dead' : 'silent';",
    replace: "  return n.epochStableMs >= NODE_KEY_MS * 1_000 ? 'dead' : 'silent';",
    caughtBy: KILLED,
  },
  {
    name: 'death-not-heard',
    proves: 'nobody looks for the runs of a node that died',
    file: 'src/gateway/left-runs.ts',
    find: 'this.#stopHearing = deps.cluster.onDeath(() => this.#later(SPREAD_MS * deps.random.share()));',
    replace: 'this.#stopHearing = deps.cluster.onDeath(() => this.#later(60_000 + SPREAD_MS * deps.random.share()));',
    caughtBy: KILLED,
  },
];
