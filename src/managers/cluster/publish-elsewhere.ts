import type { NodeLife } from '../../ports/cluster.ts';
import { SpillwayError } from '../../protocol/errors.ts';
import type { RunId, ThreadId, UserId } from '../../protocol/ids.ts';
import type { Position } from '../../protocol/position.ts';
import type { Context } from '../context.ts';
import type { Cluster } from './cluster.ts';

/** One agent event, for a thread. */
export interface Published {
  readonly user: UserId;
  readonly thread: ThreadId;
  readonly run: RunId | null;
  readonly event: unknown;
  readonly eventId: string;
}

/** How long the other node may take. */
const WITHIN_MS = 5_000;

/** Has an event logged by the node that runs an agent in its thread. Asked once: whether it was logged there, only its answer tells.
 *  @throws SpillwayError SPILLWAY_BAD_ARGUMENT if that node refuses it, SPILLWAY_STORE_UNAVAILABLE if it does not answer. */
export async function publishElsewhere(cluster: Cluster | null, holder: NodeLife, { event, ...p }: Published): Promise<Position> {
  const said = await cluster?.ask(holder.node, 'publish', { ...p, event: JSON.stringify(event) }, WITHIN_MS);
  if (said?.is === 'answer' && said.answer.position !== null) return said.answer.position;
  if (said?.is === 'answer' && said.answer.refused !== null) throw new SpillwayError('SPILLWAY_BAD_ARGUMENT', said.answer.refused);
  throw new SpillwayError(
    'SPILLWAY_STORE_UNAVAILABLE',
    `Expected node ${holder.node}, which runs an agent in this conversation, to log the event, got no answer. Whether it did, the conversation shows.`,
    { retry: 'later' },
  );
}

/** Logs here, by `publish`, what applications of other nodes publish in threads whose agents run here. Returns the undo. */
export function hearPublished(
  context: Context,
  publish: (here: Pick<Context, 'streams' | 'clock' | 'cluster'>, p: Published) => Promise<Position>,
): () => void {
  return (
    context.cluster?.handle('publish', async ({ event, ...p }) => {
      const { streams, clock } = context;
      try {
        // Not passed on again: who asked looks anew.
        return { position: await publish({ streams, clock, cluster: null }, { ...p, event: JSON.parse(event) as unknown }), refused: null };
      } catch (error) {
        if (SpillwayError.is(error) && error.code === 'SPILLWAY_BAD_ARGUMENT') return { position: null, refused: error.message };
        throw error;
      }
    }) ?? (() => {})
  );
}
