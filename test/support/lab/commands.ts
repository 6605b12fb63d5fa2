import type { PartialOptions } from '../../../src/core/options.ts';
import type { AdmissionRecord, CleanupReport, FactoryEvents } from '../../../src/managers/events.ts';
import type { FactoryStatus } from '../../../src/managers/reports.ts';
import type { Stall } from './time.ts';
import type { Weather } from './weather-store.ts';

/** How the gateway of a laboratory is set up. */
export interface LabConfig {
  readonly options: PartialOptions;
  /** Seeds the weather of its store. */
  readonly seed: number;
  /** Address of the Redis that it shares with others. Default: a store in its memory. */
  readonly redis?: string;
  /** Its name among those that share a store. */
  readonly node?: string;
}

/** What it is told to do. Each is answered. */
export type Command =
  | { readonly do: 'publish'; readonly user: string; readonly thread: string; readonly bytes: number }
  /** Logs an event in each of these conversations now and every `everyMs`, until told otherwise. */
  | { readonly do: 'offer'; readonly to: readonly { readonly user: string; readonly thread: string }[]; readonly everyMs: number }
  /** From now on each of these users is told another canary in its thread `common` every `everyMs`. `origin`: zero of the asker's clock, by
   *  which they say when they left. */
  | { readonly do: 'canaries'; readonly users: readonly string[]; readonly everyMs: number; readonly origin: number }
  | { readonly do: 'weather'; readonly weather: Weather }
  /** The next `times` writes of this user's seats fail. */
  | { readonly do: 'fail-writes'; readonly user: string; readonly times: number }
  /** From now on writing a probe to a transport of this user throws (bare port only). */
  | { readonly do: 'throw-probes'; readonly user: string }
  /** The loop computes for this long. */
  | { readonly do: 'busy'; readonly ms: number }
  | { readonly do: 'wall' }
  /** Collects garbage, then measures: answers `Memory`. */
  | { readonly do: 'memory' }
  /** Answers the differences that the gateway's own cross-check finds. */
  | { readonly do: 'consistency' }
  /** Answers how late its event loop was, 99 times of 100, since it was asked last. Milliseconds. */
  | { readonly do: 'loop-delay' }
  /** Answers how many nodes it knows to live. */
  | { readonly do: 'living' }
  | { readonly do: 'status'; readonly users: readonly string[] };

export interface UserStatus {
  readonly seats: number;
  readonly effective: number;
  readonly sockets: number;
  readonly managers: readonly { readonly id: string; readonly verdict: string; readonly proof: boolean; readonly isConnected: boolean }[];
}
export interface LabStatus {
  readonly factory: FactoryStatus;
  readonly users: Readonly<Record<string, UserStatus>>;
  /** Store writes that were made to fail so far. */
  readonly failedWrites: readonly string[];
  /** Probes that threw so far. */
  readonly thrownProbes: number;
}

/** Bytes that the gateway's process holds after garbage was collected. */
export interface Memory {
  readonly heapUsed: number;
  readonly external: number;
  readonly rss: number;
}

/** A record of the log that tells of a failure. */
export interface Trouble {
  readonly severity: string;
  readonly event: string;
  readonly message: string;
}

/** What it says by itself. */
export type Said =
  | { readonly is: 'listening'; readonly port: number; readonly barePort: number }
  | { readonly is: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly is: 'failed'; readonly id: number; readonly why: string }
  | { readonly is: 'stall'; readonly stall: Stall }
  /** It runs, said again and again. */
  | { readonly is: 'awake'; readonly at: number }
  | { readonly is: 'trouble'; readonly trouble: Trouble }
  | { readonly is: 'admission'; readonly record: AdmissionRecord; readonly at: number }
  | { readonly is: 'cleanup'; readonly report: CleanupReport; readonly at: number }
  | { readonly is: 'ended'; readonly record: FactoryEvents['manager-ended']; readonly at: number };
