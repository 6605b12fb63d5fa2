import type { Agent } from '../../ports/agent.ts';
import type { ThreadId, UserId } from '../../protocol/ids.ts';

/** Threads of the golden path begin with this. */
const THREADS = 'golden-path-';

/** One thread a day (Unix milliseconds in, UTC), so that no conversation grows for ever. */
export const goldenThread = (at: number): ThreadId => `${THREADS}${new Date(at).toISOString().slice(0, 10)}` as ThreadId;

/** `own` for everybody; but the questions of the golden path are answered by `builtIn`, so that they cost nothing. It is known by its
 *  user and its threads together: a token may be shared with a person. */
export function answeringGoldenPath(own: Agent, builtIn: Agent, user: UserId): Agent {
  return { ...own, run: (run) => (run.userId === user && run.threadId.startsWith(THREADS) ? builtIn : own).run(run) };
}
