import { createAppend } from './append-operation.ts';
import type { Connection } from './connection.ts';
import { createCredentialOperations } from './credential-operations.ts';
import { createLogOperations } from './log-operations.ts';
import { createStreamRows } from './stream-rows.ts';
import { createThreadOperations } from './thread-operations.ts';
import { createTrim } from './trim-operation.ts';

/** Bytes that a health check writes: about a small batch, so that it fails when appends would. */
const PROBE_BYTES = 65_536;

/** All that the worker can be asked to do with an open file, by name. Each runs to its end as one transaction. Those that write
 *  take the store's time as their first argument. */
export function createOperations(connection: Connection) {
  const streams = createStreamRows(connection.database, connection.epoch);
  const probe = connection.database.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES ('probe', zeroblob(?))");
  return {
    ...createLogOperations(connection, streams),
    append: createAppend(connection, streams),
    trim: createTrim(connection),
    ...createThreadOperations(connection, streams),
    ...createCredentialOperations(connection),
    /** Opens the file if need be, and tells the largest instant that it may hold. */
    open: (): number => connection.clockMark(),
    probe: (now: number): void => connection.write(now, () => void probe.run(PROBE_BYTES)),
  };
}

export type Operations = ReturnType<typeof createOperations>;
export type OperationName = keyof Operations;

/** Those that never wait for another process's lock. */
export const READS: ReadonlySet<OperationName> = new Set<OperationName>(['open', 'state', 'read', 'list', 'snapshot', 'findSend', 'findRun', 'openRuns']);
