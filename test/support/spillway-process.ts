/** `spillway dev` as its users run it: a process of its own, which can be killed. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const START_WITHIN_MS = 20_000;

export interface SpillwayProcess extends AsyncDisposable {
  readonly port: number;
  /** Ends it without a word, like a power cut. */
  kill(): Promise<void>;
}

export interface ProcessOptions {
  /** Folder of the store, the keys and the demo accounts. */
  readonly data: string;
  /** 0 or left out: any free port. */
  readonly port?: number;
  /** `SPILLWAY_…` settings. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a gateway and resolves when it is ready. */
export async function startSpillway({ data, port = 0, env = {} }: ProcessOptions): Promise<SpillwayProcess> {
  const child = spawn(process.execPath, [MAIN, 'dev', '--no-open', '--port', String(port), '--data', data], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', CI: '1', ...env },
  });
  const heard = await bannerOf(child);
  const actual = /ws:\/\/127\.0\.0\.1:(\d+)\//.exec(heard)?.[1];
  if (actual === undefined) throw new Error(`Expected an address in the banner, got:\n${heard}`);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  };
  return { port: Number(actual), kill: () => end('SIGKILL'), [Symbol.asyncDispose]: () => end('SIGKILL') };
}

function bannerOf(child: ChildProcess): Promise<string> {
  let heard = '';
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      child.kill('SIGKILL');
      reject(new Error(`${why} It said:\n${heard}`));
    };
    const timer = setTimeout(() => fail(`Expected spillway to be ready within ${START_WITHIN_MS} ms.`), START_WITHIN_MS);
    const listen = (chunk: Buffer): void => {
      heard += chunk.toString();
      if (!/ws:\/\/127\.0\.0\.1:\d+\//.test(heard)) return;
      clearTimeout(timer);
      resolve(heard);
    };
    child.stdout?.on('data', listen);
    child.stderr?.on('data', (chunk: Buffer) => {
      heard += chunk.toString();
    });
    child.once('exit', (code) => {
      clearTimeout(timer);
      fail(`Expected spillway to run, but it ended with ${code}.`);
    });
  });
}
