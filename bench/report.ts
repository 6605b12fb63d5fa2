import { cpuPerUnit, ratios } from './goals.ts';
import { quantileUs } from './histogram.ts';
import type { Row } from './row.ts';
import { interval, median } from './statistics.ts';

export const variantsOf = (rows: readonly Row[]): readonly string[] => [...new Set(rows.map(({ variant }) => variant))];

/** A run as it is told on a terminal. */
export function table(rows: readonly Row[]): string {
  return variantsOf(rows)
    .map((variant) => {
      const { title, table: cells } = detailsOf(variant, rows);
      return [`${variant}: ${title}`, ...columns(cells)].join('\n');
    })
    .join('\n\n');
}

export interface Details {
  readonly title: string;
  /** The first line is the head. */
  readonly table: readonly (readonly string[])[];
}

/** One variant, peer by peer, the first one over each of the others. */
export function detailsOf(variant: string, all: readonly Row[]): Details {
  const rows = all.filter((row) => row.variant === variant);
  const peers = [...new Set(rows.map(({ peer }) => peer))].toSorted((a, b) => Number(b.startsWith('spillway')) - Number(a.startsWith('spillway')));
  const [first = ''] = peers;
  const sample = rows[0] as Row;
  const names = [...new Set(rows.flatMap((row) => Object.keys(row.figures)))];
  const hasCpu = rows.some((row) => cpuPerUnit(row) > 0);
  const hasTimes = rows.some(({ latency }) => latency.length > 0);
  const head = [
    'peer',
    ...(hasCpu ? [`CPU µs/${sample.unit}`, `${first} / it`, 'interval'] : []),
    ...(hasTimes ? ['p50 ms', 'p99 ms'] : []),
    ...names.map((name) => FIGURES[name] ?? name),
    'client busy',
  ];
  const lines = peers.map((peer) => {
    const own = rows.filter((row) => row.peer === peer);
    return [
      peer,
      ...(hasCpu ? [short(median(own.map(cpuPerUnit))), ...compared(rows, first, peer)] : []),
      ...(hasTimes ? [quantile(own, 0.5), quantile(own, 0.99)] : []),
      ...names.map((name) => short(median(own.flatMap((row) => row.figures[name] ?? [])))),
      `${Math.round(median(own.map(({ client }) => client.busyShare)) * 100)} %${own.some(({ client }) => client.bound) ? ' bound' : ''}`,
    ];
  });
  const busy = rows.filter(({ host }) => host.busy).length;
  const reps = new Set(rows.map(({ rep }) => rep)).size;
  const sizes = [...new Set(rows.map(({ n }) => n.toLocaleString('en')))].join(', ');
  return {
    title: `n = ${sizes}, ${reps} repetition${reps === 1 ? '' : 's'}${busy > 0 ? `, ${busy} of ${rows.length} rows busy` : ''}.`,
    table: [head, ...lines],
  };
}

function compared(rows: readonly Row[], first: string, peer: string): readonly [string, string] {
  if (peer === first) return ['', ''];
  const { median: middle, low, high } = interval(ratios(rows, first, peer, cpuPerUnit));
  return [middle.toFixed(2), `${low.toFixed(2)} … ${high.toFixed(2)}`];
}

function quantile(rows: readonly Row[], share: number): string {
  return short(median(rows.flatMap(({ latency }) => quantileUs(latency, share) ?? [])) / 1_000);
}

/** Names of figures for people. */
const FIGURES: Readonly<Record<string, string>> = {
  perSecond: 'units/s',
  askedPerSecond: 'asked/s',
  bytesPerToken: 'B/token',
  socketBytes: 'most B in sockets',
  unloggedGrowth: 'growth beyond log',
  rssEach: 'RSS B each',
  heapEach: 'heap B each',
  externalEach: 'external B each',
  idleCpuMsPerS: 'idle CPU ms/s',
  returnedShare: 'held returned',
  rssReturnedShare: 'RSS returned',
  secondFillRss: 'second fill RSS',
  secondFillHeld: 'second fill held',
  heldEach: 'held B each',
  keptEach: 'held B each, keeping up',
  slowEach: 'held B each above keeping up',
};

function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  '));
}

/** Three digits that count, without a power of ten. */
export function short(value: number): string {
  if (Number.isNaN(value)) return '–';
  const size = Math.abs(value);
  return size >= 100 ? Math.round(value).toLocaleString('en') : size >= 10 ? value.toFixed(1) : value.toFixed(2);
}
