import { foldRun } from '../codecs/fold.ts';
import type { Tell } from '../ports/events.ts';
import type { SnapshotRead, Store, StreamKey } from '../ports/store.ts';
import type { AgentEvent } from '../protocol/agent-events.ts';
import { BOUNDS, type From } from '../protocol/frames.ts';
import type { MessageId, ThreadId } from '../protocol/ids.ts';
import type { ThreadMessage, ThreadSnapshot } from '../protocol/messages.ts';
import { Cursor } from '../streams/cursor.ts';
import type { Streams } from '../streams/streams.ts';
import type { Conversations, FollowListener } from './services.ts';

export function createConversations(store: Store, streams: Streams, tell: Tell): Conversations {
  return {
    async list(user, limit, cursor) {
      const page = await store.threads.list(user, limit, cursor);
      return {
        threads: page.threads.map((t) => ({
          id: t.id,
          title: t.title,
          createdAt: t.createdAt,
          updatedAt: t.updatedAt,
          position: { epoch: t.state.epoch, offset: t.state.head },
          activeRun: t.state.activeRun?.id ?? null,
        })),
        nextCursor: page.nextCursor,
      };
    },

    async snapshot(user, thread, limit, before) {
      const read = await store.threads.snapshot({ user, thread }, limit, before);
      return read === null ? null : snapshotOf(thread, read, before);
    },

    follow: (user, thread, from, listener) => follow(streams, tell, { user, thread }, from, listener),
  };
}

/** The conversation exactly at the log's head, a running answer included as far as it has come. */
function snapshotOf(thread: ThreadId, read: SnapshotRead, before: MessageId | null): ThreadSnapshot {
  const messages: ThreadMessage[] = read.messages.map(({ offset: _offset, send: _send, ...message }) => message);
  const run = read.state.activeRun;
  if (before === null && run !== null && read.running.length > 0) {
    const folded = foldRun(read.running.filter((e) => e.kind === 'agent').map((e) => JSON.parse(e.data) as AgentEvent));
    if (folded.messageId !== null) {
      const startedAt = read.running[0]?.at ?? 0;
      messages.push({ id: folded.messageId as MessageId, role: 'assistant', status: 'streaming', createdAt: startedAt, run: run.id, parts: folded.parts });
    }
  }
  return { thread, position: { epoch: read.state.epoch, offset: read.state.head }, activeRun: run?.id ?? null, messages, hasMore: read.hasMore };
}

async function follow(streams: Streams, tell: Tell, key: StreamKey, from: From, listener: FollowListener): Promise<{ resume(): void; end(): void }> {
  const { user, thread } = key;
  const stream = await streams.hold(key);
  let scheduled = false;
  let isFull = false;
  let ended = false;
  let cursor: Cursor | null = null;
  const pump = (): void => {
    scheduled = false;
    while (!ended && !isFull && cursor !== null) {
      const step = cursor.next(BOUNDS.rangeBytes);
      if (step.is === 'nothing' || step.is === 'full') return;
      if (step.is === 'replayed') isFull = listener.frame({ type: 'replayed', offset: step.offset }, cursor.epoch).full;
      else if (step.is === 'gap') {
        const snapshot = `/v1/threads/${encodeURIComponent(thread)}/messages`;
        isFull = listener.frame({ type: 'gap', ...step.gap, snapshot }, cursor.epoch).full;
        tell('gap-told', { user, thread, managerId: null });
      } else {
        for (const { data, ...range } of step.ranges)
          isFull = listener.frame({ type: 'event', ...range, data: JSON.parse(data) as unknown }, cursor.epoch).full || isFull;
      }
    }
  };
  const wake = (): void => {
    if (scheduled || ended || isFull) return;
    scheduled = true;
    process.nextTick(pump);
  };
  try {
    cursor = await Cursor.open(stream, from, wake);
  } catch (error) {
    streams.release(stream);
    throw error;
  }
  wake();
  return {
    resume() {
      isFull = false;
      wake();
    },
    end() {
      if (ended) return;
      ended = true;
      cursor?.end();
      streams.release(stream);
    },
  };
}
