import { appendFileSync, existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { Cell, type CellResult, type Contestant } from './cell.ts';
import { commitOf, HostWatch, machine } from './machine.ts';
import { short } from './report.ts';
import { type Row, readRows } from './row.ts';

/** Something to measure, the same for every peer. */
export interface Variant {
  readonly scenario: string;
  readonly name: string;
  /** Peers that can do it, by the kind of their adapter. */
  readonly peers: readonly Contestant['kind'][];
  readonly defaultN: number;
  /** `before`: rows of this repetition so far, of every variant and peer. */
  measure(cell: Cell, before: readonly Row[]): Promise<CellResult>;
}

export interface RunOptions {
  readonly variants: readonly Variant[];
  readonly contestants: readonly Contestant[];
  readonly reps: number;
  /** Null: the variant's own. */
  readonly n: number | null;
  /** Seconds of each timed load; null: the variant's own. */
  readonly seconds?: number | null;
  /** Rows are appended as they come, as further repetitions of those that the file holds; null: nowhere. */
  readonly out: string | null;
  /** Folder that gets a CPU profile of every server; null: none is made. */
  readonly profiles: string | null;
  /** Folder whose commit is noted. */
  readonly root: string;
  readonly tell: (line: string) => void;
}

/** Runs every variant on every contestant, `reps` times, interleaved: a repetition runs each of them once in a fresh process, in an order that
 *  rotates. Rejects at the first row whose delivery was wrong. */
export async function run(options: RunOptions): Promise<readonly Row[]> {
  const earlier = options.out !== null && existsSync(options.out) ? readRows(options.out) : [];
  const rows: Row[] = [];
  const { commit, dirty } = commitOf(options.root);
  for (let round = 0; round < options.reps; round++) {
    for (const variant of options.variants) {
      const rep = round + repsOf(earlier, variant);
      const contestants = options.contestants.filter(({ kind }) => variant.peers.includes(kind));
      for (let place = 0; place < contestants.length; place++) {
        const contestant = contestants[(rep + place) % contestants.length] as Contestant;
        const n = options.n ?? variant.defaultN;
        const watch = new HostWatch();
        await using cell = new Cell(contestant, n, { profiles: options.profiles, seconds: options.seconds ?? null });
        const result = await variant.measure(
          cell,
          [...earlier, ...rows].filter((row) => row.rep === rep),
        );
        const own = result.server.cpuUserMs + result.server.cpuSysMs + result.client.cpuMs;
        const row: Row = {
          commit,
          dirty,
          at: new Date().toISOString(),
          scenario: variant.scenario,
          variant: variant.name,
          peer: contestant.name,
          versions: { node: process.versions.node, ...cell.versions },
          rep,
          place,
          seed: rep,
          machine: machine(),
          host: watch.end(own),
          ...result,
          n: result.n ?? n,
        };
        rows.push(row);
        keep(row, options.out);
        options.tell(lineOf(row));
        expectWholeDelivery(row);
      }
    }
  }
  return rows;
}

/** Repetitions of a variant that a file holds already: further ones go on behind them. */
const repsOf = (rows: readonly Row[], { name }: Variant): number => rows.reduce((most, row) => (row.variant === name ? Math.max(most, row.rep + 1) : most), 0);

function keep(row: Row, out: string | null): void {
  if (out === null) return;
  mkdirSync(dirname(out), { recursive: true });
  appendFileSync(out, `${JSON.stringify(row)}\n`);
}

function expectWholeDelivery(row: Row): void {
  const { lost, doubled, reordered } = row.delivery;
  if (lost + doubled + reordered === 0) return;
  throw new Error(`${row.variant} on ${row.peer}, repetition ${row.rep}: ${lost} lost, ${doubled} doubled, ${reordered} reordered of ${row.units}.`);
}

function lineOf(row: Row): string {
  const cpuMs = row.server.cpuUserMs + row.server.cpuSysMs;
  const figures = Object.entries(row.figures).map(([name, value]) => `${name} ${short(value)}`);
  const told =
    cpuMs > 0 ? `${((cpuMs * 1_000) / Math.max(1, row.units)).toFixed(1)} µs/${row.unit}, ${row.units} in ${Math.round(row.wallMs)} ms` : figures.join(', ');
  const flags = [row.client.bound ? 'client-bound' : '', row.host.busy ? 'busy' : ''].filter((flag) => flag !== '');
  return [`${row.variant.padEnd(12)} rep ${row.rep}  ${row.peer.padEnd(12)}  ${told}`, ...flags].join('  ');
}
