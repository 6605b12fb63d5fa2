import type { Clock } from '../ports/clock.ts';
import type { LogEntry, LogStore, StreamKey, StreamState } from '../ports/store.ts';
import { turn } from './live/slices.ts';
import { type LoggedEntry, LogJudge, type LogVerification } from './log-judge.ts';

/** What is read of the store in one go. */
const READ_BYTES = 256 * 1024;

/** Entries `from` on, at most `limit`, up to the head of `state`. */
export async function entriesOf(log: LogStore, key: StreamKey, state: StreamState, from: number, limit: number): Promise<readonly LoggedEntry[]> {
  const found: LoggedEntry[] = [];
  for (let next = Math.max(from, state.first); next <= state.head && found.length < limit; ) {
    const read = await log.read(key, next, READ_BYTES);
    for (const entry of read) if (entry.offset <= state.head && found.length < limit) found.push(loggedOf(entry));
    next = (read.at(-1)?.offset ?? state.head) + 1;
  }
  return found;
}

/** Reads all that is retained, and says what differs from a gapless, ordered log with one start and one end a run. Others have their
 *  turns of the event loop meanwhile. */
export async function verifyLog(log: LogStore, key: StreamKey, clock: Clock): Promise<LogVerification> {
  const state = await log.state(key);
  const judge = new LogJudge(state);
  for (let next = state.first; next <= state.head; ) {
    const read = await log.read(key, next, READ_BYTES);
    for (const entry of read) if (entry.offset <= state.head) judge.take(loggedOf(entry));
    next = (read.at(-1)?.offset ?? state.head) + 1;
    await turn(clock);
  }
  // What retention took meanwhile is no hole.
  return judge.verdict((await log.state(key)).first);
}

function loggedOf({ offset, kind, run, codec, data, at }: LogEntry): LoggedEntry {
  return { offset, kind, type: typeOf(data), run, codec, bytes: Buffer.byteLength(data), at };
}

/** Null also for what is no JSON: the type is what a judge misses then. */
function typeOf(data: string): string | null {
  try {
    const type: unknown = (JSON.parse(data) as { readonly type?: unknown } | null)?.type;
    return typeof type === 'string' ? type : null;
  } catch {
    return null;
  }
}
