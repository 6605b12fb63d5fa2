import { setTimeout as delay } from 'node:timers/promises';
import { check, faultsOf, joined } from '../../support/lossless/checker.ts';
import { readLog } from '../../support/lossless/logged.ts';
import { asking } from '../../support/lossless/numbered-agent.ts';
import { readLines } from '../../support/lossless/read-lines.ts';
import type { Findings, Line } from '../../support/lossless/records.ts';
import { until } from '../../support/peers/kernel.ts';
import { FaultGateway } from '../fault-gateway.ts';
import type { GatewayRow, Times } from '../row.ts';
import { scaled } from '../times.ts';
import { Watcher } from '../watcher.ts';
import { Crowd, losslessOf } from './gateway-crowd.ts';
import { type Found, told } from './gateway-result.ts';
import { Storm, type Wave } from './storm.ts';

const USERS = 25;
const FAST_USERS = 5;
const EACH = 20;
const BYSTANDERS = 20;
const PER_SECOND = 2;
const SEATED_WITHIN_MS = 15_000;
const SETTLED_WITHIN_MS = 30_000;
const WARM_MS = 5_000;
const LOOKED_AT_MS = 20_000;

type After = 'nothing' | 'with-tokens' | 'without-tokens';

async function storms({ times, folder }: { readonly times: Times; readonly folder: string }, after: After): Promise<Found> {
  const isFast = times.divisor === 10;
  await using gateway = await FaultGateway.start({ folder, timing: isFast ? 'fast' : 'default' });
  await using crowd = new Crowd(gateway);
  const bystanders = await crowd.seat('bystander', BYSTANDERS);
  await crowd.talk(bystanders, PER_SECOND);
  await using storm = new Storm(gateway, isFast ? FAST_USERS : USERS);
  const runs: { readonly user: string; readonly run: string }[] = [];
  for (const user of storm.users) runs.push({ user, run: await gateway.ask(user, `${user}-thread`, asking({ perSecond: PER_SECOND, plainEvery: 5 })) });
  const watcher = new Watcher(gateway);
  const startedAt = performance.now();
  // Under `fast` a machine that is busy with a hundred handshakes is as slow as ever.
  const waves = [await storm.wave(SEATED_WITHIN_MS, null)];
  await delay(scaled(times, WARM_MS));
  if (after !== 'nothing') {
    await storm.kill();
    const saved = after === 'with-tokens' ? storm.saved() : null;
    if (after === 'without-tokens') storm.begin('again');
    waves.push(await storm.wave(SEATED_WITHIN_MS, saved));
  }
  await delay(scaled(times, LOOKED_AT_MS));
  await watcher[Symbol.asyncDispose]();

  const last = waves.at(-1) as Wave;
  const broken: string[] = [];
  for (const { seated, queued, later } of waves) {
    if (seated < storm.members.length) broken.push(`${seated} of ${storm.members.length} were seated within ${SEATED_WITHIN_MS / 1_000} s`);
    if (later > 0) broken.push(`${later} were told to come later`);
    if (after === 'with-tokens' && queued > 0) broken.push(`${queued} had to wait for a seat`);
  }
  if (after === 'with-tokens' && last.how.attached !== storm.members.length) broken.push(`not all were attached: ${JSON.stringify(last.how)}`);
  const closed = storm.said.filter(({ is }) => is === 'closed');
  if (closed.length > 0) broken.push(`${closed.length} of those who came were closed: ${JSON.stringify(closed[0])}`);
  for (const user of storm.users) {
    const now = await gateway.admin(`users/${user}`);
    // Without tokens the dead may hold their seats until somebody needs them, as a burst does.
    if (after !== 'without-tokens' && now.seats !== EACH) broken.push(`${user} has ${now.seats} seats`);
    if (now.effective !== EACH) broken.push(`${user} has ${now.effective} effective seats`);
  }
  const living = new Set(crowd.members.map(({ recorder }) => ('manager' in recorder.client.state ? recorder.client.state.manager : '')));
  const accused = [...watcher.accused].filter(([manager]) => living.has(manager)).map(([manager, what]) => `${manager} works, and the gateway said ${what}`);
  const closes = crowd.closesSince(startedAt).map((what) => `a bystander lost its transport: ${what}`);
  for (const { user, run } of runs) await gateway.cancel(user, run);
  const mine = await concludeStorm(gateway, storm);
  const { findings, faults } = await crowd.conclude();
  return {
    clients: storm.members.length + BYSTANDERS,
    broken: [...broken, ...accused, ...closes, ...mine.faults, ...faults],
    falselyClosed: accused.length,
    lossless: losslessOf(joined([findings, mine.findings])),
    boundMs: SEATED_WITHIN_MS,
    notes: waves.map(
      ({ slowestMs, seated, how, queued }) =>
        `${seated} seated, the last after ${slowestMs} ms: ${JSON.stringify(how)}${queued > 0 ? `, ${queued} of them queued first` : ''}`,
    ),
  };
}

/** Every client of the last wave against the log of its user. */
async function concludeStorm(gateway: FaultGateway, storm: Storm): Promise<{ readonly findings: Findings; readonly faults: readonly string[] }> {
  const all: Findings[] = [];
  const faults: string[] = [];
  for (const user of storm.users) {
    const thread = `${user}-thread`;
    const isOver = async (): Promise<boolean> => {
      const response = await gateway.request(user, 'GET', `/v1/threads/${thread}/messages?limit=1`);
      return ((await response.json()) as { readonly activeRun: string | null }).activeRun === null;
    };
    await until(`an end of the run of ${user}`, isOver, SETTLED_WITHIN_MS, 50);
    const logged = await readLog({ url: gateway.url, token: await gateway.token(user), thread });
    const end = logged.at(-1)?.offset ?? 0;
    for (const { name, file } of storm.members.filter((member) => member.user === user)) {
      const lines = (): Line[] => [...readLines<Line>(storm.fileOf(file))];
      const isWhole = (): boolean => lines().some((line) => line.is === 'applied' && line.to >= end);
      await until(`${name} to have everything`, isWhole, SETTLED_WITHIN_MS, 100).catch(() => {});
      const findings = check({ user, logged, lines: lines() });
      all.push(findings);
      for (const fault of faultsOf(findings)) faults.push(`${name} ${fault}`);
    }
  }
  return { findings: joined(all), faults };
}

const row = (key: string, field: string, by: string, promise: string, after: After): GatewayRow => {
  const made: GatewayRow = {
    phase: 'gateway',
    key,
    field,
    by,
    expect: { is: 'own', promise },
    needs: [],
    // The first wave of the others is this one.
    fast: after !== 'nothing',
    run: (o) => told(made, () => storms(o, after)),
  };
  return made;
};

export const STORMS: readonly GatewayRow[] = [
  row('F14a', 'a storm', '25 users × 20 clients dial in one tick, from 50 addresses', 'all seated within 15 s, 20 bystanders left alone', 'nothing'),
  row('F14b', 'a mass return', 'the 500 get SIGKILL and are back at once, with resume tokens', 'attached, and seats stay 500', 'with-tokens'),
  row(
    'F14c',
    'a mass return of strangers',
    'the 500 get SIGKILL and are back at once, without resume tokens',
    'the dead give way, nobody is told "later"',
    'without-tokens',
  ),
];
