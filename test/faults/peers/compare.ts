import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { nowMs } from '../../support/lab/time.ts';
import { HEALED_MS, HEARTBEAT_MS, scaled, timesOf, WINDOW_MS } from '../times.ts';
import type { Server, ServerSaid } from './messages.ts';
import { type PeerClient, type PeerKey, peerClient } from './peer-client.ts';

/** What one fault showed against another server. */
export interface PeerResult {
  readonly server: Server;
  readonly key: PeerKey;
  readonly expect: 'noticed' | 'left-alone';
  readonly clients: number;
  /** From the fault to the end of the broken connection at the server, the latest; null: one of them never, within the window. */
  readonly noticedMs: number | null;
  /** Clients whose connection ended at the server within the window. */
  readonly dropped: number;
  /** Events published between the first and the last that the client got, and never got by it. */
  readonly lost: number;
}

interface PeerOptions {
  readonly timing: 'default' | 'fast';
  readonly repeat: number;
  readonly say: (text: string) => void;
}

const SERVERS: readonly Server[] = ['ws', 'socket.io'];
const KEYS: Readonly<Record<PeerKey, PeerResult['expect']>> = {
  F01: 'noticed',
  F02: 'noticed',
  F03p: 'noticed',
  F05a: 'noticed',
  F06a: 'noticed',
  F10: 'left-alone',
  F12p: 'left-alone',
};
const CLIENTS = 3;
const WARM_MS = 5_000;

/** The same faults against bare `ws` and Socket.IO, all at once. Fails if bare `ws` does not show what it must: without application
 *  acknowledgements frozen pages are never found and events are lost, while nobody alive is dropped. */
export async function runPeers({ timing, repeat, say }: PeerOptions): Promise<{ readonly failed: boolean; readonly results: readonly PeerResult[] }> {
  const results: PeerResult[] = [];
  for (let i = 0; i < repeat; i++) results.push(...(await Promise.all(SERVERS.map((server) => against(server, timing)))).flat());
  for (const { server, key, noticedMs, dropped, clients, lost, expect } of results)
    say(
      `${server.padEnd(9)} ${key.padEnd(4)} ${expect === 'noticed' ? (noticedMs === null ? 'never' : `${(noticedMs / 1_000).toFixed(1)} s`) : `${dropped} of ${clients} dropped`}, ${lost} lost`,
    );
  const bare = results.filter(({ server }) => server === 'ws');
  const wrong = [
    ...bare.filter(({ key, noticedMs }) => (key === 'F05a' || key === 'F06a') && noticedMs !== null).map(({ key }) => `bare ws found ${key}`),
    ...bare.filter(({ expect, dropped }) => expect === 'left-alone' && dropped > 0).map(({ key }) => `bare ws dropped a living client in ${key}`),
    ...(bare.some(({ lost }) => lost > 0) ? [] : ['bare ws lost nothing']),
  ];
  for (const text of wrong) say(`FAILED  negative control: ${text}`);
  return { failed: wrong.length > 0, results };
}

async function against(server: Server, timing: 'default' | 'fast'): Promise<readonly PeerResult[]> {
  const times = timesOf(timing);
  await using cleanUp = new AsyncDisposableStack();
  const child = fork(new URL('./server-process.ts', import.meta.url).pathname, [server, String(times.divisor)], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  cleanUp.defer(() => end(child));
  const said: ServerSaid[] = [];
  const [listening] = (await once(child, 'message')) as [Extract<ServerSaid, { is: 'listening' }>];
  child.on('message', (one: ServerSaid) => said.push(one));

  const clients: { readonly key: PeerKey; readonly user: string; readonly client: PeerClient }[] = [];
  for (const key of Object.keys(KEYS) as PeerKey[])
    await Promise.all(
      Array.from({ length: timing === 'fast' ? 1 : CLIENTS }, async (_, i) => {
        const user = `${key}-${i}`;
        clients.push({ key, user, client: cleanUp.use(await peerClient(server, key, user, listening.port, times.divisor, i + 1)) });
      }),
    );
  await delay(scaled(times, WARM_MS));
  const seen = await Promise.all(
    clients.map(async ({ key, user, client }, i) => {
      await delay((i / clients.length) * scaled(times, HEARTBEAT_MS));
      const before = said.findLast((one) => one.is === 'came' && one.user === user);
      const socket = before !== undefined && 'socket' in before ? before.socket : 0;
      const brokenAt = nowMs();
      await client.breaks();
      await delay(scaled(times, WINDOW_MS));
      const gone = said.find((one) => one.is === 'gone' && one.user === user && one.socket === socket);
      await client.heals();
      await delay(scaled(times, HEALED_MS));
      return { key, user, goneMs: gone !== undefined && 'at' in gone ? gone.at - brokenAt : null };
    }),
  );
  return (Object.keys(KEYS) as PeerKey[]).map((key): PeerResult => {
    const own = seen.filter((one) => one.key === key);
    const gone = own.flatMap(({ goneMs }) => goneMs ?? []);
    return {
      server,
      key,
      expect: KEYS[key],
      clients: own.length,
      noticedMs: gone.length === own.length ? Math.round(Math.max(...gone)) : null,
      dropped: gone.length,
      lost: clients.filter((one) => one.key === key).reduce((sum, { client }) => sum + missing(client.got), 0),
    };
  });
}

/** Numbers between the first and the last that never came. */
function missing(got: ReadonlySet<number>): number {
  if (got.size === 0) return 0;
  return Math.max(...got) - Math.min(...got) + 1 - got.size;
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
