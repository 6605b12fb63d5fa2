import type { Mutant } from './mutant.ts';

const NODES = 'test/simulator/model-nodes.test.ts';
const OWN = '(store.cluster === null || seat.incarnation === life.incarnation);';

/** Mistakes about seats of one user on several nodes. */
export const CLUSTER_SEAT_MUTANTS: readonly Mutant[] = [
  {
    name: 'check-then-act',
    proves: 'a node counts seats and then takes one, instead of asking the store for both in one step',
    file: 'src/managers/admission/admission-run.ts',
    find: 'class: intent, mayBurst, limits: seatLimits };',
    replace: 'class: intent, mayBurst, limits: { ...seatLimits, soft: 1_000, hard: 1_000 } };',
    caughtBy: 'test/acceptance/as-06.test.ts -t AS-06 fifty',
  },
  {
    name: 'no-lease',
    proves: 'the seats of a killed node are never given up for it',
    file: 'src/core/lease.ts',
    find: "n.epochStableMs >= NODE_KEY_MS ? 'dead' : 'silent'",
    replace: "n.epochStableMs >= 1_000 * NODE_KEY_MS ? 'dead' : 'silent'",
    caughtBy: 'test/acceptance/as-06.test.ts -t AS-06a',
  },
  {
    name: 'owner-looks-no-more',
    proves: 'a node gives up its manager because another one asked, whatever it has heard since',
    file: 'src/managers/cluster/seats-over-nodes.ts',
    find: 'planCleanup({ level, need: 1,',
    replace: "planCleanup({ level: 'force', need: 1,",
    caughtBy: `${NODES} -t whoever was heard`,
  },
  {
    name: 'each-node-repays',
    proves: 'every node repays a whole burst',
    file: 'src/managers/cleanup/repayment.ts',
    find: 'every((other) => node < other);',
    replace: "every((other) => node !== other || node !== '');",
    caughtBy: `${NODES} -t a burst is repaid`,
  },
  {
    name: 'other-lives-are-ghosts',
    proves: 'seats that other processes hold are released, because this one has no managers for them',
    file: 'src/managers/inspection/consistency.ts',
    find: `  seat.node === life.node && ${OWN}`,
    replace: "  seat.token > 0 && (store.cluster === null || life.node !== '');",
    caughtBy: NODES,
  },
  {
    name: 'strangers-are-dead',
    proves: 'a node that nobody has met yet is taken for dead',
    file: 'src/managers/cluster/nodes.ts',
    find: '!this.#isLookedFor(incarnation)) return',
    replace: "!this.#isLookedFor(incarnation) && incarnation === '') return",
    caughtBy: `${NODES} -t a node that has come`,
  },
  {
    name: 'nobody-wakes-the-head',
    proves: 'nobody tells a waiting node that a seat was given back',
    file: 'src/managers/parts.ts',
    find: 'if (freed) overNodes?.freed(user, facts);',
    replace: "if (freed && user === '') overNodes?.freed(user, facts);",
    caughtBy: `${NODES} -t who waits on one node`,
  },
  {
    name: 'the-silent-are-waited-for',
    proves: 'an admission waits as long as a node likes to be silent',
    file: 'src/managers/admission/probe-round.ts',
    find: 'deadlineMs: Math.max(0, deadlineMs - WAY_MS) }, deadlineMs);',
    replace: 'deadlineMs: Math.max(0, deadlineMs - WAY_MS) }, 100 * deadlineMs);',
    caughtBy: `${NODES} -t of a node that does not answer`,
  },
  {
    name: 'silence-is-no-news',
    proves: 'a node that left a question without an answer is believed to say the truth still',
    file: 'src/managers/cluster/elsewhere.ts',
    find: "this.#isSilent(node) ? 'silent' : 'answering'",
    replace: "this.#isSilent(node) && node === '' ? 'silent' : 'answering'",
    caughtBy: `${NODES} -t of a node that does not answer`,
  },
  {
    name: 'the-dead-are-told-late',
    proves: 'other nodes learn of a death only with the next renewal, unless the user was near the limit',
    file: 'src/managers/cluster/digests.ts',
    find: '!isLife && !isNear',
    replace: '!isNear',
    caughtBy: `${NODES} -t who died on another node`,
  },
  {
    name: 'told-of-own-seats-only',
    proves: 'a person is told of the seats of one node only',
    file: 'src/managers/cluster/seats-over-nodes.ts',
    find: 'this.#tell(user, this.#context.elsewhere.nodesOf(user), false);',
    replace: "if (user === '') this.#tell(user, this.#context.elsewhere.nodesOf(user), false);",
    caughtBy: `${NODES} -t everybody is told`,
  },
];
