import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { asking } from '../../support/lossless/numbered-agent.ts';
import { until } from '../../support/peers/kernel.ts';
import { WireClient } from '../../support/wire-client.ts';
import { FaultGateway } from '../fault-gateway.ts';
import type { GatewayRow, Times } from '../row.ts';
import { scaled } from '../times.ts';
import { Watcher } from '../watcher.ts';
import { Crowd, losslessOf, type Member } from './gateway-crowd.ts';
import { type Found, told } from './gateway-result.ts';

const STREAMING = 10;
/** Clients of a user at the limit who die with the gateway, as those on a failing machine's network do. */
const GONE = 20;
const PER_SECOND = 20;
const WARM_MS = 3_000;
const SEATS_WITHIN_MS = 6_500;
const ENDED_WITHIN_MS = 15_000;
const BACK_WITHIN_MS = 35_000;

export async function strangers(gateway: FaultGateway, user: string, count: number): Promise<readonly WireClient[]> {
  const token = await gateway.token(user);
  return await Promise.all(
    Array.from({ length: count }, async () => {
      const wire = (await WireClient.open(gateway.wsUrl, { deadlineMs: 30_000 })).behave();
      wire.sendFrame({ type: 'hello', v: 1, token, client: { name: 'wire', version: '1.0' }, intent: 'user', visibility: 'visible' });
      await wire.nextWhere('a seat', ({ type }) => type === 'ready');
      return wire;
    }),
  );
}

export const endsOf = ({ history }: Member): readonly string[] =>
  history.flatMap(({ said }) => (said.is === 'run-ended' ? [said.code ?? said.status ?? said.type] : []));

/** SIGKILL in the middle of runs, and a new process on the same store file. */
async function dies({ times, folder }: { readonly times: Times; readonly folder: string }): Promise<Found> {
  await using gateway = await FaultGateway.start({ folder, timing: times.divisor === 10 ? 'fast' : 'default', store: 'file' });
  await using crowd = new Crowd(gateway);
  const streaming = await crowd.seat('streaming', STREAMING);
  const gone = await strangers(gateway, 'gone', GONE);
  await crowd.talk(streaming, PER_SECOND);
  await delay(scaled(times, WARM_MS));
  const killedAt = performance.now();
  await gateway.kill('SIGKILL');
  for (const wire of gone) wire.cut();
  await gateway.start();
  const listeningAt = performance.now();
  const broken: string[] = [];
  const fresh = await strangers(gateway, 'gone', GONE);
  const seatsMs = performance.now() - listeningAt;
  if (seatsMs > SEATS_WITHIN_MS) broken.push(`the seats of the dead were free ${Math.round(seatsMs)} ms after the start`);
  await until('an end of every run', () => streaming.every((member) => endsOf(member).length > 0), BACK_WITHIN_MS + ENDED_WITHIN_MS);
  const endedMs = performance.now() - listeningAt;
  await crowd.live(BACK_WITHIN_MS);
  for (const member of streaming)
    if (endsOf(member).join() !== 'producer_lost') broken.push(`the run of ${member.thread} ended with ${endsOf(member).join() || 'nothing'}`);
  for (const [user, seats] of [
    ['streaming', STREAMING],
    ['gone', GONE],
  ] as const) {
    const now = await gateway.admin(`users/${user}`);
    if (now.effective !== seats) broken.push(`${user} has ${seats} clients and ${now.effective} effective seats`);
  }
  const { findings, faults } = await crowd.conclude({ cut: true });
  await Promise.all(fresh.map((wire) => wire[Symbol.asyncDispose]()));
  return {
    clients: STREAMING + GONE,
    broken: [...broken, ...faults],
    lossless: losslessOf(findings),
    boundMs: SEATS_WITHIN_MS,
    seatReleasedMs: Math.round(seatsMs),
    notes: [
      `listening ${Math.round(listeningAt - killedAt)} ms after the kill`,
      `every reader had the run's one end ${Math.round(endedMs)} ms later`,
      `${findings.unlogged.length} events were attempted and cut off with the process`,
    ],
  };
}

const LOCK_HELD_MS = 3_000;
const LOOKED_AT_MS = 40_000;
const SENDERS = 5;

/** Another process holds the store's write lock. Resolves when it has it; then to when it let go. */
async function holdLock(file: string, ms: number): Promise<{ readonly released: Promise<number> }> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', new URL('./lock-process.ts', import.meta.url).pathname, file, String(ms)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit').then(() => performance.now());
  await Promise.race([
    once(createInterface(child.stdout), 'line'),
    ended.then(() => Promise.reject(new Error('Expected a process that holds the lock, it ended.'))),
  ]);
  return { released: ended };
}

async function hangs({ times, folder }: { readonly times: Times; readonly folder: string }): Promise<Found> {
  await using gateway = await FaultGateway.start({ folder, timing: times.divisor === 10 ? 'fast' : 'default', store: 'file' });
  await using crowd = new Crowd(gateway);
  const streaming = await crowd.seat('streaming', STREAMING);
  const senders = await crowd.seat('senders', SENDERS);
  await crowd.talk(streaming, PER_SECOND);
  await delay(scaled(times, WARM_MS));
  const watcher = new Watcher(gateway);
  const injectedAt = performance.now();
  const lock = await holdLock(join(folder, 'store.sqlite'), LOCK_HELD_MS);
  for (const { recorder } of senders) recorder.send(asking({ count: 5 }));
  const mark = (): number => Math.max(...streaming.map(({ lines }) => lines.filter((line) => line.is === 'applied').length));
  await delay(LOCK_HELD_MS / 3);
  const before = mark();
  await delay(LOCK_HELD_MS / 3);
  const unproved = mark() === before ? null : `${mark() - before} events were logged while the lock was held`;
  await lock.released;
  await until('an answer to what was sent meanwhile', () => senders.every((member) => endsOf(member).length === 1), BACK_WITHIN_MS);
  await delay(scaled(times, LOOKED_AT_MS));
  await watcher[Symbol.asyncDispose]();
  const accused = [...watcher.accused].map(([manager, what]) => `${manager} works, and the gateway said ${what}`);
  const closes = crowd.closesSince(injectedAt).map((what) => `a client that works lost its transport: ${what}`);
  const { findings, faults } = await crowd.conclude();
  return {
    clients: STREAMING + SENDERS,
    broken: [...accused, ...closes, ...faults],
    unproved,
    falselyClosed: accused.length,
    lossless: losslessOf(findings),
    notes: [`write lock held for ${LOCK_HELD_MS / 1_000} s; ${SENDERS} messages sent meanwhile, each stored and answered once`],
  };
}

const f13d: GatewayRow = {
  phase: 'gateway',
  key: 'F13d',
  field: 'the gateway dies in mid-run',
  by: 'SIGKILL, and a new process on its store file',
  expect: { is: 'own', promise: 'seats within 6.5 s; each run ends with exactly one terminal event' },
  needs: [],
  fast: true,
  run: (o) => told(f13d, () => dies(o)),
};

const f13f: GatewayRow = {
  phase: 'gateway',
  key: 'F13f',
  field: 'the store hangs',
  by: 'another process holds the write lock of the store file for 3 s',
  expect: { is: 'left-alone' },
  needs: [],
  fast: false,
  run: (o) => told(f13f, () => hangs(o)),
};

export const DEATHS: readonly GatewayRow[] = [f13d, f13f];
