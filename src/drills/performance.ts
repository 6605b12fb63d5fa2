import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type DrillNews, type DrillOrder, END } from './order.ts';

const DRILL_PROCESS = fileURLToPath(new URL(`./drill-process${extname(import.meta.url)}`, import.meta.url));
/** How long the drill's own process may take to end the others. */
const END_WITHIN_MS = 3_000;

/** A drill that is being performed, in a process of its own: whatever it does, it takes no time of the gateway's. */
export interface Performance {
  /** Resolves when none of its processes is left: null, or why it could not come to its end. */
  readonly over: Promise<string | null>;
  /** Ends all its processes. */
  end(): void;
}

/** Starts it. */
export function perform(order: Omit<DrillOrder, 'folder'>, hear: (news: DrillNews) => void): Performance {
  const folder = mkdtempSync(join(tmpdir(), 'spillway-drill-'));
  // Nothing is inherited but what must be: no output, no environment that configures a gateway.
  const child = fork(DRILL_PROCESS, [], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], execArgv: [], env: plainEnvironment() });
  const alive = new Set<number>();
  let failure: string | null = 'its process ended without a word';
  let timer: NodeJS.Timeout | undefined;
  child.on('message', (message) => {
    const news = message as DrillNews;
    if ('born' in news) alive.add(news.born);
    else if ('died' in news) alive.delete(news.died);
    else if ('over' in news) failure = news.failure;
    else hear(news);
  });
  const over = new Promise<string | null>((resolve) => {
    const ended = (): void => {
      clearTimeout(timer);
      // Whatever it left behind: a stopped process does not notice that its parent is gone.
      for (const pid of alive) kill(pid);
      // The drill's own process has done so, unless it was killed.
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
      resolve(failure);
    };
    child.once('exit', ended);
    child.once('error', (error) => {
      failure = error.message;
      if (child.pid === undefined) ended();
    });
  });
  send(child, { ...order, folder });
  return {
    over,
    end() {
      send(child, END);
      timer ??= setTimeout(() => child.kill('SIGKILL'), END_WITHIN_MS);
    },
  };
}

/** It may be gone already; that is what its exit says. */
function send(child: ChildProcess, message: DrillOrder | typeof END): void {
  if (child.connected) child.send(message, () => {});
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It had ended.
  }
}

const plainEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(SPILLWAY_|NODE_OPTIONS$|PORT$|OTEL_|K_SERVICE$)/.test(name)));
