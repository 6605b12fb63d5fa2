/** A gateway as `spillway dev` runs it, a thousand connections from another process, and the dashboard in a browser. */

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type AdminClient, createAdminClient } from '../../src/admin/client.ts';
import { ADMIN_KEY } from '../support/admin.ts';
import { startCli, temporaryFolder } from '../support/cli.ts';
import { tokenFor } from '../support/gateway.ts';
import { CROWD_DEAD, CROWD_SECRET } from '../support/peers/crowd.ts';
import { until } from '../support/peers/kernel.ts';
import type { CrowdAnswers, CrowdQuestion } from './dashboard-crowd-clients.ts';

const CLIENTS = fileURLToPath(new URL('./dashboard-crowd-clients.ts', import.meta.url));
const FOUND_WITHIN_MS = 60_000;
const HOUR_MS = 3_600_000;

export interface CrowdScene extends AsyncDisposable {
  readonly admin: AdminClient;
  /** `http://127.0.0.1:…` of the operators' port. */
  readonly url: string;
  /** Of people's clients. */
  readonly port: number;
  /** Asks the clients. */
  clients<K extends keyof CrowdAnswers>(ask: K, more?: Omit<CrowdQuestion, 'id' | 'ask'>): Promise<CrowdAnswers[K]>;
}

/** Resolves when all are seated and the dead among them are found. */
export async function startCrowd(): Promise<CrowdScene> {
  const cleanUp = new AsyncDisposableStack();
  try {
    const folder = cleanUp.use(temporaryFolder());
    const options = ['--timing', 'fast', '--cleanup.proactive', 'false', '--rate.upgrades-per10s', '5000', '--golden-path.every-ms', '10s'];
    const listeners = ['--port', '0', '--admin.listen', '127.0.0.1:0', '--store', 'memory', '--data', folder.path, '--auth.mode', 'jwt'];
    const dev = cleanUp.use(
      startCli(['dev', '--no-open', ...listeners, ...options, '--logging.format', 'json', '--logging.level', 'error'], {
        cwd: folder.path,
        env: {
          SPILLWAY_ADMIN_TOKEN: ADMIN_KEY,
          SPILLWAY_AUTH_JWT_SECRET: CROWD_SECRET,
          SPILLWAY_GOLDEN_PATH_TOKEN: await tokenFor('golden-path', { livesMs: HOUR_MS, secret: new TextEncoder().encode(CROWD_SECRET) }),
        },
      }),
    );
    const [, port = '', url = ''] = await dev.until(/ws:\/\/127\.0\.0\.1:(\d+)\/v1\/ws[\s\S]*Admin +(http:\S+)\/admin\/api\/v1/, FOUND_WITHIN_MS);
    const admin = createAdminClient({ url, key: ADMIN_KEY });
    const child = fork(CLIENTS, [`ws://127.0.0.1:${port}/v1/ws`], { execArgv: ['--disable-warning=ExperimentalWarning'] });
    cleanUp.defer(() => void child.kill('SIGKILL'));
    const clients = asking(child);
    await clients.ready;
    await until(`${CROWD_DEAD} to be found dead`, async () => (await admin.status()).managersByVerdict.zombie >= CROWD_DEAD, FOUND_WITHIN_MS, 500);
    return { admin, url, port: Number(port), clients: clients.ask, [Symbol.asyncDispose]: () => cleanUp.disposeAsync() };
  } catch (error) {
    await cleanUp.disposeAsync();
    throw error;
  }
}

function asking(child: ChildProcess): { readonly ready: Promise<void>; readonly ask: CrowdScene['clients'] } {
  const waiting = new Map<number, (value: unknown) => void>();
  const ended = new Promise<never>((_, reject) => {
    child.once('exit', (code) => reject(new Error(`Expected the crowd to stay, its process ended with ${code}.`)));
  });
  ended.catch(() => {});
  child.on('message', ({ id, value }: { id: number; value: unknown }) => {
    waiting.get(id)?.(value);
    waiting.delete(id);
  });
  const answerTo = <T>(id: number): Promise<T> => {
    const answer = new Promise<T>((resolve) => waiting.set(id, resolve as (value: unknown) => void));
    return Promise.race([answer, ended]);
  };
  let questions = 0;
  return {
    ready: answerTo<void>(0),
    ask: (wanted, more = {}) => {
      const id = ++questions;
      child.send({ id, ask: wanted, ...more });
      return answerTo(id);
    },
  };
}
