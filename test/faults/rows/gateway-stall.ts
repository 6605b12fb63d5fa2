import { setTimeout as delay } from 'node:timers/promises';
import { processState } from '../../support/peers/kernel.ts';
import { FaultGateway } from '../fault-gateway.ts';
import type { GatewayRow, Times } from '../row.ts';
import { scaled } from '../times.ts';
import { Watcher } from '../watcher.ts';
import { Crowd, losslessOf } from './gateway-crowd.ts';
import { type Found, told } from './gateway-result.ts';

/** One user at the limit, where patience is shortest, and one far from it; half of each hear nothing and are asked instead. */
const FULL = 20;
const FEW = 5;
const PER_SECOND = 2;
/** Newcomers of the user at the limit, who come while the stall is hardly over: there is a burst for them, and nobody gives way. */
const NEW = 3;
/** Clients that wait longer than the gateway stands still. */
const PATIENT_MS = 25_000;
const WARM_MS = 15_000;
/** Longer than the fast patience with a transport, and with what came before it longer than quiet ones are left alone at the limit: a
 *  gateway that lets its own stall count blames somebody. */
const FAST_STALL_MS = 3_500;
const FAST_IDLE_MS = 4_000;
const STALL_MS = 5_000;
const LOOKED_AT_MS = 25_000;
const BACK_WITHIN_MS = 35_000;

type Stall = (gateway: FaultGateway, ms: number) => Promise<string | null>;

const stopped: Stall = async (gateway, ms) => {
  await gateway.kill('SIGSTOP');
  await delay(ms / 2);
  const state = processState(gateway.pid);
  await delay(ms / 2);
  await gateway.kill('SIGCONT');
  return state === 'T' ? null : `its process was in state ${state}, not T`;
};

const busy: Stall = async (gateway, ms) => {
  const startedAt = performance.now();
  await gateway.busy(ms);
  const tookMs = performance.now() - startedAt;
  return tookMs >= ms ? null : `it computed for ${Math.round(tookMs)} ms`;
};

/** The gateway does not run for a while; nobody else has a fault. */
async function stalls(o: { readonly times: Times; readonly folder: string }, stall: Stall, stallMs: number, mayRedial: boolean): Promise<Found> {
  const { times, folder } = o;
  // The clients' own patience is not what is looked at here.
  const fast = { timing: 'fast', options: { health: { clientTimeoutMs: PATIENT_MS }, cleanup: { idleFullMs: FAST_IDLE_MS } } } as const;
  await using gateway = await FaultGateway.start({ folder, ...(times.divisor === 10 ? fast : {}) });
  await using crowd = new Crowd(gateway);
  const full = await crowd.seat('full', FULL);
  const few = await crowd.seat('few', FEW);
  await crowd.talk(
    [...full, ...few].filter((_, i) => i % 2 === 0),
    PER_SECOND,
  );
  const watcher = new Watcher(gateway);
  let unproved: string | null;
  const injectedAt = performance.now();
  try {
    await delay(scaled(times, WARM_MS));
    unproved = await stall(gateway, stallMs);
    if (!mayRedial) await crowd.seat('full', NEW);
    await delay(scaled(times, LOOKED_AT_MS));
  } finally {
    await watcher[Symbol.asyncDispose]();
  }
  await crowd.live(scaled(times, BACK_WITHIN_MS) + times.slackMs);
  const closes = crowd.closesSince(injectedAt);
  const accused = [...watcher.accused].map(([manager, what]) => `${manager} works, and the gateway said ${what}`);
  const broken = [...accused];
  if (!mayRedial) broken.push(...closes.map((what) => `a client that works lost its transport: ${what}`));
  for (const user of ['full', 'few']) {
    const now = await gateway.admin(`users/${user}`);
    const seats = crowd.members.filter((member) => member.user === user).length;
    if (now.seats !== seats || now.effective !== seats) broken.push(`${user} has ${seats} clients, ${now.seats} seats and ${now.effective} effective ones`);
  }
  const { findings, faults } = await crowd.conclude();
  return {
    clients: crowd.members.length,
    broken: [...broken, ...faults],
    unproved,
    falselyClosed: accused.length,
    lossless: losslessOf(findings),
    notes: [`stalled for ${stallMs / 1_000} s`, `${closes.length} transports ended`],
  };
}

const shortStallMs = (times: Times): number => (times.divisor === 10 ? FAST_STALL_MS : STALL_MS);

const f13a: GatewayRow = {
  phase: 'gateway',
  key: 'F13a',
  field: 'the gateway stands still',
  by: 'its process gets SIGSTOP for 5 s',
  expect: { is: 'left-alone' },
  needs: [],
  fast: true,
  run: (o) => told(f13a, () => stalls(o, stopped, shortStallMs(o.times), false)),
};

const f13b: GatewayRow = {
  phase: 'gateway',
  key: 'F13b',
  field: 'the gateway computes',
  by: 'the application keeps its event loop busy for 5 s',
  expect: { is: 'left-alone' },
  needs: [],
  fast: true,
  run: (o) => told(f13b, () => stalls(o, busy, shortStallMs(o.times), false)),
};

const f13c: GatewayRow = {
  phase: 'gateway',
  key: 'F13c',
  field: 'the gateway stands still for long',
  by: 'its process gets SIGSTOP for 45 s',
  expect: { is: 'own', promise: 'closes none for it; clients may dial again, and take no seat' },
  needs: [],
  fast: false,
  run: (o) => told(f13c, () => stalls(o, stopped, scaled(o.times, 45_000), true)),
};

export const STALLS: readonly GatewayRow[] = [f13a, f13b, f13c];
