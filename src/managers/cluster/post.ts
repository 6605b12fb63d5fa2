import type { Clock } from '../../ports/clock.ts';
import type { ClusterStore, Letter, NodeLife } from '../../ports/cluster.ts';
import {
  type AskedKind,
  type AskOutcome,
  LETTER_MAX_BYTES,
  type LetterBody,
  type LetterHandler,
  type LetterKind,
  type ToldKind,
} from '../../ports/node-letters.ts';
import type { Random } from '../../ports/random.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import { SpillwayError } from '../../protocol/errors.ts';
import { type NodeId, spellRandom } from '../../protocol/ids.ts';

/** Questions that may wait for their answers, and questions of others that may be worked on, at a time. */
const MOST_OPEN = 1_000;
const ID_LENGTH = 16;
/** Name of the letters that bring answers; no kind of `NodeLetters`. */
const ANSWER = 'answer';
/** By how much the clocks of two nodes, which both follow the store's, may differ before a question counts as too old. */
const CLOCK_SLACK_MS = 500;

/** Around the body of a question or a message. */
interface Envelope {
  readonly body: unknown;
  /** Until when an answer is waited for, by the store's clock; null: nobody waits, or the asker does not know that clock. */
  readonly until: number | null;
  readonly isAsked: boolean;
}
type Answered = { readonly is: 'answer'; readonly answer: unknown } | { readonly is: 'unknown-kind' } | { readonly is: 'failed'; readonly message: string };
type Outcome = Answered | { readonly is: 'silent' };
type Handler = (body: never, from: NodeLife) => unknown;

export interface PostDeps {
  readonly life: NodeLife;
  readonly cluster: ClusterStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  /** The store's clock as far as it is known, milliseconds. */
  storeNow(): number | null;
}

/** Typed questions and messages between the nodes that share a store. Nothing here rejects: a node that cannot be reached is silent. */
export class Post {
  readonly #deps: PostDeps;
  readonly #handlers = new Map<LetterKind, Handler>();
  readonly #open = new Map<string, (outcome: Outcome) => void>();
  readonly #stopReading: () => void;
  #working = 0;
  #isStopped = false;

  constructor(deps: PostDeps) {
    this.#deps = deps;
    this.#stopReading = deps.cluster.receive(deps.life.node, (letter) => this.#read(letter));
  }

