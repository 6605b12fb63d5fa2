import type { Mutant } from './mutant.ts';

const TRUTH = 'test/integration/telemetry-truth.test.ts';
const worlds = (seeds: number): string => `$ node test/simulator/main.ts --seeds ${seeds}`;

/** Mistakes after which what is told is not what happened. */
export const FIGURE_MUTANTS: readonly Mutant[] = [
  {
    name: 'figures-being-given-up',
    proves: 'a seat that is being given up does not count as effective',
    file: 'src/managers/manager.ts',
    find: '!this.#verdict.proof && this.leaving === null',
    replace: '!this.#verdict.proof',
    caughtBy: worlds(200),
  },
  {
    name: 'figures-owed-for-ever',
    proves: 'what nobody can acknowledge any more is not told to be unacknowledged',
    file: 'src/managers/delivery/deliver.ts',
    find: 'if (!this.#ended) this.#meter.unacked -= this.#owedEvents;',
    replace: '',
    caughtBy: worlds(50),
  },
  {
    name: 'figures-left-unnoticed',
    proves: 'whoever leaves a queue is told to wait no more',
    file: 'src/managers/admission/admissions.ts',
    find: "this.#waits.ended(run, 'abandoned');",
    replace: '',
    caughtBy: worlds(150),
  },
  {
    name: 'figures-taken-back',
    proves: 'a notice that is taken back is none that is shown',
    file: 'src/managers/delivery/attachment.ts',
    find: 'if (notice.cleared !== true) ',
    replace: '',
    caughtBy: TRUTH,
  },
  {
    name: 'figures-gap-unseen',
    proves: 'a return that misses something is told as one with a gap',
    file: 'src/gateway/connection.ts',
    find: "gapped ? 'gap' : resume",
    replace: 'resume',
    caughtBy: TRUTH,
  },
  {
    name: 'figures-acks-of-frames',
    proves: 'acknowledged events are counted, not acknowledgements',
    file: 'src/managers/delivery/deliver.ts',
    find: 'this.#meter.acked += progress.events;',
    replace: 'this.#meter.acked++;',
    caughtBy: TRUTH,
  },
  {
    name: 'figures-late-answer',
    proves: 'a question has one end',
    file: 'src/managers/liveness/probe-window.ts',
    find: 'if (!this.#open.delete(manager) || askedAt === undefined) return;',
    replace: 'if (askedAt !== undefined) this.#open.delete(manager);\n    else this.#deps.ended(manager, result, 0);\n    if (askedAt === undefined) return;',
    caughtBy: 'src/managers/liveness/probe-window.test.ts',
  },
  {
    name: 'figures-by-looking',
    proves: 'asking how things stand looks at nobody',
    file: 'src/managers/inspection/inspect.ts',
    find: 'queued: this.#sources.queued(),',
    replace: 'queued: [...this.#context.registry.all()].filter((m) => m.seat === null).length,',
    caughtBy: 'src/managers/inspection/gauges.test.ts',
  },
];
