import { type Cell, type CellResult, resultOf, used } from '../cell.ts';
import type { Variant } from '../run.ts';

/** Below the rate at which a client of Spillway is asked to slow down. */
const PER_SECOND = 40;
const SECONDS = 10;
const WARM_UP_SECONDS = 3;
const QUIET_MS = 5_000;

/** From when a question was due to the first token of its answer. The bare peers answer at once; Spillway stores the message, starts a run of
 *  an agent that repeats it, and logs what it says. */
async function echo(cell: Cell): Promise<CellResult> {
  await cell.start({ duty: 'echo', connections: 0 });
  await cell.connect({ spillway: { stage: 'following', asks: false } });
  await cell.settle(await cell.echo({ perSecond: PER_SECOND, seconds: WARM_UP_SECONDS }), QUIET_MS);
  await cell.begin();
  const before = await cell.sample();
  const asked = await cell.echo({ perSecond: PER_SECOND, seconds: SECONDS });
  const delivery = await cell.settle(asked, QUIET_MS);
  const after = await cell.sample();
  const traffic = await cell.traffic();
  return resultOf({ unit: 'message', units: PER_SECOND * SECONDS, wallMs: traffic.spanMs, server: used(before, after), traffic, delivery });
}

export const ECHO: readonly Variant[] = [{ scenario: 'echo', name: 'echo', peers: ['spillway', 'ws', 'socketio'], defaultN: 50, measure: echo }];
