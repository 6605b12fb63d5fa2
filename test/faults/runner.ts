import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type ClientPhaseOptions, runClients } from './client-phase.ts';
import { FaultGateway } from './fault-gateway.ts';
import type { GateReading } from './load-gate.ts';
import { type Found, missingFor } from './needs.ts';
import type { ClientRow, GatewayRow, Result, Row } from './row.ts';
import { timesOf } from './times.ts';

export interface RunOptions {
  readonly rows: readonly Row[];
  readonly timing: 'default' | 'fast';
  /** Of this run's files. */
  readonly folder: string;
  readonly found: Found;
  /** Where clients in namespaces must reach the gateway, every address. */
  readonly host: string;
  /** Whether what came to nothing is tried once more. Default true. */
  readonly repeatsVoid?: boolean;
  readonly say: (text: string) => void;
}

export interface Run {
  readonly results: readonly Result[];
  /** One for each phase of clients. */
  readonly gates: readonly GateReading[];
}

const CONTROL = 'C00';
/** Rows of the gateway that run beside each other under `fast`. */
const FAST_LANES = 2;

/** Every row once, and those that came to nothing once more: first all clients at once, then what breaks the gateway itself, one by one. */
export async function runRows(o: RunOptions): Promise<Run> {
  const results: Result[] = [];
  const gates: GateReading[] = [];
  const able = o.rows.filter((row) => {
    const why = missingFor(row, o.found);
    if (why === null) return true;
    results.push({ key: row.key, outcome: 'skipped', why, clients: 0, falselyClosed: 0, lossless: null, seconds: 0 });
    return false;
  });
  for (const result of results) tell(o, result);
  const clients = able.filter((row) => row.phase === 'clients');
  if (clients.some(({ key }) => key !== CONTROL)) {
    const first = await phase(o, clients, 'clients');
    gates.push(first.gate);
    const { repeatsVoid = true } = o;
    const again = clients.filter((row) => row.key === CONTROL || first.results.some(({ key, outcome }) => key === row.key && outcome === 'void'));
    const isVoid = repeatsVoid && again.some(({ key }) => key !== CONTROL);
    if (isVoid) {
      o.say(`Void, and so once more: ${again.flatMap(({ key }) => (key === CONTROL ? [] : [key])).join(', ')}.`);
      const second = await phase(o, again, 'again');
      gates.push(second.gate);
      results.push(...first.results.map((result) => (result.outcome === 'void' ? (sameRow(second.results, result) ?? result) : result)));
    } else results.push(...first.results);
  }
  // Each has a gateway of its own. Where times are measured nothing else may be the reason for them.
  const left = able.filter((row) => row.phase === 'gateway');
  const lanes = Array.from({ length: o.timing === 'fast' ? FAST_LANES : 1 }, async () => {
    for (let row = left.shift(); row !== undefined; row = left.shift()) results.push(await runGateway(o, row));
  });
  await Promise.all(lanes);
  return { results, gates };
}

const sameRow = (results: readonly Result[], wanted: Result): Result | undefined =>
  results.find(({ key, variant }) => key === wanted.key && variant === wanted.variant);

async function phase(o: RunOptions, rows: readonly ClientRow[], name: string): Promise<Awaited<ReturnType<typeof runClients>>> {
  const folder = join(o.folder, name);
  mkdirSync(folder, { recursive: true });
  await using gateway = await FaultGateway.start({ timing: o.timing, folder, host: o.host });
  const options: ClientPhaseOptions = { gateway, rows, times: timesOf(o.timing), say: o.say };
  const phase = await runClients(options);
  for (const result of phase.results) tell(o, result);
  return phase;
}

/** A row that stops, kills or moves the gateway; once more if it came to nothing. */
async function runGateway(o: RunOptions, row: GatewayRow): Promise<Result> {
  for (let i = 1; ; i++) {
    const folder = join(o.folder, `${row.key}-${i}`);
    mkdirSync(folder, { recursive: true });
    const result = await row.run({ times: timesOf(o.timing), folder });
    tell(o, result);
    if (result.outcome !== 'void' || o.repeatsVoid === false || i === 2) return result;
  }
}

function tell(o: RunOptions, result: Result): void {
  const name = result.variant === undefined ? result.key : `${result.key} ${result.variant}`;
  if (result.outcome === 'skipped') {
    o.say(`SKIP ${name}: ${result.why}`);
    return;
  }
  const told = [
    ...(result.noticedMs === undefined ? [] : [`noticed ${secondsOf(result.noticedMs)}`]),
    ...(result.boundMs === undefined ? [] : [`bound ${secondsOf(result.boundMs)}`]),
    ...(result.socketReleasedMs === undefined ? [] : [`socket ${secondsOf(result.socketReleasedMs)}`]),
    ...(result.seatReleasedMs === undefined ? [] : [`seat ${secondsOf(result.seatReleasedMs)}`]),
    ...(result.lossless === null ? [] : [`${result.lossless.checked} events compared, ${result.lossless.lost} lost`]),
    ...(result.falselyClosed === 0 ? [] : [`${result.falselyClosed} healthy ones closed`]),
    ...(result.notes ?? []),
  ];
  o.say(`${result.outcome.toUpperCase().padEnd(7)} ${name}: ${result.why === undefined ? '' : `${result.why}. `}${told.join(', ')}`);
}

export const secondsOf = (ms: number | null): string => (ms === null ? 'never' : `${(ms / 1_000).toFixed(1)} s`);
