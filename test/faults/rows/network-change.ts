import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { check, faultsOf, joined } from '../../support/lossless/checker.ts';
import { readLog } from '../../support/lossless/logged.ts';
import { asking } from '../../support/lossless/numbered-agent.ts';
import { readLines } from '../../support/lossless/read-lines.ts';
import type { Attempted, Line } from '../../support/lossless/records.ts';
import { until } from '../../support/peers/kernel.ts';
import { FaultGateway } from '../fault-gateway.ts';
import { heldBy } from '../kernel-table.ts';
import { GATEWAY_ADDRESS } from '../makers/net-enter.ts';
import { freshAddress, type Namespace, namespace, startInside, stopped } from '../makers/net-lab.ts';
import type { Dial, Seated } from '../makers/net-wire-process.ts';
import type { GatewayRow, Times } from '../row.ts';
import { RELEASE_MS, scaled } from '../times.ts';
import { Watcher } from '../watcher.ts';
import { losslessOf } from './gateway-crowd.ts';
import { type Found, told } from './gateway-result.ts';

const CLIENTS = 5;
const EVENTS = { count: 400, perSecond: 20, plainEvery: 5 };
/** In the middle of the answer. */
const CHANGES_AFTER_MS = 4_000;
const DONE_WITHIN_MS = 60_000;
const WIRE = new URL('../makers/net-wire-process.ts', import.meta.url).pathname;

/** A phone: one client on the wire, in a network of its own. */
class Phone implements AsyncDisposable {
  readonly user: string;
  readonly file: string;
  readonly #dial: Dial;
  readonly #place: Namespace;
  readonly #child: ReturnType<typeof startInside>;
  readonly #lines: NodeJS.EventEmitter;
  address: string;

  constructor(user: string, dial: Dial, place: Namespace) {
    this.user = user;
    this.file = dial.file;
    this.#dial = dial;
    this.#place = place;
    this.address = place.address;
    this.#child = startInside(place.inside, process.execPath, '--disable-warning=ExperimentalWarning', WIRE);
    this.#lines = createInterface(this.#child.stdout);
  }

  async dial(): Promise<Seated> {
    this.#child.stdin.write(`${JSON.stringify(this.#dial)}\n`);
    const ended = once(this.#child, 'exit').then(([code]) => Promise.reject(new Error(`Expected ${this.user} to be seated, its process ended with ${code}.`)));
    const [line] = (await Promise.race([once(this.#lines, 'line'), ended])) as [string];
    return JSON.parse(line) as Seated;
  }

  /** It has left one network for another. */
  async moves(): Promise<void> {
    const next = freshAddress();
    await this.#place.run('ip', 'address', 'delete', `${this.address}/16`, 'dev', 'eth0');
    await this.#place.run('ip', 'address', 'add', `${next}/16`, 'dev', 'eth0');
    this.address = next;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await stopped(this.#child);
    await this.#place[Symbol.asyncDispose]();
  }
}

/** Moves one phone, and says what was not as promised and how long its old transport lived on. */
async function change(gateway: FaultGateway, phone: Phone, before: Seated): Promise<{ readonly broken: string[]; readonly fencedMs: number }> {
  const old = `${phone.address}:${before.port}`;
  const broken: string[] = [];
  if (!heldBy(gateway.pid, gateway.port).has(old)) broken.push(`${phone.user} had no connection from ${old} before`);
  await phone.moves();
  const after = await phone.dial();
  const seatedAt = performance.now();
  if (after.how !== 'attached' || after.manager !== before.manager)
    broken.push(`${phone.user} came back ${after.how} as ${after.manager}, it was ${before.manager}`);
  await until('the old transport to be gone', () => !heldBy(gateway.pid, gateway.port).has(old), DONE_WITHIN_MS);
  const fencedMs = performance.now() - seatedAt;
  if (fencedMs > RELEASE_MS) broken.push(`${phone.user}: its old transport was there for ${Math.round(fencedMs)} ms after the new one was seated`);
  const { seats, effective, managers } = await gateway.admin(`users/${phone.user}`);
  if (seats !== 1 || effective !== 1 || managers.length !== 1)
    broken.push(`${phone.user} has ${seats} seats, ${effective} effective ones and ${managers.length} managers; one of each was expected`);
  return { broken, fencedMs };
}

async function networkChange({ times, folder }: { readonly times: Times; readonly folder: string }): Promise<Found> {
  await using gateway = await FaultGateway.start({ folder, host: '0.0.0.0', timing: times.divisor === 10 ? 'fast' : 'default' });
  await using cleanUp = new AsyncDisposableStack();
  const url = `ws://${GATEWAY_ADDRESS}:${gateway.port}/v1/ws`;
  const phones: Phone[] = [];
  for (let i = 0; i < CLIENTS; i++) {
    const user = `phone-${i}`;
    const dial = { url, token: await gateway.token(user), thread: `t-${i}`, file: join(folder, `${user}.jsonl`) };
    phones.push(cleanUp.use(new Phone(user, dial, await namespace())));
  }
  const before = await Promise.all(phones.map((phone) => phone.dial()));
  await using watcher = new Watcher(gateway);
  for (const [i, { user }] of phones.entries()) await gateway.ask(user, `t-${i}`, asking(EVENTS));
  await delay(scaled(times, CHANGES_AFTER_MS));
  const moved = await Promise.all(phones.map((phone, i) => change(gateway, phone, before[i] as Seated)));
  const broken = moved.flatMap((one) => one.broken);
  const attempted = (): Attempted[] => [...readLines<Attempted>(gateway.attempted)];
  await until('the end of every answer', () => attempted().length === CLIENTS * EVENTS.count, DONE_WITHIN_MS, 200);
  const findings = await Promise.all(
    phones.map(async ({ user, file }, i) => {
      const thread = `t-${i}`;
      const isOver = async (): Promise<boolean> => {
        const { activeRun } = (await (await gateway.request(user, 'GET', `/v1/threads/${thread}/messages?limit=1`)).json()) as { activeRun: string | null };
        return activeRun === null;
      };
      await until(`the end of ${thread}`, isOver, DONE_WITHIN_MS, 50);
      const logged = await readLog({ url: gateway.url, token: await gateway.token(user), thread });
      const last = logged.at(-1)?.offset;
      await until(`${thread} to be applied`, () => [...readLines<Line>(file)].some((line) => line.is === 'applied' && line.to === last), DONE_WITHIN_MS);
      return check({ user, logged, lines: readLines<Line>(file), attempted: attempted().filter((one) => one.thread === thread) });
    }),
  );
  for (const [i, each] of findings.entries()) broken.push(...faultsOf(each).map((fault) => `phone-${i} ${fault}`));
  broken.push(...[...watcher.accused].map(([manager, what]) => `${manager} works, and the gateway said ${what}`));
  return {
    clients: CLIENTS,
    broken,
    falselyClosed: watcher.accused.size,
    lossless: losslessOf(joined(findings)),
    boundMs: RELEASE_MS,
    notes: [`the old transport was gone at most ${Math.round(Math.max(...moved.map(({ fencedMs }) => fencedMs)))} ms after the new one was seated`],
  };
}

/** F03d. */
export const NETWORK_CHANGE: GatewayRow = {
  phase: 'gateway',
  key: 'F03d',
  field: 'network change',
  by: 'the client’s address is replaced; it redials at once with its resume token',
  expect: { is: 'own', promise: 'attached to the same manager, no new seat, the old transport fenced at once' },
  needs: ['namespaces'],
  fast: false,
  run: (o) => told({ key: 'F03d' }, () => networkChange(o)),
};
