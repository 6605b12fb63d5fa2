import type { PartialOptions } from '../../../src/core/options.ts';
import { until } from '../peers/kernel.ts';
import { type RedisServer, redisTool, startRedis } from '../redis.ts';
import { Lab } from './lab.ts';

const MET_WITHIN_MS = 15_000;

/** Why there is no shared store here; null where there is one. */
export const noRedis = (): string | null => redisTool().missing;

/** Gateway processes on one Redis. */
export interface SharedLabs {
  readonly redis: RedisServer;
  readonly labs: readonly Lab[];
}

/** Starts a Redis and `nodes` gateways on it, and resolves when each knows of all. */
export async function startLabs(
  cleanUp: AsyncDisposableStack,
  o: { readonly nodes: number; readonly options: PartialOptions; readonly appendonly?: boolean },
): Promise<SharedLabs> {
  const redis = cleanUp.use(await startRedis({ appendonly: o.appendonly ?? false }));
  const labs = await Promise.all(Array.from({ length: o.nodes }, (_, i) => Lab.start({ options: o.options, redis: redis.url, node: `gw-${i + 1}` })));
  for (const lab of labs) cleanUp.use(lab);
  const isComplete = async (): Promise<boolean> => (await Promise.all(labs.map((lab) => lab.tell({ do: 'living' })))).every((living) => living === o.nodes);
  await until('that every node knows of all', isComplete, MET_WITHIN_MS, 50);
  return { redis, labs };
}
