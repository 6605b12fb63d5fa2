import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, type } from 'node:os';

/** How busy the machine is: processes that want to run, and the share of time in which some could not, in percent; null where the kernel
 *  does not tell. */
export function pressureNow(): { readonly load: number; readonly cpuPressure: number | null } {
  const load = Math.round((loadavg()[0] ?? 0) * 10) / 10;
  try {
    const [, share] = /some avg10=([\d.]+)/.exec(readFileSync('/proc/pressure/cpu', 'ascii')) ?? [];
    return { load, cpuPressure: share === undefined ? null : Number(share) };
  } catch {
    // A kernel without pressure figures.
    return { load, cpuPressure: null };
  }
}

/** What a result was measured on. */
export const machine = (): { readonly cores: number; readonly system: string; readonly node: string } => ({
  cores: cpus().length,
  system: `${type()} ${release().split('-')[0]}`,
  node: process.version,
});
