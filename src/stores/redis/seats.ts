import type { Burst } from '../../core/burst.ts';
import { mono } from '../../core/clocks.ts';
import { EMPTY_QUEUE, etaMs, orderQueue, type Queue, type Ticket } from '../../core/queue.ts';
import type { Random } from '../../ports/random.ts';
import type { AdmitRequest, RenewAnswer, SeatDigest, SeatFacts, SeatHolder, SeatLimits, SeatStore } from '../../ports/store.ts';
import type { SpillwayError } from '../../protocol/errors.ts';
import { type ManagerId, spellRandom, type UserId } from '../../protocol/ids.ts';
import type { EvictReason } from '../../protocol/reasons.ts';
import type { Argument, Connection, Outcome, ScriptCall } from './connection.ts';

/** What is told of a manager that has just come. */
const NEWLY_SEATED = JSON.stringify({ verdict: 'healthy', quietMs: 0, run: false, pinned: false, critical: false, hidden: false });
const PROMISE_NAME_LENGTH = 16;
/** Users whose seats are renewed in one go: the server serves nobody else meanwhile. */
const RENEWED_AT_ONCE = 200;

/** Seats in Redis: one script a step, all of one user in one slot, the server's clock alone. What it answers is what `createSeatBook`
 *  would. */
export function createRedisSeats(connection: Connection, random: Random): SeatStore {
  const { keys, seatDeadlineMs } = connection;
  const keysOf = (user: UserId): readonly string[] => ['s', 'm', 'f', 't', 'b', 'q'].map((part) => keys.user(user, part));
  const run = async (name: string, user: UserId, args: readonly Argument[]): Promise<readonly unknown[]> =>
    (await connection.run(name, keysOf(user), args, seatDeadlineMs)) as readonly unknown[];

  return {
    facts: async (user, limits) => readFacts(await run('seat-facts', user, [spellLimits(limits)])),

    admit: async (r) => {
      const [is, ...rest] = await run('seat-admit', r.user, seating(r));
      if (is === 'full') return { is, facts: readFacts(rest[0]) };
      const { victim: _, ...answer } = readSeated(rest);
      return answer;
    },

    replace: async (r) => {
      const victims = r.victims.flatMap((victim): Argument[] => [victim.manager, victim.token]);
      const [is, ...rest] = await run('seat-replace', r.user, [...seating(r), r.reason, ...victims]);
      if (is === 'stale') return { is, facts: readFacts(rest[0]) };
      const { burstStarted: _, ...answer } = readSeated(rest);
      return answer;
    },

    evict: async (user, manager, token, reason, limits) => readDone(await run('seat-evict', user, [spellLimits(limits), 0, manager, token, reason])),

    release: async (user, manager, token, limits) => readDone(await run('seat-release', user, [spellLimits(limits), 0, manager, token])),

    renew: async (_node, batch, ttlMs) => {
      const byUser = new Map<UserId, number[]>();
      for (const [index, { user }] of batch.entries()) byUser.set(user, [...(byUser.get(user) ?? []), index]);
      const answers: RenewAnswer[] = [];
      let failure: SpillwayError | null = null;
      for (const users of chunks([...byUser], RENEWED_AT_ONCE)) {
        const calls = users.map(([user, indexes]): ScriptCall => {
          const seats = indexes.flatMap((index) => spellSeat((batch[index] as (typeof batch)[number]).digest));
          return { keys: keysOf(user), args: ['', ttlMs, ...seats] };
        });
        // Nobody waits for it, and it carries much.
        const outcomes = await connection.runAll('seat-renew', calls, connection.logDeadlineMs);
        for (const [i, [, indexes]] of users.entries()) {
          const outcome = outcomes[i] as Outcome;
          if (!outcome.ok) failure ??= outcome.error;
          else for (const [k, index] of indexes.entries()) answers[index] = readRenewed((outcome.answer as readonly string[])[k] as string);
        }
        // Where one master of a cluster is away, the seats at the others are kept all the same.
        if (outcomes.every((outcome) => !outcome.ok)) break;
      }
      if (failure !== null) throw failure;
      return answers;
    },

    adopt: async (user, digest, ttlMs) => {
      const told = await connection.run('seat-adopt', keysOf(user), ['', ttlMs, ...spellSeat(digest)], seatDeadlineMs);
      return readRenewed(told as string) as Exclude<RenewAnswer, { is: 'UNKNOWN' }>;
    },

    enqueue: async ({ user, ticket: t, limits }) => {
      const fresh = spellRandom(random.bytes(PROMISE_NAME_LENGTH), PROMISE_NAME_LENGTH);
      const args = [spellLimits(limits), 0, t.id, t.class, t.waitMs === null ? '' : Math.round(t.waitMs), t.promise ?? '', fresh];
      const [is, first, second, last] = await run('seat-enqueue', user, args);
      const facts = readFacts(last);
      if (is === 'full') {
        const promiseAt = Number(first);
        return { is, promiseAt, afterMs: Math.max(0, promiseAt - facts.now), promise: second as string, facts };
      }
      const ticket = JSON.parse(first as string) as Ticket;
      const position = facts.tickets.findIndex((one) => one.id === ticket.id) + 1;
      const expected = etaMs({ lastReleases: facts.lastReleases }, ticket, position, mono(facts.now));
      return { is: 'queued', ticket, position, etaMs: expected, pushedOut: second === '' ? null : (JSON.parse(second as string) as Ticket), facts };
    },

    cancel: async (user, manager, limits) => readFacts(await run('seat-cancel', user, [spellLimits(limits), 0, manager])),
  };
}

