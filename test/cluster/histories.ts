/** Takes histories of a store that several processes call at the same time, and checks them. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { LogStore, SeatStore } from '../../src/ports/store.ts';
import { seeded } from '../support/lab/seeded.ts';
import { type Call, linearizable, type Verdict } from './linearizable.ts';
import { type LogOp, logModel, playLog } from './log-history.ts';
import { faraway } from './planted-faults.ts';
import { playSeats, type SeatOp, seatModel } from './seat-history.ts';

const PROGRAM = new URL('./history-process.ts', import.meta.url).pathname;
const WITHIN_MS = 120_000;

export const checkedSeats = (history: readonly Call<SeatOp>[]): Verdict<SeatOp> => linearizable(history, seatModel);
export const checkedLog = (history: readonly Call<LogOp>[]): Verdict<LogOp> => linearizable(history, logModel);

export interface Taken {
  readonly seats: readonly Call<SeatOp>[];
  readonly log: readonly Call<LogOp>[];
}

/** Histories by name, of `processes` processes that each make `calls` calls on each name. */
export async function takeHistories(o: {
  readonly build: string;
  readonly url: string;
  readonly processes: number;
  readonly calls: number;
  readonly seed: number;
  readonly names: readonly string[];
  /** What happens to the store meanwhile. */
  readonly during?: () => Promise<void>;
}): Promise<ReadonlyMap<string, Taken>> {
  type Told = { readonly name: string } & Taken;
  const taking = Promise.all(
    Array.from({ length: o.processes }, async (_, i) => {
      const args = ['--disable-warning=ExperimentalWarning', PROGRAM, o.build, o.url, String(i), String(o.seed), String(o.calls), JSON.stringify(o.names)];
      const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: WITHIN_MS, maxBuffer: 1 << 28 });
      return JSON.parse(stdout) as readonly Told[];
    }),
  );
  const [told] = await Promise.all([taking, o.during?.()]);
  return new Map(
    o.names.map((name) => {
      const own = told.flat().filter((one) => one.name === name);
      return [name, { seats: own.flatMap(({ seats }) => seats), log: own.flatMap(({ log }) => log) }];
    }),
  );
}

/** Several at once in this process, on a store of this process that is far away. */
export async function playSeatsHere(store: SeatStore, seed: number, calls = 60): Promise<readonly Call<SeatOp>[]> {
  const plays = [1, 2, 3, 4].map((n) => {
    const random = seeded(seed * 10 + n);
    return playSeats(faraway(store, random), { user: 'ada', process: n, calls, random });
  });
  return (await Promise.all(plays)).flat();
}

export async function playLogHere(log: LogStore, seed: number, calls = 60): Promise<readonly Call<LogOp>[]> {
  const plays = [1, 2, 3, 4].map((n) => {
    const random = seeded(seed * 10 + n);
    return playLog(faraway(log, random), { user: 'ada', thread: 'talk', process: n, calls, random });
  });
  return (await Promise.all(plays)).flat();
}
