import { readFileSync } from 'node:fs';

/** What the kernel has of one connection: bytes that nobody has read on our side, and bytes that the other side may not send. */
export interface Queues {
  readonly unreadBytes: number;
  readonly unsentBytes: number;
}

/** A listener for both versions of IP has its side of a connection in the second one. */
const TABLES = ['/proc/net/tcp', '/proc/net/tcp6'];

/** Whether this system has tables of its sockets, and says what is in their queues. */
export const hasSocketTables = (): boolean => rows().length > 0;

/** Looks a connection on this machine up by its two ports. Null: it is not there. */
export function queuesOf(ourPort: number, theirPort: number): Queues | null {
  const all = rows();
  const ours = all.find(({ local, remote }) => local === ourPort && remote === theirPort);
  const theirs = all.find(({ local, remote }) => local === theirPort && remote === ourPort);
  return ours === undefined || theirs === undefined ? null : { unreadBytes: ours.received, unsentBytes: theirs.sent };
}

interface Row {
  readonly local: number;
  readonly remote: number;
  readonly sent: number;
  readonly received: number;
}

const rows = (): readonly Row[] => TABLES.flatMap((file) => linesOf(file).slice(1).map(rowOf));

function linesOf(file: string): readonly string[] {
  try {
    return readFileSync(file, 'ascii').trim().split('\n');
  } catch {
    // Only Linux has it.
    return [];
  }
}

function rowOf(line: string): Row {
  const [, local = '', remote = '', , queues = ''] = line.trim().split(/\s+/);
  const hex = (text: string | undefined): number => Number.parseInt(text ?? '0', 16);
  const [sent, received] = queues.split(':');
  return { local: hex(local.split(':')[1]), remote: hex(remote.split(':')[1]), sent: hex(sent), received: hex(received) };
}
