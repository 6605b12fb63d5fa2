import { SpillwayError } from '../../protocol/errors.ts';
import type { Connection } from './connection.ts';
import { messageOf } from './errors.ts';
import { findingsOf, ok, type RedisFinding, wrong } from './server-info.ts';

export type { RedisFinding } from './server-info.ts';

/** Whether this Redis can carry a gateway: what it is, what it does when its memory is full, what our user may do there, whether a write
 *  succeeds. Rejects with SPILLWAY_STORE_UNAVAILABLE when it does not answer. */
export async function checkRedis(connection: Connection): Promise<readonly RedisFinding[]> {
  const answers = await connection.everywhere('INFO', [], connection.logDeadlineMs);
  const findings = answers.flatMap((answer) => findingsOf(String(answer), connection.isCluster));
  // The same of every master is said once.
  const distinct = [...new Map(findings.map((finding) => [`${finding.name}\0${finding.is}\0${finding.detail}`, finding])).values()];
  // Permissions are a question to a server that may be asked.
  if (distinct.some((finding) => finding.is === 'wrong')) return distinct;
  const allowed = await permissions(connection);
  return [...distinct, allowed, ...(allowed.is === 'ok' ? [await write(connection)] : [])];
}

/** Throws SPILLWAY_STORE_BROKEN with everything that is wrong, and what to do. */
export function refuseWrong(findings: readonly RedisFinding[]): void {
  const wrong = findings.filter((finding) => finding.is === 'wrong');
  if (wrong.length === 0) return;
  throw new SpillwayError('SPILLWAY_STORE_BROKEN', wrong.map(({ detail, help }) => `${detail} ${help}`).join(' '));
}

/** The commands that our user may not use. Rejects as any write would while the server takes none. */
const refusedTo = async (connection: Connection): Promise<readonly string[]> =>
  (await connection.run('check', [connection.keys.shared('check')], [], connection.logDeadlineMs)) as readonly string[];

/** Whether the server takes all that we write, so that what it refuses is wrong by itself. Never rejects. */
export const takesAll = (connection: Connection): Promise<boolean> =>
  refusedTo(connection).then(
    (refused) => refused.length === 0,
    () => false,
  );

async function permissions(connection: Connection): Promise<RedisFinding> {
  try {
    const refused = await refusedTo(connection);
    if (refused.length === 0) return ok('permissions', 'Our user may do all that is needed.');
    return missing(refused.join('; '), connection);
  } catch (error) {
    if (SpillwayError.is(error) && error.code === 'SPILLWAY_STORE_UNAVAILABLE') throw error;
    return missing(messageOf(error), connection);
  }
}

/** What our user needs, as `ACL SETUSER` takes it. */
export const rightsOf = (prefix: string): string => `~${prefix}:* &${prefix}:* +@all -@dangerous +info`;

function missing(what: string, { keys: { prefix } }: Connection): RedisFinding {
  const help = `Give it: ACL SETUSER NAME ${rightsOf(prefix)}.`;
  return wrong('permissions', `Our user at the Redis server lacks rights (${what}).`, help);
}

async function write(connection: Connection): Promise<RedisFinding> {
  const started = performance.now();
  await probe(connection);
  return ok('write', `A write took ${(performance.now() - started).toFixed(1)} ms.`);
}

/** Writes something, and asks every master of a cluster. */
export async function probe(connection: Connection): Promise<void> {
  await connection.command('SET', [connection.keys.shared('health'), '1', 'PX', 60_000], connection.seatDeadlineMs);
  if (connection.isCluster) await connection.everywhere('PING', [], connection.seatDeadlineMs);
}
