import type { Home } from '../peers/home.ts';
import { until } from '../peers/kernel.ts';
import { type PingAnsweringProxy, pingAnsweringProxy } from '../peers/ping-answering-proxy.ts';
import { ProvableClient } from '../peers/provable-client.ts';
import type { Lab } from './lab.ts';

/** A manager of a crew that its test watches. */
export interface Member {
  readonly manager: string;
  readonly thread: string;
}
export interface Zombie extends Member {
  readonly proxy: PingAnsweringProxy;
}

/** One user at the limit: clients that work, and clients killed behind a proxy that goes on answering pings (F05a). */
export interface Crew {
  readonly user: string;
  readonly token: string;
  readonly healthy: readonly ProvableClient[];
  readonly zombies: readonly Zombie[];
}

const TOKEN_MS = 48 * 3_600_000;
const PATIENT_MS = 60_000;
/** Answered pings that prove that something below the page is awake. */
const PONGS_PROVE = 2;

/** Seats a crew; nobody is broken yet. `url`: where its clients dial, if not at the gateway itself. */
export async function seatCrew(
  cleanUp: AsyncDisposableStack,
  lab: Lab,
  o: { readonly user: string; readonly healthy: number; readonly zombies: number; readonly url?: string; readonly home?: Home | undefined },
): Promise<Crew> {
  const url = o.url ?? lab.wsUrl;
  const token = await lab.token(o.user, { livesMs: TOKEN_MS });
  const zombies: Zombie[] = [];
  for (let i = 0; i < o.zombies; i++) {
    const proxy = cleanUp.use(await pingAnsweringProxy(url));
    const thread = `${o.user}-zombie-${i}`;
    const client = await (o.home as Home).open(`ws://127.0.0.1:${proxy.port}`, token, thread);
    zombies.push({ manager: client.manager, thread, proxy });
  }
  const healthy = await Promise.all(Array.from({ length: o.healthy }, async (_, i) => await openClient(cleanUp, url, token, `${o.user}-healthy-${i}`)));
  return { user: o.user, token, healthy, zombies };
}

/** A client that works, patient enough to outlast a stall of the gateway. */
export async function openClient(cleanUp: AsyncDisposableStack, url: string, token: string, thread: string): Promise<ProvableClient> {
  const client = await ProvableClient.open(url, { token, thread, label: thread, deadlineMs: PATIENT_MS });
  cleanUp.use(client.wire);
  return client;
}

/** Kills the zombies' process, owes each an event, and waits until the gateway has proof. */
export async function breakZombies(lab: Lab, home: Home, crews: readonly Crew[], withinMs: number): Promise<void> {
  await home.kill();
  for (const { user, zombies } of crews) for (const { thread } of zombies) await lab.publish(user, thread);
  for (const { zombies } of crews)
    for (const { proxy, thread } of zombies)
      await until(`pongs for ${thread}, which is gone`, () => proxy.isClientGone() && proxy.isUpstreamOpen() && proxy.pongsForTheDead() >= PONGS_PROVE);
  await until(
    'a proof of every zombie',
    async () => {
      const { users } = await lab.status(...crews.map((crew) => crew.user));
      return crews.every(({ user, zombies }) => zombies.every(({ manager }) => users[user]?.managers.find((m) => m.id === manager)?.proof === true));
    },
    withinMs,
    50,
  );
}
