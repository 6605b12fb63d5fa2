import type { NodeLife } from '../ports/cluster.ts';
import type { Random } from '../ports/random.ts';
import type { WriterToken } from '../ports/store.ts';

/** How this process is known where others share the store. */
export interface Sharing {
  readonly life: NodeLife;
  readonly random: Random;
}

/** Another node is the writer of a stream, and has runs in it that have not ended. `token` is that node's. */
export interface HeldElsewhere {
  readonly by: NodeLife;
  readonly token: WriterToken;
}
