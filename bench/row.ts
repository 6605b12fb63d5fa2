import { readFileSync } from 'node:fs';
import type { Checked } from './generator/checker.ts';
import type { Buckets } from './histogram.ts';
import type { Host, Machine } from './machine.ts';

/** One repetition of one variant on one peer: a line of JSON. */
export interface Row {
  readonly commit: string;
  /** Sources were changed since that commit. */
  readonly dirty: boolean;
  readonly at: string;
  readonly scenario: string;
  readonly variant: string;
  readonly peer: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly rep: number;
  /** Place in the order of its repetition, from 0. */
  readonly place: number;
  /** Connections. */
  readonly n: number;
  readonly seed: number;
  readonly machine: Machine;
  readonly host: Host;
  readonly server: {
    readonly cpuUserMs: number;
    readonly cpuSysMs: number;
    readonly rssBytes: number;
    readonly heapBytes: number;
    readonly externalBytes: number;
  };
  readonly client: {
    readonly cpuMs: number;
    /** Share of a core that the generator used. */
    readonly busyShare: number;
    /** The generator was the bottleneck: rates and times do not count. */
    readonly bound: boolean;
  };
  /** What was done: `token`, `connect`, `message`, `connection`. */
  readonly unit: string;
  readonly units: number;
  readonly wallMs: number;
  readonly bytes: number;
  readonly frames: number;
  readonly framesPerRead: number;
  readonly latency: Buckets;
  readonly delivery: Checked;
  /** Figures of one scenario only; see there. */
  readonly figures: Readonly<Record<string, number>>;
}

/** The rows of a file, one a line. */
export function readRows(file: string): readonly Row[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row);
}
