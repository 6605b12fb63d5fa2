import type { Cluster } from '../../../../managers/cluster/cluster.ts';
import type { Clock } from '../../../../ports/clock.ts';
import type { OperatorRole } from '../../../../ports/events.ts';
import type { AdminAnswer, AdminQuestion } from '../../../../ports/node-letters.ts';
import type { Random } from '../../../../ports/random.ts';
import type { NodeId } from '../../../../protocol/ids.ts';
import type { HttpEnv } from '../../http-env.ts';
import { LongAnswers, unpacked } from './long-answers.ts';

/** How long other nodes may take for what an operator looks at: a screen waits no longer for one that is late. */
export const LOOK_MS = 300;
/** For what takes long by itself, such as a comparison of all seats. */
export const LONG_LOOK_MS = 3_000;
/** For what changes something: a probe waits for its manager, a cleanup for its store. */
export const ACT_MS = 10_000;

/** What a node answered. */
export interface Reply {
  readonly node: NodeId;
  readonly status: number;
  /** The JSON of its answer. */
  readonly body: unknown;
}

/** An operator's question as it goes from node to node. */
export interface Passed {
  readonly method: string;
  /** Below `/admin/api/v1`, with its query. */
  readonly path: string;
  readonly body?: unknown;
  readonly role: OperatorRole;
  readonly request: string;
}

/** The other nodes, as the admin API of this one asks them. */
export interface Peers {
  readonly own: NodeId;
  /** Those that live, or of which it is not known. */
  others(): readonly NodeId[];
  /** Null: it did not answer in time, or does not know the question. For the own name: this node alone. */
  ask(node: NodeId, question: Passed, withinMs: number): Promise<Reply | null>;
}

/** `base`: where the admin API begins. `answer`: that of this node, for itself alone. Answers the questions of others from now on. */
export function createPeers(o: {
  readonly cluster: Cluster;
  readonly own: NodeId;
  readonly base: string;
  readonly clock: Clock;
  readonly random: Random;
  answer(request: Request, env: HttpEnv['Bindings']): Response | Promise<Response>;
}): Peers & Disposable {
  const { cluster, own, base, clock, random, answer } = o;
  const long = new LongAnswers(random);
  const here = async ({ method, path, body, role, request }: AdminQuestion, from: NodeId): Promise<{ status: number; text: string }> => {
    const asked = new Request(`http://node${base}/${path}`, {
      method,
      ...(body === null ? {} : { body, headers: { 'content-type': 'application/json' } }),
    });
    const response = await answer(asked, { passedOn: { role, request, from } });
    return { status: response.status, text: await response.text() };
  };
  const undo = [
    cluster.handle('admin-ask', async (question, from) => {
      const { status, text } = await here(question, from.node);
      return await long.put(status, text);
    }),
    cluster.handle('admin-more', ({ id, part }) => ({ text: long.part(id, part) })),
  ];

  async function whole(node: NodeId, { text, more }: AdminAnswer, leftMs: () => number): Promise<string | null> {
    if (more === null) return text;
    const rest = await Promise.all(
      Array.from({ length: more.parts - 1 }, async (_, i) => {
        const outcome = await cluster.ask(node, 'admin-more', { id: more.id, part: i + 1 }, leftMs());
        return outcome.is === 'answer' ? outcome.answer.text : null;
      }),
    );
    const parts = [text, ...rest];
    return parts.every((part) => part !== null) ? await unpacked(parts) : null;
  }

  return {
    own,
    others: () =>
      cluster
        .nodes()
        .filter(({ card, standing }) => card.node !== own && standing !== 'dead')
        .map(({ card }) => card.node),
    async ask(node, { body, ...asked }, withinMs) {
      const question: AdminQuestion = { ...asked, body: body === undefined ? null : JSON.stringify(body) };
      if (node === own) {
        const { status, text } = await here(question, own);
        return { node, status, body: JSON.parse(text) as unknown };
      }
      const endsAt = clock.mono() + withinMs;
      const leftMs = (): number => Math.max(1, endsAt - clock.mono());
      const outcome = await cluster.ask(node, 'admin-ask', question, withinMs);
      if (outcome.is !== 'answer') return null;
      try {
        const text = await whole(node, outcome.answer, leftMs);
        return text === null ? null : { node, status: outcome.answer.status, body: JSON.parse(text) as unknown };
      } catch {
        // What cannot be read is no answer.
        return null;
      }
    },
    [Symbol.dispose]() {
      for (const stop of undo) stop();
    },
  };
}
