// A node of its own process, with clients that hold seats at it: `node seats-child.ts JSON`. Says over IPC when all are seated, and to
// each message what it holds and what has ended.
import type { PartialOptions } from '../../src/core/options.ts';
import type { UserId } from '../../src/protocol/ids.ts';
import { redisStore } from '../../src/stores/redis/store.ts';
import { bareNode, type Session } from './bare-node.ts';

export interface SeatsChild {
  readonly url: string;
  readonly node: string;
  readonly user: string;
  readonly seats: number;
  readonly options: PartialOptions;
}
export interface SeatsReport {
  readonly held: readonly { readonly manager: string; readonly token: number }[];
  readonly ended: readonly { readonly manager: string; readonly reason: string }[];
  /** Of farewells that clients read. */
  readonly byes: readonly number[];
}

const config = JSON.parse(process.argv[2] ?? '{}') as SeatsChild;
process.once('disconnect', () => process.exit(0));
const node = await bareNode({ ...config.options, node: config.node, store: await redisStore({ url: config.url }) });
const sessions: Session[] = [];
for (let i = 0; i < config.seats; i++) sessions.push(await node.connect(config.user));

const report = (): SeatsReport => ({
  held: node.factory.list(config.user as UserId).map((manager) => ({ manager: manager.id, token: manager.seat?.token ?? 0 })),
  ended: node.told('manager-ended').map(({ managerId, reason }) => ({ manager: managerId, reason })),
  byes: sessions.flatMap(({ client }) => client.frames.filter((frame) => frame.type === 'bye').map((frame) => Number(frame.code))),
});
process.on('message', () => process.send?.(report()));
process.send?.(report());
