import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { kernelSockets } from './peers/kernel.ts';

/** One process as the kernel lists it. */
interface Listed {
  readonly pid: number;
  readonly parent: number;
  readonly state: string;
}

/** All processes that came from this one, children of children too, whatever their state. */
export function descendantsOf(pid: number): readonly number[] {
  const all = listed();
  const found = new Set([pid]);
  // Children are made after their parents, but ids start anew.
  for (let grown = true; grown; ) {
    grown = false;
    for (const { pid: one, parent } of all) {
      if (!found.has(parent) || found.has(one)) continue;
      found.add(one);
      grown = true;
    }
  }
  found.delete(pid);
  return [...found];
}

/** Which of these are still there. One that has ended and whose parent has not asked yet is not. */
export function stillThere(pids: readonly number[]): readonly number[] {
  const running = new Set(listed().flatMap(({ pid, state }) => (state === 'Z' || state === 'X' ? [] : [pid])));
  return pids.filter((pid) => running.has(pid));
}

/** Connections to `port` that this very process holds, by the kernel's table: others may have the same number at another address. */
export function connectionsOf(pid: number, port: number): number {
  const held = new Set(
    readdirSync(`/proc/${pid}/fd`).map((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`);
      } catch {
        // Closed since it was listed.
        return '';
      }
    }),
  );
  const ports = kernelSockets().flatMap((s) => (s.localPort === port && s.isEstablished && held.has(`socket:[${s.inode}]`) ? [s.remotePort] : []));
  return new Set(ports).size;
}

function listed(): readonly Listed[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'ascii');
      // The name stands in parentheses and may hold anything.
      const [state = '', parent = '0'] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return [{ pid: Number(name), parent: Number(parent), state }];
    } catch {
      // It ended since it was listed.
      return [];
    }
  });
}
