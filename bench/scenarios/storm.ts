import { type Cell, type CellResult, resultOf, used } from '../cell.ts';
import type { SpillwayWireOptions } from '../generator/spillway-wire.ts';
import type { Variant } from '../run.ts';
import { until } from '../until.ts';

const IN_FLIGHT = 100;
const WARM_UP = 300;

/** Connects of people who come one after the other, 100 at once; for Spillway from the TCP connect to `ready`. */
async function storm(cell: Cell, credential: SpillwayWireOptions['credential']): Promise<CellResult> {
  await cell.start({ connections: 0 });
  await cell.connect({ first: 0, count: WARM_UP, inFlight: IN_FLIGHT, spillway: { stage: 'seated', credential: 'token' } });
  await cell.leave(false);
  if (credential === 'resume') await beforehand(cell);
  const measured = { first: WARM_UP, inFlight: IN_FLIGHT, spillway: { stage: 'seated', credential } } as const;
  await cell.prepare(measured);
  await cell.begin();
  const before = await cell.sample();
  const report = await cell.connect(measured);
  const after = await cell.sample();
  const traffic = await cell.traffic();
  return resultOf({
    unit: 'connect',
    units: cell.n,
    wallMs: report.wallMs,
    server: used(before, after),
    traffic,
    latency: report.perConnect,
    figures: { perSecond: (cell.n * 1_000) / report.wallMs },
  });
}

/** Everybody was there before, and lost their connection. */
async function beforehand(cell: Cell): Promise<void> {
  await cell.connect({ first: WARM_UP, inFlight: IN_FLIGHT, spillway: { stage: 'seated', credential: 'token' } });
  await cell.leave(true);
  if (cell.contestant.kind !== 'spillway') return;
  await until('every transport to be gone', async () => (await cell.act<{ readonly attached: number }>('status')).attached === 0);
}

const variant = (name: string, credential: SpillwayWireOptions['credential']): Variant => ({
  scenario: 'storm',
  name,
  peers: ['spillway', 'ws', 'socketio'],
  defaultN: 3_000,
  measure: (cell) => storm(cell, credential),
});

export const STORM: readonly Variant[] = [variant('storm-hs256', 'token'), variant('storm-ticket', 'ticket'), variant('storm-resume', 'resume')];
