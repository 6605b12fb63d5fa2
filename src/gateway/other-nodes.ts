import type { Cluster } from '../managers/cluster/cluster.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { Store, StreamKey, WriterToken } from '../ports/store.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { SpillwayError } from '../protocol/errors.ts';
import type { RunAccepted } from '../protocol/frames.ts';
import type { RunId } from '../protocol/ids.ts';
import type { HeldElsewhere } from '../streams/sharing.ts';
import { acceptedOf, knownSend, type OnAccepted, type SendRequest } from './accepting.ts';
import { Anywhere } from './anywhere.ts';
import { LeftRuns } from './left-runs.ts';
import { RunLetters } from './run-letters.ts';
import type { Refusal } from './services.ts';
import type { ThreadRuns } from './thread-runs.ts';

interface OtherNodesDeps {
  readonly cluster: Cluster;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  /** Works with a thread's runs, which are kept meanwhile. */
  use<T>(key: StreamKey, work: (runs: ThreadRuns) => Promise<T>): Promise<T>;
  /** No run starts here any more. */
  isClosed(): boolean;
}

const SILENT: Refusal = {
  is: 'refused',
  code: 'agent-unavailable',
  message:
    'The server that is answering in this conversation does not respond. The message may still arrive; send it again in a moment, it is never stored twice.',
  retryAfterMs: 2_000,
};

/** Runs over nodes that share a store: each thread's are at one of them, which does what the others are asked to do; when it is gone,
 *  another one takes them over. */
export class OtherNodes implements Disposable {
  readonly #deps: OtherNodesDeps;
  readonly #anywhere: Anywhere;
  readonly #letters: RunLetters;
  readonly #left: LeftRuns;

  constructor(deps: OtherNodesDeps) {
    this.#deps = deps;
    const { cluster, clock, random } = deps;
    this.#anywhere = new Anywhere(cluster, clock, random);
    this.#letters = new RunLetters(cluster, clock, random);
    this.#letters.serve({
      send: (key, request) => this.#mine(key, (runs) => runs.send(request, () => {})),
      cancel: (key, run) => this.#mine(key, (runs) => cancelHere(runs, run)),
      take: (key, token) => this.#take(key, token),
    });
    this.#left = new LeftRuns({
      ...deps,
      takeOver: (key) => this.#takeOver(key),
      standing: (of) => (this.#anywhere.isOver(of) ? 'dead' : cluster.standing(of)),
    });
  }

  /** Stores a message at the node that has the thread. `onAccepted` is called once, before anything of it is shown here. */
  async send(runs: ThreadRuns, request: SendRequest, onAccepted: OnAccepted): Promise<RunAccepted | Refusal> {
    const { stream } = runs;
    const told: { accepted: RunAccepted | null } = { accepted: null };
    const accept = (accepted: RunAccepted): void => {
      if (told.accepted !== null) return;
      told.accepted = accepted;
      onAccepted(accepted);
    };
    // The log may show the message before the answer of the node that stored it arrives.
    const undo = stream.speakFirst(async () => {
      if (told.accepted !== null) return;
      const known = await knownSend(this.#deps.store, stream.key, request);
      if (known === null || known === 'reused') return;
      const isShown = known.message.offset <= stream.mark;
      accept(acceptedOf(stream, request, known.run, known.message, isShown));
    });
    try {
      const answer = await this.#anywhere.do<RunAccepted | Refusal>({
        here: (seize) => runs.send(request, accept, seize),
        there: (node, withinMs) => this.#letters.send(node, stream.key, request, withinMs),
        gaveUp: () => SILENT,
      });
      if (!('is' in answer)) accept(answer);
      return told.accepted ?? answer;
    } finally {
      undo();
    }
  }

  /** Rejects if the node that has the thread does not answer. */
  cancel(runs: ThreadRuns, run: RunId): Promise<'cancelling' | 'ended'> {
    const { key } = runs.stream;
    return this.#anywhere.do<'cancelling' | 'ended'>({
      here: (seize) => cancelHere(runs, run, seize),
      there: (node, withinMs) => this.#letters.cancel(node, { ...key, run }, withinMs),
      gaveUp: () => {
        throw new SpillwayError('SPILLWAY_STORE_UNAVAILABLE', 'The node that has this run does not answer. Cancel it again in a moment.', { retry: 'later' });
      },
    });
  }

  /** Gives the runs of nodes that are gone, and of earlier lives of this one, their end or their turn, now and from now on. Rejects while
   *  the store cannot be asked. */
  recover(): Promise<void> {
    return this.#left.search();
  }

  /** Asks another node to take this thread over. */
  readonly giveAway = (key: StreamKey, token: WriterToken): void => this.#letters.giveAway({ ...key, token });

  /** Does what another node asks; null: this one has not got the thread. */
  #mine<T>(key: StreamKey, work: (runs: ThreadRuns) => Promise<T | HeldElsewhere>): Promise<T | null> {
    return this.#deps.use(key, async (runs) => {
      const answer = await this.#anywhere.here(() => work(runs));
      return typeof answer === 'object' && answer !== null && 'by' in answer ? null : answer;
    });
  }

  #take(key: StreamKey, token: WriterToken): void {
    if (this.#deps.isClosed()) return;
    this.#deps
      .use(key, (runs) => runs.taken(token))
      .catch((error: unknown) => {
        // Whoever finds it without a living node later takes it.
        this.#deps.telemetry.record({ severity: 'ERROR', event: 'recovery-failed', message: `A conversation was not taken over: ${String(error)}` });
      });
  }

  async #takeOver(key: StreamKey): Promise<HeldElsewhere | null> {
    // Whoever starts next takes what is left.
    if (this.#deps.isClosed()) return null;
    return await this.#deps.use(key, (runs) =>
      this.#anywhere.here(async () => {
        const held = await runs.taken();
        return held !== null && this.#anywhere.isOver(held.by) ? await runs.taken(held.token) : held;
      }),
    );
  }

  [Symbol.dispose](): void {
    this.#left[Symbol.dispose]();
    this.#letters[Symbol.dispose]();
  }
}

async function cancelHere(runs: ThreadRuns, run: RunId, seize?: WriterToken): Promise<'cancelling' | 'ended' | HeldElsewhere> {
  return (await runs.taken(seize)) ?? runs.cancel(run) ?? 'ended';
}
