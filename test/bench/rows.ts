import type { Row } from '../../bench/row.ts';

/** A row as a quiet machine would leave it. */
export function rowOf(o: Partial<Row> & { readonly cpuUs?: number } = {}): Row {
  const units = o.units ?? 1_000;
  return {
    commit: 'abcdef012345',
    dirty: false,
    at: '2026-01-02T03:04:05.000Z',
    scenario: 'stream',
    variant: 'paced',
    peer: 'spillway',
    versions: { node: '24.0.0' },
    rep: 0,
    place: 0,
    n: 100,
    seed: 0,
    machine: { cpu: 'a CPU', cores: 2, memoryMiB: 8_192, kernel: '6.0' },
    host: { loadBefore: 0, stealShare: 0, othersShare: 0, busy: false },
    server: { cpuUserMs: ((o.cpuUs ?? 10) * units) / 1_000, cpuSysMs: 0, rssBytes: 0, heapBytes: 0, externalBytes: 0 },
    client: { cpuMs: 1, busyShare: 0.1, bound: false },
    unit: 'token',
    units,
    wallMs: 1_000,
    bytes: 0,
    frames: 0,
    framesPerRead: 1,
    latency: [[1_000, 1]],
    delivery: { checked: units, lost: 0, doubled: 0, reordered: 0 },
    figures: {},
    ...o,
  };
}
