import { setTimeout as delay } from 'node:timers/promises';
import { FaultGateway } from '../faults/fault-gateway.ts';
import { seeded } from '../support/lab/seeded.ts';
import type { Findings } from '../support/lossless/records.ts';
import { Faults } from './faults.ts';
import { Fleet } from './fleet.ts';
import { Talk } from './talk.ts';
import { type Books, books, compare, heapBytes } from './verdict.ts';

export interface ChaosOptions {
  readonly minutes: number;
  readonly clients: number;
  readonly seed: number;
  readonly timing: 'default' | 'fast';
  /** kill -9 of the gateway, evenly over the run. */
  readonly restarts: number;
  readonly folder: string;
  readonly say: (text: string) => void;
}

export interface ChaosReport {
  readonly findings: Findings;
  /** What was lost for whom, and whatever else did not hold; empty: passed. */
  readonly broken: readonly string[];
  readonly books: Books;
  readonly heapBytes: { readonly before: number; readonly after: number };
  readonly happened: Readonly<Record<string, number>>;
  /** How transports ended, with how often. */
  readonly ends: Readonly<Record<string, number>>;
}

const OPEN_WITHIN_MS = 180_000;
const HEALED_WITHIN_MS = 240_000;
const WARM_EVENTS = 60;
/** Connections of this program to the gateway's HTTP, kept alive, are gone after this. */
const IDLE_MS = 10_000;
const HEAP_GROWTH_MAX = 1.1;
/** A log that holds all of the run. */
const LOG = { keepMs: 7_200_000, streamBytes: 256 * 1_048_576 };

/** Real clients, real faults, and at the end nothing may be missing. */
export async function chaos(o: ChaosOptions): Promise<ChaosReport> {
  const { say } = o;
  const random = seeded(o.seed);
  const scale = o.timing === 'fast' ? 10 : 1;
  await using gateway = await FaultGateway.start({ folder: o.folder, timing: o.timing, store: 'file', options: { log: LOG } });
  await using fleet = new Fleet(gateway, o.clients);
  await fleet.open(OPEN_WITHIN_MS);
  const talk = new Talk(gateway, fleet, random);
  await talk.warmUp(WARM_EVENTS);
  await delay(IDLE_MS / scale);
  const before = await heapBytes(gateway);
  say(`${o.clients} clients in ${fleet.homes.length} processes are live; the gateway's heap holds ${megabytes(before)}.`);

  const faults = new Faults(gateway, fleet, random, scale);
  talk.begin(scale);
  faults.begin();
  const part = (o.minutes * 60_000) / (o.restarts + 1);
  for (let i = 0; i <= o.restarts; i++) {
    await delay(part);
    if (i < o.restarts) {
      await faults.restartGateway();
      say(`The gateway was killed and runs again, ${Math.round(((i + 1) * part) / 1_000)} s into the run.`);
    }
  }
  say('No new faults; healing.');
  await faults.heal();
  await fleet.live(HEALED_WITHIN_MS);
  await talk.end();
  say('Everybody is live, and nobody speaks any more.');
  const { findings, faults: lossy } = await compare(gateway, fleet);
  await fleet.live(HEALED_WITHIN_MS);
  await delay(IDLE_MS);
  const after = await heapBytes(gateway);
  const agreed = await books(gateway);
  const broken = [...lossy];
  if (agreed.seats !== agreed.registered) broken.push(`${agreed.seats} seats, and ${agreed.registered} managers in the registry`);
  if (agreed.sockets !== agreed.kernel) broken.push(`${agreed.sockets} sockets are counted, and the kernel has ${agreed.kernel} connections`);
  if (agreed.differences.length > 0) broken.push(`the gateway finds differences: ${JSON.stringify(agreed.differences)}`);
  if (after > before * HEAP_GROWTH_MAX) broken.push(`the heap grew from ${megabytes(before)} to ${megabytes(after)}`);
  const ends = new Map<string, number>();
  for (const client of fleet.clients) for (const [what, times] of client.ends) ends.set(what, (ends.get(what) ?? 0) + times);
  return {
    findings,
    broken,
    books: agreed,
    heapBytes: { before, after },
    happened: sorted(faults.happened),
    ends: sorted(ends),
  };
}

const sorted = (counts: ReadonlyMap<string, number>): Record<string, number> => Object.fromEntries([...counts].sort(([, a], [, b]) => b - a));

export const megabytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1)} MiB`;
