import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { TooLate } from './too-late.ts';

/** One TCP socket of this network namespace as the kernel lists it. */
export interface KernelSocket {
  readonly localPort: number;
  readonly remotePort: number;
  readonly isEstablished: boolean;
  /** Bytes that arrived and that nobody has read. */
  readonly unreadBytes: number;
  /** Bytes that were written and that the peer has not confirmed. */
  readonly unsentBytes: number;
  /** 0: no process has it any more. */
  readonly inode: number;
}

const ESTABLISHED = '01';

/** The kernel's own table of IPv4 TCP sockets in the network namespace of a process; default of this one. */
export function kernelSockets(pid: number | 'self' = 'self'): readonly KernelSocket[] {
  const [, ...lines] = readFileSync(`/proc/${pid}/net/tcp`, 'ascii').trim().split('\n');
  return lines.map((line) => {
    const [, local = '', remote = '', state = '', queues = '', , , , , inode = '0'] = line.trim().split(/\s+/);
    const port = (address: string): number => Number.parseInt(address.split(':')[1] ?? '0', 16);
    return {
      localPort: port(local),
      remotePort: port(remote),
      isEstablished: state === ESTABLISHED,
      unreadBytes: Number.parseInt(queues.split(':')[1] ?? '0', 16),
      unsentBytes: Number.parseInt(queues.split(':')[0] ?? '0', 16),
      inode: Number(inode),
    };
  });
}

/** Connections to `port` that a process still holds open on the listening side. While others come and go the kernel may list one of
 *  them twice. */
export const connectionsTo = (port: number): number =>
  new Set(
    kernelSockets()
      .filter((s) => s.localPort === port && s.isEstablished && s.inode !== 0)
      .map((s) => s.remotePort),
  ).size;

/** Ports from which connections come that the listening side of `port` still holds, whatever TCP state they are in. A look at the
 *  kernel's table takes milliseconds, so one look answers for all. */
export const heldFrom = (port: number): ReadonlySet<number> =>
  new Set(
    kernelSockets()
      .filter((s) => s.localPort === port && s.inode !== 0)
      .map((s) => s.remotePort),
  );

/** Ports from which process `pid` is connected to `port`. */
export function portsOfProcess(pid: number, port: number): ReadonlySet<number> {
  const inodes = new Set(
    readdirSync(`/proc/${pid}/fd`).map((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`);
      } catch {
        // Closed since it was listed, so it is not the one.
        return '';
      }
    }),
  );
  return new Set(
    kernelSockets(pid)
      .filter((s) => s.remotePort === port && inodes.has(`socket:[${s.inode}]`))
      .map((s) => s.localPort),
  );
}

/** Bytes that arrived on the connection from `localPort` to `remotePort` and that its owner has not read. */
export const unreadBytes = (localPort: number, remotePort: number): number =>
  kernelSockets().find((s) => s.localPort === localPort && s.remotePort === remotePort)?.unreadBytes ?? 0;

/** State letter of a process: `T` is stopped, `S` sleeps, `R` runs. */
export function processState(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'ascii');
  // The name stands in parentheses and may hold anything.
  return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
}

const LOOK_EVERY_MS = 20;

/** Looks until `is` answers something else than null or false, at most `deadlineMs`. For states that announce themselves to nobody. */
export async function until<T>(
  what: string,
  is: () => T | null | false | Promise<T | null | false>,
  deadlineMs = 5_000,
  lookEveryMs = LOOK_EVERY_MS,
): Promise<T> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const found = await is();
    if (found !== null && found !== false) return found;
    if (performance.now() > deadline) throw new TooLate(`Expected ${what} within ${deadlineMs} ms.`, deadlineMs);
    await delay(lookEveryMs);
  }
}
