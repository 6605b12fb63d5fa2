import cluster, { type Worker } from 'node:cluster';
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { ServerOptions } from '../core/options.ts';
import { spellRandom } from '../protocol/ids.ts';
import { createLog } from '../telemetry/log.ts';
import { parseListen } from './listen-address.ts';
import { logFormatOf } from './log-format.ts';
import { stopAsked } from './stop.ts';

/** A worker that ended this soon after its start will most likely do so again. */
const SOON_MS = 5_000;
/** So many such ends in a row, and this process ends too: whoever watches it has better means. */
const SOON_MOST = 5;
const AGAIN_AFTER_MS = 500;

interface Slot {
  readonly number: number;
  worker: Worker;
  startedAt: number;
  isReady: boolean;
  endedSoon: number;
}

/** Runs `workers` gateways on one port, each a process and a node of its own, `NAME-1`, `NAME-2` and so on. One that ends is started again
 *  under its name. Operators' ports begin at `admin.listen`, one a worker. Resolves to the exit status when all have ended, after a signal
 *  or because they cannot start. */
export function runWorkers(options: ServerOptions, args: readonly string[]): Promise<number> {
  const { workers, node } = options;
  const log = createLog({ level: options.logging.level, ...logFormatOf(options.logging.format, process.env) });
  const name =
    node ??
    `${hostname()
      .replace(/[^A-Za-z0-9_.-]/g, '-')
      .slice(0, 40)}-${spellRandom(randomBytes(4), 4)}`;
  const slots: Slot[] = [];
  let stopping: string | null = null;
  let status = 0;

  return new Promise((resolve) => {
    const start = (number: number): Worker => {
      cluster.setupPrimary({ args: [...args, '--node', `${name}-${number}`, '--workers', '1', '--admin.listen', adminListenOf(options, number)] });
      const worker = cluster.fork();
      worker.once('listening', () => {
        const slot = slots.find((one) => one.worker === worker);
        if (slot !== undefined) slot.isReady = true;
      });
      worker.once('exit', (code, signal) => ended(worker, code, signal));
      return worker;
    };
    const ended = (worker: Worker, code: number | null, signal: string | null): void => {
      const slot = slots.find((one) => one.worker === worker);
      if (slot === undefined) return;
      if (stopping !== null) {
        if (code !== 0) status = code ?? 1;
        if (slots.every((one) => one.worker.isDead())) finish();
        return;
      }
      // What is wrong with options or ports is wrong for every worker, and said already.
      if (!slot.isReady && (code === 1 || code === 2)) {
        giveUp(code);
        return;
      }
      slot.endedSoon = Date.now() - slot.startedAt < SOON_MS ? slot.endedSoon + 1 : 0;
      const how = signal === null ? `with ${code}` : `by ${signal}`;
      log.record({
        severity: 'ERROR',
        event: 'worker-ended',
        message: `worker ${name}-${slot.number} ended ${how}; it is started again`,
        node: `${name}-${slot.number}`,
      });
      if (slot.endedSoon >= SOON_MOST) {
        giveUp(1);
        return;
      }
      setTimeout(() => {
        if (stopping !== null) return;
        slot.worker = start(slot.number);
        slot.startedAt = Date.now();
        slot.isReady = false;
      }, AGAIN_AFTER_MS);
    };
    const giveUp = (code: number): void => {
      status = code;
      stop('SIGTERM');
      if (slots.every((one) => one.worker.isDead())) finish();
    };
    const stop = (signal: NodeJS.Signals): void => {
      if (stopping !== null) return;
      stopping = signal;
      for (const { worker } of slots) if (!worker.isDead()) worker.process.kill('SIGTERM');
    };
    const finish = (): void => {
      log.close();
      resolve(status);
    };
    for (let number = 1; number <= workers; number++) slots.push({ number, worker: start(number), startedAt: Date.now(), isReady: false, endedSoon: 0 });
    void stopAsked().then((signal) => {
      stop(signal);
      if (slots.every((one) => one.worker.isDead())) finish();
    });
    // A second signal ends this process at once, and nobody may be left behind.
    process.once('exit', () => {
      for (const { worker } of slots) if (!worker.isDead()) worker.process.kill('SIGKILL');
    });
  });
}

/** The first worker has `admin.listen`, the next ones the ports after it. Port 0: any. */
export function adminListenOf({ admin }: Pick<ServerOptions, 'admin'>, number: number): string {
  const address = parseListen(admin.listen);
  if (address === null || address.port === 0) return admin.listen;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `${host}:${address.port + number - 1}`;
}
