/** How requests about runs travel between nodes. */

import { gunzipSync, gzipSync } from 'node:zlib';
import type { Cluster } from '../managers/cluster/cluster.ts';
import type { Clock } from '../ports/clock.ts';
import type { CancelLetter, RunAnswer, SendLetter, TakeLetter } from '../ports/node-letters.ts';
import { newId, type Random } from '../ports/random.ts';
import type { StreamKey, WriterToken } from '../ports/store.ts';
import type { RunAccepted } from '../protocol/frames.ts';
import type { NodeId, RunId } from '../protocol/ids.ts';
import type { SendRequest } from './accepting.ts';
import type { Refusal } from './services.ts';
import { nameOf } from './thread-name.ts';

/** Characters of a packed request that one letter carries. */
const PART_CHARS = 160 * 1024;
/** How long parts wait for their letter. */
const PARTS_KEPT_MS = 15_000;
/** Requests whose parts wait at a time. */
const PARTS_OF_MAX = 256;

/** What this node does when another one asks. Null: it has not got the thread. */
export interface RunService {
  send(key: StreamKey, request: SendRequest): Promise<RunAccepted | Refusal | null>;
  cancel(key: StreamKey, run: RunId): Promise<'cancelling' | 'ended' | null>;
  /** Another node gives this thread away; `token` is its proof. */
  take(key: StreamKey, token: WriterToken): void;
}

/** Passes requests about runs on to the node that has the thread, and answers those of others. */
export class RunLetters implements Disposable {
  readonly #cluster: Cluster;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #parts = new Map<string, string[]>();
  /** Of each thread, the last message whose parts are being told. */
  readonly #posting = new Map<string, Promise<void>>();
  #undo: readonly (() => void)[] = [];

  constructor(cluster: Cluster, clock: Clock, random: Random) {
    this.#cluster = cluster;
    this.#clock = clock;
    this.#random = random;
  }

  serve(service: RunService): void {
    this.#undo = [
      this.#cluster.handle('send', async (letter) => {
        const answer = await service.send({ user: letter.user, thread: letter.thread }, this.#requestIn(letter));
        return answerOf(answer);
      }),
      this.#cluster.handle('send-part', ({ of, index, text }) => this.#keep(of, index, text)),
      this.#cluster.handle('cancel', async ({ user, thread, run }) => ({ state: await service.cancel({ user, thread }, run) })),
      this.#cluster.handle('take-thread', ({ user, thread, token }) => service.take({ user, thread }, token)),
    ];
  }

  /** Null: no answer, or it has not got the thread. */
  async send(node: NodeId, key: StreamKey, request: SendRequest, withinMs: number): Promise<RunAccepted | Refusal | null> {
    const packed = gzipSync(JSON.stringify(request)).toString('base64');
    const parts = Math.max(0, Math.ceil(packed.length / PART_CHARS) - 1);
    const of = newId(this.#random, 'run');
    await this.#inOrder(nameOf(key), async () => {
      for (let index = 0; index < parts; index++)
        await this.#cluster.tell(node, 'send-part', { of, index, text: packed.slice(index * PART_CHARS, (index + 1) * PART_CHARS) });
    });
    const letter: SendLetter = { ...key, packed: packed.slice(parts * PART_CHARS), parts, of };
    const said = await this.#cluster.ask(node, 'send', letter, withinMs);
    if (said.is !== 'answer') return null;
    const { accepted, refused } = said.answer;
    return accepted ?? (refused === null ? null : { is: 'refused', ...refused });
  }

  /** Posts after what came before it for this thread, so that a short message does not overtake a long one. `post` never rejects. */
  async #inOrder(name: string, post: () => Promise<void>): Promise<void> {
    const posted = (this.#posting.get(name) ?? Promise.resolve()).then(post);
    this.#posting.set(name, posted);
    await posted;
    if (this.#posting.get(name) === posted) this.#posting.delete(name);
  }

  /** Null: no answer, or it has not got the thread. */
  async cancel(node: NodeId, letter: CancelLetter, withinMs: number): Promise<'cancelling' | 'ended' | null> {
    const said = await this.#cluster.ask(node, 'cancel', letter, withinMs);
    return said.is === 'answer' ? said.answer.state : null;
  }

  /** Asks one of the nodes that take somebody in to take this thread. Whether it does, nobody knows. */
  giveAway(letter: TakeLetter): void {
    const able = this.#cluster.nodes().filter(({ card, standing }, i) => i > 0 && standing === 'alive' && !card.isDraining);
    const chosen = able[Math.floor(this.#random.share() * able.length)];
    // `tell` never rejects; a thread that nobody takes is taken when this node leaves.
    if (chosen !== undefined) void this.#cluster.tell(chosen.card.node, 'take-thread', letter);
  }

  #keep(of: string, index: number, text: string): void {
    let parts = this.#parts.get(of);
    if (parts === undefined) {
      if (this.#parts.size >= PARTS_OF_MAX) return;
      parts = [];
      this.#parts.set(of, parts);
      this.#clock.after(PARTS_KEPT_MS, () => this.#parts.delete(of));
    }
    parts[index] = text;
  }

  /** @throws if a part is missing: the asker is told that it failed, and asks again. */
  #requestIn({ packed, parts, of }: SendLetter): SendRequest {
    const before = this.#parts.get(of) ?? [];
    this.#parts.delete(of);
    for (let i = 0; i < parts; i++) if (before[i] === undefined) throw new Error(`Expected ${parts} parts of a message before it, got none with number ${i}.`);
    return JSON.parse(gunzipSync(Buffer.from(before.slice(0, parts).join('') + packed, 'base64')).toString()) as SendRequest;
  }

  [Symbol.dispose](): void {
    for (const undo of this.#undo) undo();
    this.#parts.clear();
  }
}

function answerOf(answer: RunAccepted | Refusal | null): RunAnswer {
  if (answer === null) return { accepted: null, refused: null };
  if (!('is' in answer)) return { accepted: answer, refused: null };
  const { is: _is, ...refused } = answer;
  return { accepted: null, refused };
}
