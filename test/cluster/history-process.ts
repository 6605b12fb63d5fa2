// One of several processes that call one store at the same time, and writes down what it asked, when, and what it was answered.
//   node history-process.ts BUILD STORE_URL PROCESS SEED CALLS NAMES_JSON   (prints its history as one JSON line)
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Store } from '../../src/ports/store.ts';
import { seeded } from '../support/lab/seeded.ts';
import { playLog } from './log-history.ts';
import { playSeats } from './seat-history.ts';

const TRIES = 20;
const AGAIN_AFTER_MS = 200;

const [build = '', url = '', ...rest] = process.argv.slice(2);
const [number = 0, seed = 0, calls = 0] = rest.slice(0, 3).map(Number);
const names = JSON.parse(rest[3] ?? '[]') as readonly string[];
const { redisStore } = (await import(join(build, 'dist/stores/redis/store.js'))) as typeof import('../../src/stores/redis/store.ts');

/** The store may be down just when it is to be opened. */
async function opened(): Promise<Store> {
  for (let left = TRIES; ; left--) {
    try {
      // Long enough that a busy machine leaves no call unanswered.
      return await redisStore({ url, deadlineMs: 5_000 });
    } catch (error) {
      if (left === 0) throw error;
      await delay(AGAIN_AFTER_MS);
    }
  }
}

await using store = await opened();
const random = seeded(seed * 1_000 + number);
// All at once: each name has histories of its own.
const histories = await Promise.all(
  names.map(async (name) => {
    const [seats, log] = await Promise.all([
      playSeats(store.seats, { user: name, process: number, calls, random }),
      playLog(store.log, { user: name, thread: 'talk', process: number, calls, random }),
    ]);
    return { name, seats, log };
  }),
);
process.stdout.write(`${JSON.stringify(histories)}\n`);
