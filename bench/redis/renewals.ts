import type { UserId } from '../../src/protocol/ids.ts';
import { Connection } from '../../src/stores/redis/connection.ts';
import { redisStore } from '../../src/stores/redis/store.ts';
import { median } from '../statistics.ts';
import { digestOf, LIMITS, life, requestOf } from './people.ts';
import type { RenewalFigures } from './rows.ts';
import { benchServer, count } from './server.ts';

const MANAGERS = 10_000;
const ROUNDS = 7;
const AT_ONCE = 200;
const NODE = 'gw-1';
const DEADLINE_MS = 5_000;

/** What it costs to keep the seats of 10,000 managers, as a node does every 10 s: each of another user, and 20 of each user. */
export async function renewals(): Promise<readonly RenewalFigures[]> {
  return [await renewalOf(MANAGERS), await renewalOf(MANAGERS / LIMITS.soft)];
}

async function renewalOf(users: number): Promise<RenewalFigures> {
  await using server = await benchServer();
  await using store = await redisStore({ url: server.url, deadlineMs: DEADLINE_MS });
  await using other = new Connection({ url: server.url, deadlineMs: DEADLINE_MS });
  await other.open();
  const held = Array.from({ length: MANAGERS }, (_, i) => ({ user: `u${i % users}` as UserId, name: `mgr_${String(i).padStart(20, '0')}` }));
  const batch: { user: UserId; digest: ReturnType<typeof digestOf> }[] = [];
  for (let i = 0; i < held.length; i += AT_ONCE) {
    const answers = await Promise.all(
      held.slice(i, i + AT_ONCE).map(async ({ user, name }) => ({ user, name, answer: await store.seats.admit(requestOf(user, name, NODE)) })),
    );
    for (const { user, name, answer } of answers) if (answer.is === 'ok') batch.push({ user, digest: digestOf(name, answer.token, NODE) });
  }
  const rounds: RenewalFigures[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const [before, own, started] = [count(server), process.cpuUsage(), performance.now()];
    let isOver = false;
    const pings = pingWhile(other, () => !isOver);
    const answers = await store.seats.renew(life(NODE).node, batch, LIMITS.ttlMs);
    const ms = performance.now() - started;
    const { user, system } = process.cpuUsage(own);
    isOver = true;
    const pingMaxMs = await pings;
    const refused = answers.filter((answer) => answer.is !== 'OK').length;
    if (refused > 0 || answers.length !== MANAGERS) throw new Error(`Expected ${MANAGERS} seats to be kept, but ${refused} of ${answers.length} were not.`);
    rounds.push({ managers: MANAGERS, users, ms, redisCpuMs: count(server).cpuMs - before.cpuMs, nodeCpuMs: (user + system) / 1_000, pingMaxMs });
  }
  const middle = (part: 'ms' | 'redisCpuMs' | 'nodeCpuMs' | 'pingMaxMs') => median(rounds.map((round) => round[part]));
  return { managers: MANAGERS, users, ms: middle('ms'), redisCpuMs: middle('redisCpuMs'), nodeCpuMs: middle('nodeCpuMs'), pingMaxMs: middle('pingMaxMs') };
}

/** The longest that somebody else waited. */
async function pingWhile(connection: Connection, goesOn: () => boolean): Promise<number> {
  let longest = 0;
  while (goesOn()) {
    const started = performance.now();
    await connection.command('PING', [], DEADLINE_MS);
    longest = Math.max(longest, performance.now() - started);
  }
  return longest;
}
