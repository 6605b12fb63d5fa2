import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';

/** Names the time since this machine was started. Two calls differ if it went down in between; on systems that give no such name
 *  they may also differ for no reason, which costs one reload of each conversation. */
export function machineLife(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    // Not Linux: the minute at which it was started.
    return `minute-${Math.round((Date.now() / 1000 - uptime()) / 60)}`;
  }
}
