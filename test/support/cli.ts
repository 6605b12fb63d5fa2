import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The built program. */
export const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface CliOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Default: the Node that runs the tests. */
  readonly node?: string;
}
export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder of its own, removed at the end. */
export function temporaryFolder(): { readonly path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), 'spillway-cli-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Below those that the system gives to whoever dials or listens anywhere: whoever is about to listen finds its port free, also when it is
 *  started again, and nobody who dials it meanwhile is connected to itself. */
const PORTS = { from: 20_000, count: 12_000 } as const;
const given = new Set<number>();

/** A port that is free now, and never the same one twice: what it was meant for may listen later. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.from + Math.floor(Math.random() * PORTS.count);
    if (given.has(port)) continue;
    given.add(port);
    try {
      await using taken = await takePort(port);
      return taken.port;
    } catch {
      // Somebody has it: another one.
    }
  }
}

/** A port with a listener of ours on it, which says nothing. */
export async function takePort(port = 0): Promise<{ readonly port: number; [Symbol.asyncDispose](): Promise<void> }> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** Runs `spillway` to its end. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<Finished> {
  await using running = startCli(args, options);
  return await running.finished;
}

/** A `spillway` that runs until it ends by itself or is disposed of. */
export interface RunningCli extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves with the first match in what was printed. Rejects with everything printed if it ends first, or after `withinMs`. */
  until(pattern: RegExp, withinMs?: number): Promise<RegExpMatchArray>;
}

export function startCli(args: readonly string[], { cwd, env, node = process.execPath }: CliOptions = {}): RunningCli {
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SPILLWAY_') && name !== 'PORT'));
  const child = spawn(node, [MAIN, ...args], { cwd, env: { ...clean, NO_COLOR: '1', ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const finished = new Promise<Finished>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return {
    child,
    finished,
    stdout: () => stdout,
    stderr: () => stderr,
    until(pattern, withinMs = 20_000) {
      return new Promise((resolve, reject) => {
        const fail = (why: string) =>
          reject(new Error(`${why} (status ${child.exitCode}, signal ${child.signalCode}) before ${pattern} was printed.\n${stdout}\n${stderr}`));
        const timer = setTimeout(fail, withinMs, `${withinMs} ms were over`);
        const look = () => {
          const match = pattern.exec(stdout) ?? pattern.exec(stderr);
          if (match === null) return;
          clearTimeout(timer);
          resolve(match);
        };
        child.stdout.on('data', look);
        child.stderr.on('data', look);
        child.once('close', () => {
          clearTimeout(timer);
          fail('It ended');
        });
        look();
      });
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await finished.catch(() => {});
    },
  };
}