const spellLimits = (l: SeatLimits): string =>
  [l.soft, l.hard, l.burstForMs, l.coolDownMs, l.debtMaxMs, l.places, l.waitMs, l.promiseMs, l.ttlMs, l.tombstoneMs].map(Math.round).join(' ');

/** ARGV of `lua/shared/seating.lua`. */
const seating = (r: AdmitRequest): readonly Argument[] => [
  spellLimits(r.limits),
  Math.round(r.limits.ttlMs),
  r.manager,
  r.attach,
  r.node,
  r.incarnation,
  r.class,
  r.mayBurst ? 1 : 0,
  NEWLY_SEATED,
];

/** A seat as its node tells of it: what names it, then the rest as one text that the scripts only hand on. */
function spellSeat({ manager, token, node, incarnation, toldAt: _, seatedAt: __, ...told }: SeatDigest): readonly Argument[] {
  return [manager, token, node, incarnation, JSON.stringify(told)];
}

/** A seat as `lua/shared/user.lua` keeps it. */
interface KeptSeat {
  readonly token: string;
  readonly node: SeatDigest['node'];
  readonly incarnation: string;
  readonly toldAt: number;
  readonly seatedAt: number;
  /** What its node told of it, JSON. */
  readonly digest: string;
}

function readFacts(answer: unknown): SeatFacts {
  const [now, cap, state, line, fields] = answer as readonly [string, string, string, string, readonly string[]];
  const at = mono(Number(now));
  const queue = readQueue(line);
  const seats: SeatDigest[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const { token, node, incarnation, toldAt, seatedAt, digest } = JSON.parse(fields[i + 1] as string) as KeptSeat;
    const told = JSON.parse(digest) as Omit<SeatDigest, 'manager' | 'token' | 'node' | 'incarnation' | 'toldAt' | 'seatedAt'>;
    seats.push({ manager: fields[i] as ManagerId, token: Number(token), node, incarnation, ...told, toldAt, seatedAt });
  }
  seats.sort((a, b) => a.seatedAt - b.seatedAt || (a.manager < b.manager ? -1 : 1));
  return {
    now: at,
    seats,
    burst: readBurst(state),
    cap: Number(cap),
    tickets: orderQueue(queue, at),
    promises: queue.promises,
    lastReleases: queue.lastReleases,
  };
}

function readBurst(state: string): Burst {
  const [is, first, second] = state.split(' ');
  if (is === 'active' || is === 'cooldown') return { in: is, until: mono(Number(first)) };
  return is === 'debt' ? { in: is, since: mono(Number(first)), cap: Number(second) } : { in: 'none' };
}

/** Lua spells an empty list as an empty object. */
function readQueue(line: string): Queue {
  const kept = JSON.parse(line) as Record<keyof Queue, unknown>;
  const list = (part: keyof Queue) => (Array.isArray(kept[part]) ? kept[part] : EMPTY_QUEUE[part]) as never;
  return { tickets: list('tickets'), promises: list('promises'), lastWaits: list('lastWaits'), lastReleases: list('lastReleases') };
}

function readSeated(rest: readonly unknown[]) {
  const [token, kind, burstStarted, replaced, from, facts] = rest as readonly [string, 'soft' | 'burst', string, string, string, unknown];
  return {
    is: 'ok' as const,
    token: Number(token),
    victim: replaced === '' ? null : (replaced as ManagerId),
    seat: kind,
    burstStarted: burstStarted === '1',
    from: from === '' ? null : readHolder(from),
    facts: readFacts(facts),
  };
}

function readHolder(text: string): SeatHolder {
  const { node, incarnation, token } = JSON.parse(text) as Record<keyof SeatHolder, string>;
  return { node: node as SeatHolder['node'], incarnation, token: Number(token) };
}

const readDone = ([is, facts]: readonly unknown[]) => ({ is: is as 'ok' | 'stale', facts: readFacts(facts) });

function readRenewed(told: string): RenewAnswer {
  const [is, reason] = told.split(' ');
  return is === 'EVICTED' ? { is, reason: reason as EvictReason } : { is: is as 'OK' | 'FENCED' | 'UNKNOWN' };
}

function* chunks<T>(items: readonly T[], size: number): Iterable<readonly T[]> {
  for (let i = 0; i < items.length; i += size) yield items.slice(i, i + size);
}
