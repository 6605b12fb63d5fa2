import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host, Machine } from '../machine.ts';
import { root } from '../results.ts';

/** One kind of call, made one after the other. */
export interface CallFigures {
  readonly call: string;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Time of the script on the server; null for what is no script. */
  readonly serverUs: number | null;
}
/** One renewal of all managers of a node. */
export interface RenewalFigures {
  readonly managers: number;
  readonly users: number;
  readonly ms: number;
  readonly redisCpuMs: number;
  readonly nodeCpuMs: number;
  /** The longest that a PING took meanwhile. */
  readonly pingMaxMs: number;
}
/** Nodes at work, as much as they can. */
export interface NodesFigures {
  readonly work: 'admissions' | 'events' | 'events in eights';
  readonly nodes: number;
  readonly perS: number;
  readonly redisCpuUs: number;
  readonly nodeCpuUs: number;
  /** Of one core. */
  readonly redisShare: number;
}

interface Measured {
  readonly at: string;
  readonly commit: string;
  readonly machine: Machine;
  readonly host: Host;
  readonly node: string;
  readonly redis: string;
}
export type Row = Measured &
  (
    | { readonly scenario: 'scripts'; readonly figures: readonly CallFigures[] }
    | { readonly scenario: 'renewals'; readonly figures: readonly RenewalFigures[] }
    | { readonly scenario: 'nodes'; readonly figures: readonly NodesFigures[] }
  );

const FILE = join(root, 'bench', 'redis', 'results', 'redis.jsonl');

export function addRow(row: Row): void {
  appendFileSync(FILE, `${JSON.stringify(row)}\n`);
}

/** The last row of each scenario. */
export function lastRows(): ReadonlyMap<Row['scenario'], Row> {
  const lines = existsSync(FILE) ? readFileSync(FILE, 'utf8').split('\n') : [];
  return new Map(
    lines
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Row)
      .map((row) => [row.scenario, row]),
  );
}

/** The value below which `share` of all lie. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
