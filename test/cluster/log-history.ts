/** Histories of one stream: processes that become its writer, append and read, and the model that they must agree with. */

import { setTimeout as delay } from 'node:timers/promises';
import type { AppendRequest, LogEntry, LogStore, StreamKey, WriterToken } from '../../src/ports/store.ts';
import type { Epoch, ThreadId, UserId } from '../../src/protocol/ids.ts';
import { between, type Seeded, weighted } from '../support/lab/seeded.ts';
import { nowMs } from '../support/lab/time.ts';
import type { Call, Model } from './linearizable.ts';

export type LogOp =
  | { readonly do: 'claim'; readonly answer: { readonly token: number; readonly head: number } | null }
  | {
      readonly do: 'append';
      readonly token: number;
      readonly first: number;
      /** One word an entry; no two appends have one in common. */
      readonly words: readonly string[];
      readonly answer: { readonly is: 'ok' | 'repeated' | 'fenced' | 'conflict'; readonly head: number | null } | null;
    }
  | { readonly do: 'read'; readonly from: number; readonly answer: { readonly words: readonly string[] } | null };

interface Writing {
  readonly token: WriterToken;
  readonly epoch: Epoch;
  head: number;
}

/** A store that cannot be reached is not asked a thousand times. */
const AFTER_FAILURE_MS = 150;
const READ_BYTES = 1_048_576;

/** A process that writes while it is the writer, reads, and now and then makes itself the writer. */
export async function playLog(
  log: LogStore,
  o: { readonly user: string; readonly thread: string; readonly process: number; readonly calls: number; readonly random: Seeded },
): Promise<Call<LogOp>[]> {
  const { random, process } = o;
  const key: StreamKey = { user: o.user as UserId, thread: o.thread as ThreadId };
  const history: Call<LogOp>[] = [];
  let mine = null as Writing | null;
  let last = null as AppendRequest | null;
  let spoken = 0;

  async function called(make: () => Promise<LogOp>, nothing: LogOp): Promise<void> {
    const calledAt = nowMs();
    try {
      const op = await make();
      history.push({ process, calledAt, returnedAt: nowMs(), op });
    } catch (error) {
      if ((error as { readonly code?: string }).code !== 'SPILLWAY_STORE_UNAVAILABLE') throw error;
      history.push({ process, calledAt, returnedAt: null, op: nothing });
      await delay(AFTER_FAILURE_MS);
    }
  }

  async function append(request: AppendRequest): Promise<void> {
    const words = request.entries.map(({ data }) => data);
    const op = { do: 'append', token: request.token, first: request.entries[0]?.offset ?? 0, words } as const;
    await called(
      async () => {
        const [answer] = await log.append([request]);
        if (answer === undefined) throw new Error('Expected an answer to an append, got none.');
        if (answer.is === 'failed') throw answer.error;
        if (mine !== null && (answer.is === 'ok' || answer.is === 'repeated')) mine.head = Math.max(mine.head, op.first + words.length - 1);
        if (answer.is === 'conflict' && mine !== null) mine = { ...mine, head: answer.state.head, epoch: answer.state.epoch };
        if (answer.is === 'fenced') mine = null;
        return { ...op, answer: { is: answer.is, head: answer.is === 'conflict' ? answer.state.head : null } };
      },
      { ...op, answer: null },
    );
  }

  for (let i = 0; i < o.calls; i++) {
    const what = mine === null ? weighted(random, { claim: 1, read: 4 }) : weighted(random, { append: 16, astray: 1, again: 2, read: 5, claim: 1 });
    if (what === 'claim')
      await called(
        async () => {
          const { token, epoch, head } = await log.claim(key);
          mine = { token, epoch, head };
          return { do: 'claim', answer: { token, head } };
        },
        { do: 'claim', answer: null },
      );
    else if (what === 'read') {
      const from = Math.max(1, (mine?.head ?? 0) - between(random, 0, 6));
      await called(async () => ({ do: 'read', from, answer: { words: wordsOf(await log.read(key, from, READ_BYTES), from) } }), {
        do: 'read',
        from,
        answer: null,
      });
    } else if (what === 'again' && last !== null) await append(last);
    else if (mine !== null) {
      const writer = mine;
      // Now and then it believes itself further than it is.
      const behind = what === 'astray' ? writer.head + 1 : writer.head;
      const entries = Array.from({ length: between(random, 1, 3) }, (_, n): LogEntry => {
        const data = JSON.stringify(`${process}.${++spoken}`);
        return { offset: behind + 1 + n, kind: 'message', run: null, codec: 'agent-events', data, at: 1 };
      });
      last = { key, epoch: writer.epoch, token: writer.token, entries };
      await append(last);
    }
  }
  return history;
}

/** The words from `from` on; a hole or a jump is a word of its own, which nobody has said. */
function wordsOf(entries: readonly LogEntry[], from: number): readonly string[] {
  return entries.map(({ offset, data }, i) => (offset === from + i ? data : `offset ${offset} in place of ${from + i}`));
}

interface LogState {
  readonly token: number;
  readonly words: readonly string[];
}

/** A list that only the newest writer makes longer, and only at its end. */
export const logModel: Model<LogState, LogOp> = {
  first: { token: 0, words: [] },
  step(state, op) {
    if (op.do === 'read') {
      if (op.answer === null) return state;
      const words = state.words.slice(op.from - 1);
      return words.length === op.answer.words.length && words.every((word, i) => word === op.answer?.words[i]) ? state : null;
    }
    if (op.do === 'claim') {
      // Whoever was not told a token writes nothing; that somebody else is fenced by it shows in the next call.
      if (op.answer === null) return { ...state, token: state.token + 0.5 };
      return op.answer.token > state.token && op.answer.head === state.words.length ? { ...state, token: op.answer.token } : null;
    }
    const is = outcomeOf(state, op);
    if (op.answer !== null && (op.answer.is !== is || (is === 'conflict' && op.answer.head !== state.words.length))) return null;
    return is === 'ok' ? { ...state, words: [...state.words, ...op.words] } : state;
  },
  key: ({ token, words }) => `${token} ${words.join(' ')}`,
};

function outcomeOf({ token, words }: LogState, op: Extract<LogOp, { do: 'append' }>): 'ok' | 'repeated' | 'fenced' | 'conflict' {
  const there = words.slice(op.first - 1, op.first - 1 + op.words.length);
  if (op.token !== token) return 'fenced';
  if (there.length === op.words.length && there.every((word, i) => word === op.words[i])) return 'repeated';
  return op.first === words.length + 1 ? 'ok' : 'conflict';
}
