import { join } from 'node:path';
import { nowMs } from '../../support/lab/time.ts';
import { readLines } from '../../support/lossless/read-lines.ts';
import type { Line } from '../../support/lossless/records.ts';
import { until } from '../../support/peers/kernel.ts';
import { Host, type HostedClient } from '../clients/host.ts';
import { heldBy, type Remote } from '../kernel-table.ts';
import type { MakeOptions, Subject, Target } from '../row.ts';
import { scaled } from '../times.ts';
import { GATEWAY_ADDRESS } from './net-enter.ts';
import type { Namespace } from './net-lab.ts';

/** One client and what will happen to its network. */
export interface Setting {
  readonly o: MakeOptions;
  /** Namespaces and programs that end with it, last one first. */
  readonly cleanUp: AsyncDisposableStack;
  /** Where its client dials: `http://…`. */
  readonly url: string;
  /** What makes its process run in a namespace. Default: none. */
  readonly inside?: readonly string[];
  /** Its connections as the gateway's kernel names them. */
  readonly sockets: () => readonly Remote[];
  readonly breaks: () => Promise<unknown>;
  readonly heals: () => Promise<unknown>;
  readonly proof: () => Promise<string | null>;
  /** Its process is killed when the network has failed, and started again when it is back. */
  readonly isKilled?: boolean;
  /** Nothing reaches it any more, so that its own dead-man timer has to fall due. */
  readonly isSilenced?: boolean;
}

/** Of the SDK: a dial begins this long after the last frame at the latest, and it is seated this long after its network is back. */
const REDIALS_WITHIN_MS = 30_000;
const SEATED_WITHIN_MS = 35_000;
/** How much longer is waited for a seat that is late, so that the report can say how late. */
const PATIENT_MS = 60_000;

export const portOf = ({ url }: Target): number => Number(new URL(url).port);

/** Where a client in a namespace finds the gateway. */
export const urlInside = (target: Target): string => `http://${GATEWAY_ADDRESS}:${portOf(target)}`;

/** The connections of a namespace's client. */
export const socketsOf =
  (place: Namespace, target: Target): Setting['sockets'] =>
  () =>
    [...heldBy(target.gatewayPid, portOf(target))].flatMap((key) => {
      const [address = '', port] = key.split(':');
      return address === place.address ? [{ address, port: Number(port) }] : [];
    });

/** Makes something of several parts; those that are there already end if one fails. */
export async function owning<T>(make: (cleanUp: AsyncDisposableStack) => Promise<T>): Promise<T> {
  const cleanUp = new AsyncDisposableStack();
  try {
    return await make(cleanUp);
  } catch (error) {
    await cleanUp.disposeAsync();
    throw error;
  }
}

/** Seats a recording client in this setting. */
export async function seatedIn(setting: Setting): Promise<Subject> {
  const { o, cleanUp, url, inside = [], sockets, isKilled = false, isSilenced = false } = setting;
  const { target, user, thread } = o;
  const { divisor, slackMs } = target.times;
  const file = join(target.folder, `${user}-${thread}.lines`);
  const token = await target.token(user);
  const hosts: Host[] = [];
  const open = async (): Promise<HostedClient> => {
    const host = cleanUp.use(new Host('host-process.ts', inside));
    hosts.push(host);
    return await host.open({ url: `${url.replace('http', 'ws')}/v1/ws`, token, thread, file, divisor });
  };
  let client = await open();
  let brokenAt = Number.POSITIVE_INFINITY;
  let healedAt = Number.POSITIVE_INFINITY;
  let wasAway = false;

  /** How long after this its file first tells of it. */
  const toldAfter = (since: number, what: string, suits: (detail: unknown) => boolean = () => true): number | null => {
    for (const line of readLines<Line>(file)) if (line.is === 'note' && line.what === what && line.at > since && suits(line.detail)) return line.at - since;
    return null;
  };
  const redialMs = (): number | null => toldAfter(brokenAt, 'dial');
  const seatedMs = (): number | null => toldAfter(healedAt, 'state', (detail) => (detail as { readonly name: string }).name === 'live');
  /** Times in which its process did not run are no fault of the client. */
  const stalledMs = (): number => hosts.flatMap(({ stalls }) => stalls).reduce((sum, { from, to }) => sum + (to > brokenAt ? to - from : 0), 0);
  const lateness = (what: string, ms: number | null, withinMs: number): readonly string[] => {
    const boundMs = scaled(target.times, withinMs) + slackMs;
    return ms === null || ms > boundMs + stalledMs()
      ? [`${what} ${ms === null ? 'never' : `after ${seconds(ms)}`}, within ${seconds(boundMs)} was expected`]
      : [];
  };

  return {
    user,
    thread,
    file,
    manager: () => client.manager,
    sockets,
    stalls: () => hosts.flatMap(({ stalls }) => stalls),
    async breaks() {
      brokenAt = nowMs();
      await setting.breaks();
      if (isKilled) await client.host.kill();
    },
    async proof() {
      if (isKilled && !client.host.hasEnded) return 'its process runs';
      return await setting.proof();
    },
    async heals() {
      wasAway = client.state !== 'live';
      healedAt = nowMs();
      await setting.heals();
      if (isKilled) client = await open();
      else await until('a client to come back', () => client.state === 'live', PATIENT_MS).catch(() => {});
    },
    broken() {
      const redials = isSilenced ? lateness('it dialled again', redialMs(), REDIALS_WITHIN_MS) : [];
      const seats = wasAway && !isKilled ? lateness('after its network was back it was seated', seatedMs(), SEATED_WITHIN_MS) : [];
      return Promise.resolve([...redials, ...seats]);
    },
    notes: () => Promise.resolve(isSilenced ? [`own redial after ${seconds(redialMs())}`] : []),
    [Symbol.asyncDispose]: () => cleanUp.disposeAsync(),
  };
}

const seconds = (ms: number | null): string => (ms === null ? 'never' : `${(ms / 1_000).toFixed(1)} s`);
