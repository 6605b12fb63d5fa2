import type { ManagerId, UserId } from '../../src/protocol/ids.ts';
import { Connection } from '../../src/stores/redis/connection.ts';
import { redisStore } from '../../src/stores/redis/store.ts';
import { digestOf, LIMITS, life, requestOf, Writer } from './people.ts';
import { type CallFigures, quantile } from './rows.ts';
import { benchServer, count } from './server.ts';

const WARM = 300;
const CALLS = 3_000;
const NODE = 'gw-1';
const USER = 'ada';
const DEADLINE_MS = 5_000;

/** How long each kind of call takes, one after the other over one connection, beside a PING that does nothing. The user holds 20 seats,
 *  as many as it may. */
export async function scripts(): Promise<readonly CallFigures[]> {
  await using server = await benchServer();
  await using store = await redisStore({ url: server.url, deadlineMs: DEADLINE_MS });
  await using connection = new Connection({ url: server.url, deadlineMs: DEADLINE_MS });
  await connection.open();
  const { seats, cluster } = store;
  if (cluster === null) throw new Error('Expected a store that processes share.');
  const user = USER as UserId;
  const tokens = new Map<string, number>();
  const seat = async (name: string, attach?: string): Promise<void> => {
    const answer = await seats.admit(requestOf(USER, name, NODE, attach));
    if (answer.is !== 'ok') throw new Error('Expected a seat.');
    tokens.set(name, answer.token);
  };
  for (let i = 0; i < LIMITS.soft; i++) await seat(`m${i}`);
  const token = (name: string): number => tokens.get(name) ?? 0;
  const [one, many] = [new Writer('bea'), new Writer('cleo')];
  await one.claim(store.log);
  await many.claim(store.log);
  const card = { ...life(NODE), version: '1.0.0', startedAt: 0, managers: 20, isDraining: false };

  async function figuresOf(
    call: string,
    work: (i: number) => Promise<unknown>,
    o: { readonly between?: (i: number) => Promise<unknown>; readonly isScript?: boolean } = {},
  ): Promise<CallFigures> {
    for (let i = 0; i < WARM; i++) {
      await work(i);
      await o.between?.(i);
    }
    const before = count(server);
    const times: number[] = [];
    for (let i = WARM; i < WARM + CALLS; i++) {
      const started = performance.now();
      await work(i);
      times.push(performance.now() - started);
      await o.between?.(i);
    }
    const after = count(server);
    const isCounted = o.isScript !== false && o.between === undefined;
    const serverUs = isCounted ? (after.scripts.us - before.scripts.us) / (after.scripts.calls - before.scripts.calls) : null;
    return { call, p50Ms: quantile(times, 0.5), p99Ms: quantile(times, 0.99), serverUs };
  }

  return [
    await figuresOf('PING', () => connection.command('PING', [], DEADLINE_MS), { isScript: false }),
    await figuresOf('facts', () => seats.facts(user, LIMITS)),
    await figuresOf('admit: the same attempt again', () => seats.admit(requestOf(USER, 'm3', NODE))),
    await figuresOf('admit: a take-over', (i) => seat('m3', `attach ${i}`)),
    await figuresOf('release', () => seats.release(user, 'm4' as ManagerId, token('m4'), LIMITS), { between: (i) => seat('m4', `attach ${i}`) }),
    await figuresOf('admit: a free seat', (i) => seat('m5', `attach ${i}`), { between: () => seats.release(user, 'm5' as ManagerId, token('m5'), LIMITS) }),
    await seat('m5', 'again').then(() =>
      figuresOf('replace', async (i) => {
        const [newcomer, victim] = [`r${i}`, i === 0 ? 'm6' : `r${i - 1}`];
        const answer = await seats.replace({
          ...requestOf(USER, newcomer, NODE),
          victims: [{ manager: victim as ManagerId, token: token(victim) }],
          reason: 'lowest-value',
        });
        if (answer.is !== 'ok') throw new Error('Expected a seat.');
        tokens.delete(victim);
        tokens.set(newcomer, answer.token);
      }),
    ),
    await figuresOf('renew: 1 seat', () => seats.renew(life(NODE).node, [{ user, digest: digestOf('m7', token('m7'), NODE) }], LIMITS.ttlMs)),
    await figuresOf('renew: 15 seats of a user', () => {
      const names = [...tokens.keys()].slice(0, 15);
      return seats.renew(
        life(NODE).node,
        names.map((name) => ({ user, digest: digestOf(name, token(name), NODE) })),
        LIMITS.ttlMs,
      );
    }),
    await figuresOf('enqueue', () => seats.enqueue({ user, ticket: { id: 'w' as ManagerId, class: 'user', waitMs: null, promise: null }, limits: LIMITS }), {
      between: () => seats.cancel(user, 'w' as ManagerId, LIMITS),
    }),
    await figuresOf('append: 1 event', () => store.log.append([one.next(1)])),
    await figuresOf('append: 16 events', () => store.log.append([many.next(16)])),
    await figuresOf('beat of a node', () => cluster.beat(card, 5_000)),
    await figuresOf('letter to a node', (i) => cluster.post(life('gw-2').node, { id: `${i}`, from: life(NODE), kind: 'probe', body: '{"user":"ada"}' })),
  ];
}
