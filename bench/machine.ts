import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';

/** Where a row was measured. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryMiB: number;
  readonly kernel: string;
}

/** How quiet the host was. */
export interface Host {
  readonly loadBefore: number;
  /** Share of the cores' time that the hypervisor gave to others. */
  readonly stealShare: number;
  /** Share of the cores' time that processes used which are no part of the run. */
  readonly othersShare: number;
  /** True where figures are not to be trusted fully: others were at work. */
  readonly busy: boolean;
}

const STEAL_MAX_SHARE = 0.05;

export const machine = (): Machine => ({
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: availableParallelism(),
  memoryMiB: Math.round(totalmem() / 2 ** 20),
  kernel: release(),
});

interface Ticks {
  readonly total: number;
  readonly steal: number;
  readonly idle: number;
}

/** Jiffies of all cores since boot; zeros where the system does not tell. */
function ticks(): Ticks {
  let line: string;
  try {
    line = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0] ?? '';
  } catch {
    return { total: 0, steal: 0, idle: 0 };
  }
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, softirq = 0, steal = 0] = line.trim().split(/\s+/).slice(1).map(Number);
  return { total: user + nice + system + idle + wait + irq + softirq + steal, steal, idle: idle + wait };
}

/** Watches the host while something is measured. */
export class HostWatch {
  readonly #loadBefore = loadavg()[0] ?? 0;
  readonly #before = ticks();

  /** `ownCpuMs`: what the processes of the run used meanwhile. */
  end(ownCpuMs: number): Host {
    const after = ticks();
    const total = after.total - this.#before.total;
    const share = (ticked: number): number => (total === 0 ? 0 : ticked / total);
    const stealShare = share(after.steal - this.#before.steal);
    const used = total - (after.idle - this.#before.idle) - (after.steal - this.#before.steal);
    // A jiffy is 10 ms on every Linux that Node runs on.
    const othersShare = Math.max(0, share(used - ownCpuMs / 10));
    const round = (x: number): number => Math.round(x * 1_000) / 1_000;
    return {
      loadBefore: round(this.#loadBefore),
      stealShare: round(stealShare),
      othersShare: round(othersShare),
      busy: this.#loadBefore > availableParallelism() || stealShare > STEAL_MAX_SHARE,
    };
  }
}

/** The commit of a folder, and whether files were changed since; `unknown` outside a repository. */
export function commitOf(folder: string): { readonly commit: string; readonly dirty: boolean } {
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    return { commit: git('rev-parse', '--short=12', 'HEAD'), dirty: git('status', '--porcelain', '--', 'src', 'package-lock.json') !== '' };
  } catch {
    return { commit: 'unknown', dirty: false };
  }
}
