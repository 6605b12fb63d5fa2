import type { FaultGateway } from '../faults/fault-gateway.ts';
import { heldBy } from '../faults/kernel-table.ts';
import { check, faultsOf, isCutTail, joined } from '../support/lossless/checker.ts';
import { readLog } from '../support/lossless/logged.ts';
import { readLines } from '../support/lossless/read-lines.ts';
import type { Attempted, Findings, Line } from '../support/lossless/records.ts';
import { until } from '../support/peers/kernel.ts';
import type { Fleet } from './fleet.ts';

/** The peer of the socket that listens, in the kernel's table. */
const LISTENING = '0.0.0.0:0';
const DRAINED_WITHIN_MS = 30_000;
const AGREES_WITHIN_MS = 60_000;
/** Collections until the heap is as small as it gets. */
const COLLECTIONS = 5;

/** Bytes of the gateway's heap after garbage collection. */
export async function heapBytes(gateway: FaultGateway): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < COLLECTIONS; i++) least = Math.min(least, (await gateway.memory()).heapUsed);
  return least;
}

/** Compares every client's file with the log. */
export async function compare(gateway: FaultGateway, fleet: Fleet): Promise<{ readonly findings: Findings; readonly faults: readonly string[] }> {
  const attempted = new Map<string, Attempted[]>(fleet.threads.map(({ thread }) => [thread, []]));
  for (const line of readLines<Attempted>(gateway.attempted)) attempted.get(line.thread)?.push(line);
  const all: Findings[] = [];
  const faults: string[] = [];
  for (const { user, thread } of fleet.threads) {
    const logged = await readLog({ url: gateway.url, token: await gateway.token(user), thread });
    const end = logged.at(-1)?.offset ?? 0;
    const own = attempted.get(thread) ?? [];
    for (const client of fleet.clients.filter((one) => one.thread === thread)) {
      const lines = (): Line[] => [...readLines<Line>(client.file)];
      const isWhole = (): boolean => lines().some((line) => (line.is === 'applied' && line.to >= end) || line.is === 'gap');
      await until(`${client.name} to have everything`, isWhole, DRAINED_WITHIN_MS, 250).catch(() => {});
      const findings = check({ user, logged, lines: lines(), attempted: own });
      all.push(findings);
      // What the killed gateway had not logged was the end of its run.
      const isTailCut = isCutTail(findings.unlogged, own);
      for (const fault of faultsOf(findings, ...(isTailCut ? (['unlogged'] as const) : [])))
        faults.push(`${client.name} (${client.road}, ${user}, ${thread}): ${fault}`);
    }
  }
  return { findings: joined(all), faults };
}

export interface Books {
  readonly seats: number;
  readonly registered: number;
  readonly sockets: number;
  readonly kernel: number;
  readonly differences: readonly unknown[];
}

/** Seats, registry, counted sockets and the kernel's connections, as soon as they agree; as they are if they never do. */
export async function books(gateway: FaultGateway): Promise<Books> {
  let last: Books | null = null;
  const look = async (): Promise<boolean> => {
    const [status, consistency, managers] = await Promise.all([gateway.status(), gateway.admin('consistency'), gateway.admin('managers?limit=500')]);
    const kernel = [...heldBy(gateway.pid, gateway.port)].filter((peer) => peer !== LISTENING).length;
    last = {
      seats: status.seats,
      registered: managers.managers.length,
      sockets: status.sockets,
      kernel,
      differences: consistency.differences,
    };
    return last.seats === last.registered && last.sockets === last.kernel && last.differences.length === 0;
  };
  await until('all books to agree', look, AGREES_WITHIN_MS, 500).catch(() => {});
  return last as unknown as Books;
}
