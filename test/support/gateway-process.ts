import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A gateway in a process of its own, over a store file. Users are named by their bearer. */
export interface GatewayProcess extends AsyncDisposable {
  readonly pid: number;
  readonly url: string;
  readonly wsUrl: string;
  /** Sends a signal and resolves at the process's end: its exit code, or null for one that a signal ended. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null>;
}

const CHILD = new URL('./gateway-child.ts', import.meta.url).pathname;

export async function startGatewayProcess(file: string, key = 'a signing key of the tests, 32 b.'): Promise<GatewayProcess> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', CHILD, file, key], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  const first = await Promise.race([
    once(createInterface(child.stdout), 'line'),
    ended.then((code) => Promise.reject(new Error(`Expected a gateway, its process ended with ${code}.`))),
  ]);
  const { port } = JSON.parse(first[0] as string) as { port: number };
  return {
    pid: child.pid as number,
    url: `http://127.0.0.1:${port}`,
    wsUrl: `ws://127.0.0.1:${port}/v1/ws`,
    async end(signal) {
      child.kill(signal);
      return await ended;
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
