import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { seeded } from '../../support/lab/seeded.ts';
import { until } from '../../support/peers/kernel.ts';
import { pingAnsweringProxy } from '../../support/peers/ping-answering-proxy.ts';
import { tcpRelay } from '../../support/peers/tcp-relay.ts';
import { killedAtExit } from '../killed-at-exit.ts';
import type { ClientConfig, ClientSaid, Server } from './messages.ts';

/** One client of another server, which works until it breaks. */
export interface PeerClient extends AsyncDisposable {
  /** Numbers that its application got, over all its lives. */
  readonly got: ReadonlySet<number>;
  breaks(): Promise<void>;
  heals(): Promise<void>;
}

export type PeerKey = 'F01' | 'F02' | 'F03p' | 'F05a' | 'F06a' | 'F10' | 'F12p';

const CONNECTED_WITHIN_MS = 30_000;

/** A client with this fault in it. `port` is its server's. */
export async function peerClient(server: Server, key: PeerKey, user: string, port: number, divisor: number, seed: number): Promise<PeerClient> {
  const cleanUp = new AsyncDisposableStack();
  const got = new Set<number>();
  let url = `http://127.0.0.1:${port}`;
  const relay = key === 'F03p' || key === 'F12p' ? cleanUp.use(await tcpRelay(port)) : null;
  if (relay !== null) url = `http://127.0.0.1:${relay.port}`;
  if (key === 'F05a') {
    const path = server === 'ws' ? `?user=${user}` : 'socket.io/?EIO=4&transport=websocket';
    const proxy = cleanUp.use(await pingAnsweringProxy(`ws://127.0.0.1:${port}/${path}`));
    url = `http://127.0.0.1:${proxy.port}`;
  }
  const config: ClientConfig = { server, url, user, divisor, isPage: key === 'F06a' };
  let life: ChildProcess = start(config, got);
  cleanUp.defer(async () => {
    life.kill('SIGCONT');
    await kill(life);
  });
  await connected(life);
  return {
    got,
    async breaks() {
      if (key === 'F01' || key === 'F05a') await kill(life);
      else if (key === 'F02') life.kill('SIGSTOP');
      else if (key === 'F06a') life.send('freeze');
      else if (key === 'F03p') relay?.become({ is: 'swallow' });
      else if (key === 'F12p')
        relay?.become({ is: 'shaky', delayMs: [200 / divisor, 600 / divisor], heldMs: [1_500 / divisor, 6_000 / divisor], random: seeded(seed) });
    },
    async heals() {
      if (key === 'F01' || key === 'F05a') {
        life = start(config, got);
        await connected(life);
      } else if (key === 'F02') life.kill('SIGCONT');
      else if (key === 'F06a') life.send('thaw');
      else relay?.become({ is: 'clear' });
    },
    [Symbol.asyncDispose]: () => cleanUp.disposeAsync(),
  };
}

const CONNECTED = new WeakSet<ChildProcess>();

function start(config: ClientConfig, got: Set<number>): ChildProcess {
  const child = fork(new URL('./client-process.ts', import.meta.url).pathname, [JSON.stringify(config)], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  killedAtExit(child);
  child.on('message', (said: ClientSaid) => {
    if (said.is === 'got') got.add(said.number);
    if (said.is === 'connected') CONNECTED.add(child);
  });
  // It may be killed while something is on its way to it.
  child.on('error', () => {});
  return child;
}

const connected = (child: ChildProcess): Promise<true> => until('a client to be connected', () => CONNECTED.has(child), CONNECTED_WITHIN_MS);

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
