import type { Mutant } from './mutant.ts';

/** Mistakes that AS-08 and AS-10 must notice. */
export const SCENARIO_MUTANTS_B: readonly Mutant[] = [
  {
    name: 'spare-enterprise',
    proves: 'the dead of protected tiers are spared where a full node needs room',
    file: 'src/managers/admission/node-sweep.ts',
    find: 'if (manager.seat !== null && manager.verdict.proof) users.add(manager.user.userId);',
    replace: "if (manager.seat !== null && manager.verdict.proof && manager.user.tier !== 'enterprise') users.add(manager.user.userId);",
    caughtBy: 'test/acceptance/as-08.test.ts -t AS-08 a full node',
  },
  {
    name: 'no-reserve',
    proves: 'no seat above the limit of a node is kept for protected tiers',
    file: 'src/core/node-room.ts',
    find: 'isProtected(f, o) && f.node.seats < o.limits.perNode + reserve(o);',
    replace: 'isProtected(f, o) && f.node.seats < o.limits.perNode;',
    caughtBy: 'test/acceptance/as-08.test.ts -t AS-08 a full node',
  },
  {
    name: 'strict-priority',
    proves: 'the heaviest tier is served at the gate as long as it has anybody, and the others starve',
    file: 'src/core/gate.ts',
    find: '(tiers.find((t) => isAfter(t, turn.tier, o)) ?? tiers[0])',
    replace: 'tiers[0]',
    caughtBy: 'test/acceptance/as-08.test.ts -t AS-08b',
  },
  {
    name: 'global-breaker',
    proves: 'a cleanup that failed for one user is not tried for anybody for a while',
    file: 'src/managers/admission/level-faults.ts',
    find: '    if (!isGuarded(level)) return false;\n',
    replace: '    if (this.#faults.size > 0) return true;\n    if (!isGuarded(level)) return false;\n',
    caughtBy: 'test/acceptance/as-10.test.ts -t five writes of seats fail',
  },
  {
    name: 'error-is-death',
    proves: 'a probe that could not be written counts as one that nobody answered',
    file: 'src/managers/delivery/questions.ts',
    find: 'this.#manager.observe(onProbeFailed);',
    replace: 'this.#manager.observe((e) => onProbeFlushed(e, now));',
    caughtBy: 'test/acceptance/as-10.test.ts -t probes throw',
  },
  {
    name: 'wall-clock',
    proves: 'deadlines are read from the wall clock',
    file: 'src/ports/clock.ts',
    find: 'mono: () => performance.now(),',
    replace: 'mono: () => Date.now(),',
    caughtBy: 'test/acceptance/as-10.test.ts -t the wall clock jumps',
  },
  {
    name: 'stall-blames-peers',
    proves: 'time in which the gateway itself did not run ages its clients',
    file: 'src/core/attention.ts',
    find: 'Math.min(gapMs, CREDIT_PER_TICK_MS)',
    replace: 'gapMs',
    caughtBy: 'test/acceptance/as-10.test.ts -t the gateway is stopped for 5 s',
  },
];
