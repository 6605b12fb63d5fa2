import { accessSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The wall clock of one process, which a test can set. Monotonic time goes on. */
export interface WallClock extends Disposable {
  /** For the environment of that process. */
  readonly env: NodeJS.ProcessEnv;
  /** From now on its wall clock is this far off. */
  jumpTo(offsetS: number): void;
  /** Its wall clock shows this instant, milliseconds since the Unix epoch, until it is set anew. */
  standAt(at: number): void;
}

/** The library that does it; null where this machine has none. */
function library(): string | null {
  for (const folder of ['/usr/lib', ...list('/usr/lib').map((name) => `/usr/lib/${name}`), '/usr/local/lib', '/lib64', '/usr/lib64']) {
    const path = join(folder, 'faketime/libfaketimeMT.so.1');
    try {
      accessSync(path);
      return path;
    } catch {
      // Not here; the next folder may have it.
    }
  }
  return null;
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => name.includes('-linux-'));
  } catch {
    // No such folder on this system.
    return [];
  }
}

export const NO_FAKETIME = 'libfaketime is not installed: apt-get install libfaketime';

/** A wall clock that can be set, or null without libfaketime. */
export function wallClock(): WallClock | null {
  const preload = library();
  if (preload === null) return null;
  const folder = mkdtempSync(join(tmpdir(), 'spillway-clock-'));
  const file = join(folder, 'offset');
  const tell = (setting: string): void => {
    // Replaced in one step, so that it is never read half-written.
    writeFileSync(`${file}.next`, `${setting}\n`);
    renameSync(`${file}.next`, file);
  };
  const jumpTo = (offsetS: number): void => tell(`${offsetS >= 0 ? '+' : ''}${offsetS}`);
  // Half a microsecond more, since the fraction is read as a floating-point number and cut.
  const standAt = (at: number): void => tell(new Date(at).toISOString().replace('T', ' ').replace('Z', '0005'));
  jumpTo(0);
  const env = {
    LD_PRELOAD: preload,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    FAKETIME_CACHE_DURATION: '1',
    FAKETIME_NO_CACHE: '1',
    // Instants are read in the process's own zone.
    TZ: 'UTC',
  };
  return { env, jumpTo, standAt, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}