  /** Answers questions of `kind`, or hears messages of it. One that throws or rejects is answered as failed. A body comes from another
   *  process, maybe of another version: a handler bears fields that are missing. Returns the undo. */
  handle<K extends LetterKind>(kind: K, handler: LetterHandler<K>): () => void {
    if (this.#handlers.has(kind))
      throw new SpillwayError('SPILLWAY_BAD_ARGUMENT', `Expected one handler for letters of kind ${kind}, got a second one. Undo the first one before.`);
    this.#handlers.set(kind, handler as Handler);
    return () => {
      if (this.#handlers.get(kind) === (handler as Handler)) this.#handlers.delete(kind);
    };
  }

  /** Asks a node and waits at most `withinMs` for its answer. A question to ourselves is answered without the store. */
  async ask<K extends AskedKind>(node: NodeId, kind: K, body: LetterBody<K>, withinMs: number): Promise<AskOutcome<K>> {
    return (await this.#ask(node, kind, body, withinMs)) as AskOutcome<K>;
  }

  /** Tells a node. Resolves to whether the letter is in its box: whether it is read, nobody knows. */
  async tell<K extends ToldKind>(node: NodeId, kind: K, body: LetterBody<K>): Promise<boolean> {
    const letter = this.#letter(kind, { body, until: null, isAsked: false });
    if (letter === null || this.#isStopped) return false;
    if (node === this.#deps.life.node && kind !== 'same-name') {
      this.#deps.clock.soon(() => this.#read(letter));
      return true;
    }
    return await this.#send(node, letter);
  }

  async #ask(node: NodeId, kind: AskedKind, body: unknown, withinMs: number): Promise<Outcome> {
    if (this.#isStopped) return { is: 'silent' };
    if (this.#open.size >= MOST_OPEN) return { is: 'failed', message: `${MOST_OPEN} questions to other nodes wait for their answers already.` };
    const { clock, life } = this.#deps;
    const now = this.#deps.storeNow();
    const letter = this.#letter(kind, { body, until: now === null ? null : Math.round(now + withinMs), isAsked: true });
    if (letter === null) return { is: 'failed', message: tooLarge(kind) };
    return await new Promise<Outcome>((resolve) => {
      const end = (outcome: Outcome): void => {
        cancel();
        this.#open.delete(letter.id);
        resolve(outcome);
      };
      const cancel = clock.after(withinMs, () => end({ is: 'silent' }));
      this.#open.set(letter.id, end);
      if (node === life.node) this.#work(letter, kind, body).then(end, () => end({ is: 'silent' }));
      else
        this.#send(node, letter).then(
          (isSent) => (isSent ? undefined : end({ is: 'silent' })),
          () => end({ is: 'silent' }),
        );
    });
  }

  #letter(kind: string, envelope: Envelope): Letter | null {
    const body = JSON.stringify(envelope);
    if (Buffer.byteLength(body) > LETTER_MAX_BYTES + 256) return null;
    return { id: spellRandom(this.#deps.random.bytes(ID_LENGTH), ID_LENGTH), from: this.#deps.life, kind, body };
  }

  async #send(node: NodeId, letter: Letter): Promise<boolean> {
    try {
      await this.#deps.cluster.post(node, letter);
      return true;
    } catch {
      // Whoever asks hears of silence, and the store is watched elsewhere.
      return false;
    }
  }

  // ---- reading

  #read(letter: Letter): void {
    if (this.#isStopped) return;
    const said = parsed(letter.body);
    if (said === null) {
      this.#complain(letter, 'It is no letter of ours.');
      return;
    }
    if (letter.kind === ANSWER) {
      this.#open.get(letter.id)?.(said as Outcome);
      return;
    }
    const { body, until, isAsked } = said as Partial<Envelope>;
    const now = this.#deps.storeNow();
    // Whoever asked has given up: nothing may happen behind its back any more.
    if (isAsked === true && typeof until === 'number' && now !== null && now > until + CLOCK_SLACK_MS) return;
    this.#work(letter, letter.kind, body)
      .then(async (answered) => {
        if (isAsked === true) await this.#answer(letter, answered);
        else if (answered.is === 'failed') this.#complain(letter, answered.message);
      })
      .catch((error: unknown) => this.#complain(letter, String(error)));
  }

  async #work(letter: Letter, kind: string, body: unknown): Promise<Answered> {
    const handler = this.#handlers.get(kind as LetterKind);
    if (handler === undefined) return { is: 'unknown-kind' };
    if (this.#working >= MOST_OPEN) return { is: 'failed', message: `${MOST_OPEN} questions of other nodes are worked on already.` };
    this.#working++;
    try {
      return { is: 'answer', answer: await handler(body as never, letter.from) };
    } catch (error) {
      return { is: 'failed', message: error instanceof Error ? error.message : String(error) };
    } finally {
      this.#working--;
    }
  }

  async #answer(letter: Letter, answered: Answered): Promise<void> {
    const body = JSON.stringify(answered);
    const fits = Buffer.byteLength(body) <= LETTER_MAX_BYTES + 256;
    const said = fits ? body : JSON.stringify({ is: 'failed', message: tooLarge(letter.kind) });
    await this.#send(letter.from.node, { id: letter.id, from: this.#deps.life, kind: ANSWER, body: said });
  }

  #complain(letter: Letter, message: string): void {
    this.#deps.telemetry.record({ severity: 'WARNING', event: 'letter-failed', message, kind: letter.kind, from: letter.from.node });
  }

  /** Answers nobody any more; whoever waits for an answer hears of silence. */
  stop(): void {
    this.#isStopped = true;
    this.#stopReading();
    for (const end of [...this.#open.values()]) end({ is: 'silent' });
  }
}

const tooLarge = (kind: string): string => `A letter of kind ${kind} is larger than ${LETTER_MAX_BYTES} bytes. Ask for less at a time.`;

function parsed(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : null;
  } catch {
    return null;
  }
}
