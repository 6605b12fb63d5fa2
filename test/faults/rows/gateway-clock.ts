import { setTimeout as delay } from 'node:timers/promises';
import { NO_FAKETIME, wallClock } from '../../support/lab/faketime.ts';
import { readLog } from '../../support/lossless/logged.ts';
import { asking } from '../../support/lossless/numbered-agent.ts';
import { WireClient } from '../../support/wire-client.ts';
import { FaultGateway } from '../fault-gateway.ts';
import type { GatewayRow, Times } from '../row.ts';
import { scaled } from '../times.ts';
import { Watcher } from '../watcher.ts';
import { Crowd, losslessOf } from './gateway-crowd.ts';
import { type Found, told } from './gateway-result.ts';

/** A user in a burst lease, and one at 25/25 for whom somebody waits. */
const IN_BURST = 22;
const AT_LIMIT = 25;
const LIMIT = 20;
const PER_SECOND = 1;
const HOUR_S = 3_600;
const QUEUE_MS = 10_000;
const FAST_QUEUE_MS = 1_500;
const BACK_WITHIN_MS = 30_000;
/** A burst lease runs for a minute: what the jump may not end is looked at until shortly before. */
const LOOKED_AT_MS = 40_000;
/** Retention runs once a minute. */
const TRIMMED_AFTER_MS = 65_000;
const WARM_MS = 5_000;

async function jumps({ times, folder }: { readonly times: Times; readonly folder: string }, offsetS: number): Promise<Found> {
  using clock = wallClock();
  if (clock === null) throw new Error(NO_FAKETIME);
  const { divisor, slackMs } = times;
  const queueMs = divisor === 10 ? FAST_QUEUE_MS : QUEUE_MS;
  const timing = divisor === 10 ? 'fast' : 'default';
  await using gateway = await FaultGateway.start({ folder, timing, store: 'file', env: clock.env, options: { queue: { waitMs: queueMs } } });
  await using crowd = new Crowd(gateway);
  await gateway.ask('reader', 'ended', asking({ count: 20 }));
  const inBurst = await crowd.seat('burst', IN_BURST);
  const seatedAt = performance.now();
  await crowd.seat('waited', AT_LIMIT);
  await crowd.talk(
    inBurst.filter((_, i) => i % 2 === 0),
    PER_SECOND,
  );
  const watcher = new Watcher(gateway);
  await delay(scaled(times, WARM_MS));
  await using waiting = (await WireClient.open(gateway.wsUrl, { deadlineMs: 60_000 })).behave();
  const token = await gateway.token('waited');
  waiting.sendFrame({ type: 'hello', v: 1, token, client: { name: 'late', version: '1.0' }, intent: 'user', visibility: 'visible' });
  await waiting.nextWhere('a place in the queue', ({ type }) => type === 'queued' || type === 'ready');
  const queuedAt = performance.now();

  const before = (await gateway.tell({ do: 'clocks' })) as { readonly wall: number; readonly monotonic: number };
  clock.jumpTo(offsetS);
  const after = (await gateway.tell({ do: 'clocks' })) as typeof before;
  const movedMs = after.wall - before.wall;
  const isMoved = Math.abs(movedMs - offsetS * 1_000) < 5_000 && Math.abs(after.monotonic - before.monotonic) < 5_000;

  const broken: string[] = [];
  await waiting.nextWhere('a seat', ({ type }) => type === 'ready');
  const waitedMs = performance.now() - queuedAt;
  // Nothing shortens the wait: everybody works, so that only its end gives a seat.
  if (waitedMs < queueMs * 0.9 || waitedMs > queueMs + 1_000 + slackMs) broken.push(`the queue was left after ${Math.round(waitedMs)} ms`);
  await delay(Math.max(0, seatedAt + scaled(times, LOOKED_AT_MS) - performance.now()));
  const burst = await gateway.admin('users/burst');
  if (burst.seats !== IN_BURST || burst.burst.in !== 'active')
    broken.push(`a burst lease of ${IN_BURST} seats has become ${burst.seats}, ${JSON.stringify(burst.burst)}`);
  await watcher[Symbol.asyncDispose]();
  const accused = [...watcher.accused]
    .filter(([, what]) => !what.includes('lowest-value'))
    .map(([manager, what]) => `${manager} works, and the gateway said ${what}`);
  const taken = [...watcher.accused].filter(([, what]) => what.includes('lowest-value')).length;
  if (taken > 1) broken.push(`one gave way to whoever waited, and ${taken} were taken`);
  if (divisor === 1) {
    await delay(TRIMMED_AFTER_MS - LOOKED_AT_MS);
    const log = await readLog({ url: gateway.url, token: await gateway.token('reader'), thread: 'ended' });
    if (log[0]?.offset !== 1) broken.push(`a conversation of a minute ago begins with offset ${log[0]?.offset}`);
  }
  clock.jumpTo(0);
  waiting.sendFrame({ type: 'bye', reason: 'left' });
  await waiting.closed;
  // The lease may be over meanwhile, and was given only once: as many leave as are too many, and the others come back as they ask.
  for (const user of ['burst', 'waited']) {
    const own = crowd.members.filter((member) => member.user === user);
    const away = own.filter(({ recorder }) => recorder.client.state.name === 'superseded');
    const here = own.filter((member) => !away.includes(member));
    await crowd.leave([...away, ...here].slice(0, own.length - LIMIT));
  }
  for (const { recorder } of crowd.members) if (recorder.client.state.name === 'superseded') await recorder.client.resume();
  await crowd.live(BACK_WITHIN_MS);
  const { findings, faults } = await crowd.conclude();
  return {
    clients: IN_BURST + AT_LIMIT,
    broken: [...broken, ...accused, ...faults],
    unproved: isMoved ? null : `the wall clock moved by ${movedMs} ms`,
    falselyClosed: accused.length,
    lossless: losslessOf(findings),
    notes: [`the wait in the queue took ${Math.round(waitedMs)} ms`],
  };
}

const row = (key: string, says: string, offsetS: number): GatewayRow => {
  const made: GatewayRow = {
    phase: 'gateway',
    key,
    field: `the clock of the gateway's machine jumps ${says}`,
    by: `libfaketime, ${offsetS > 0 ? '+' : '−'} 1 h under the gateway`,
    expect: { is: 'left-alone' },
    needs: ['faketime'],
    fast: true,
    run: (o) => told(made, () => jumps(o, offsetS)),
  };
  return made;
};

export const CLOCKS: readonly GatewayRow[] = [row('F15a', 'an hour ahead', HOUR_S), row('F15b', 'an hour back', -HOUR_S)];
