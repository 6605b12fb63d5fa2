import type { SeatDigest, SeatFacts } from '../../ports/store.ts';
import type { ManagerId, UserId } from '../../protocol/ids.ts';
import { endTaken, supersede } from '../cleanup/partings.ts';
import type { Context } from '../context.ts';
import type { WebSocketManager } from '../manager.ts';
import { digestOf } from '../node.ts';
import type { ConsistencyReport, DifferenceKind } from '../reports.ts';
import { loopTurn } from './inspect.ts';

/** Users that are looked at before others get their turn of the event loop. */
const SLICE = 100;

/** Records of one user that do not agree. */
export interface Difference {
  readonly kind: DifferenceKind;
  readonly user: UserId;
  readonly detail: string;
  readonly manager: ManagerId;
  /** Of the seat, where it is about one. */
  readonly token: number | null;
}

/** An evicted manager's farewell begins two turns after its seat is free (see `afterReads`): until then its socket looks forgotten. */
const TURNS_APART = 3;

/** Differences that hold in two looks some turns of the event loop apart: what one look alone finds is a transition. Rejects while the
 *  store cannot be asked. It changes nothing. Called in the user's lane, no admission is half-way meanwhile. */
export async function differencesOf(context: Context, user: UserId): Promise<readonly Difference[]> {
  const first = await look(context, user);
  if (first.length === 0) return [];
  for (let turn = 0; turn < TURNS_APART; turn++) await loopTurn(context.clock);
  const again = new Set((await look(context, user)).map(nameOf));
  return first.filter((difference) => again.has(nameOf(difference)));
}

/** Whether this very process answers for that seat. In a store of one process nobody else could have taken it; in a shared one another
 *  life of our name is another node's. */
const isOurs = ({ life, store }: Context, seat: SeatDigest): boolean =>
  seat.node === life.node && (store.cluster === null || seat.incarnation === life.incarnation);

/** Tells one difference from another, look by look. */
export const nameOf = ({ kind, manager, token }: Difference): string => `${kind} ${manager} ${token}`;

async function look(context: Context, user: UserId): Promise<Difference[]> {
  const { registry, sockets, store, seatLimits } = context;
  const { seats } = await store.seats.facts(user, seatLimits);
  const found: Difference[] = [];
  const add = (kind: DifferenceKind, manager: ManagerId, token: number | null, detail: string): void => {
    found.push({ kind, user, detail, manager, token });
  };
  const held = [...registry.of(user)];
  const open = sockets.list(user);

  for (const m of held) {
    if (registry.find(m.id) !== m) add('index', m.id, null, `${m.id} is listed under its user and unknown under its id.`);
    const token = m.seat?.token;
    if (token !== undefined && !seats.some((s) => s.manager === m.id && s.token === token))
      add('manager-without-seat', m.id, token, `${m.id} holds a seat here that the store does not know.`);
    if (m.attachment && !open.some(({ transport }) => transport === m.attachment?.transport))
      add('attachment-without-socket', m.id, null, `${m.id} is attached to a socket that has closed.`);
  }
  for (const seat of seats) {
    const manager = registry.find(seat.manager);
    if (isOurs(context, seat) && manager?.seat?.token !== seat.token)
      add('seat-without-manager', seat.manager, seat.token, `The store keeps a seat of this node for ${seat.manager}, which does not hold it here.`);
    if (manager && manager.user.userId === user && !held.includes(manager))
      add('index', manager.id, null, `${manager.id} is known under its id and not listed under its user.`);
  }
  const used = new Set(held.map((m) => m.attachment?.transport));
  for (const { manager, state, transport } of open) {
    // Without a manager it is its admission's still.
    if (manager !== null && state === 'open' && !used.has(transport))
      add('socket-without-manager', manager, null, `A socket of ${manager} is open, and its manager has no use for it any more.`);
  }
  return found;
}

/** Looks at one user in its lane and repairs what is proved: a manager that the store forgot is put back, a seat that nobody holds is
 *  released, a socket that nobody uses is ended. Answers what it found. `known`: names of those that the last look found and could not
 *  repair, and that are told of no more. */
export async function crossCheck(context: Context, user: UserId, known: ReadonlySet<string>): Promise<readonly Difference[]> {
  return await context.lanes.run(user, async () => {
    const differences = await differencesOf(context, user);
    for (const difference of differences) {
      if (!known.has(nameOf(difference))) tell(context, difference);
      await repair(context, difference);
    }
    return differences;
  });
}

/** Releases the seats that the store keeps for managers of this node which are none: it could not be told of their end, or its answer
 *  was lost. For an admission in the user's lane that finds no room by `facts`; a store that fails here does not stop it. */
export async function freeGhosts(context: Context, user: UserId, { seats }: SeatFacts): Promise<void> {
  const { registry, telemetry } = context;
  if (seats.every((seat) => !isOurs(context, seat) || registry.find(seat.manager)?.seat?.token === seat.token)) return;
  try {
    const ghosts = (await differencesOf(context, user)).filter(({ kind }) => kind === 'seat-without-manager');
    for (const ghost of ghosts) {
      tell(context, ghost);
      await repair(context, ghost);
    }
  } catch (error) {
    telemetry.record({ severity: 'WARNING', event: 'release-failed', message: String(error), user });
  }
}

function tell({ events, telemetry }: Context, { kind, user, detail }: Difference): void {
  events.emit('mismatch-found', { kind, user, detail });
  telemetry.record({ severity: 'WARNING', event: 'registry-mismatch', message: detail, user, kind });
}

async function repair(context: Context, difference: Difference): Promise<void> {
  const { registry, sockets } = context;
  const id = difference.manager;
  const manager = [...registry.of(difference.user)].find((m) => m.id === id) ?? registry.find(id);
  switch (difference.kind) {
    case 'manager-without-seat':
      if (manager) await putBack(context, manager, difference);
      return;
    case 'seat-without-manager':
      await releaseGhost(context, difference);
      return;
    case 'attachment-without-socket': {
      const attachment = manager?.attachment;
      if (attachment && !sockets.list(difference.user).some(({ transport }) => transport === attachment.transport))
        manager.transportLost(attachment, 'transport-lost');
      return;
    }
    case 'socket-without-manager':
      for (const { manager: of, transport } of sockets.list(difference.user))
        if (of === id && transport !== manager?.attachment?.transport) transport.terminate();
      return;
    case 'index':
      if (!manager) return;
      if ((registry.find(id) ?? manager) === manager) registry.add(manager);
      // Another one has its id now.
      else registry.remove(manager);
      return;
  }
}

/** The store has forgotten a live manager: only a tombstone or a newer token ends it. */
async function putBack(context: Context, manager: WebSocketManager, { user, token }: Difference): Promise<void> {
  const { seat } = manager;
  if (seat === null || seat.token !== token) return;
  const answer = await context.store.seats.adopt(user, digestOf(context, manager, seat.token), context.options.lease.ttlMs);
  if (answer.is === 'OK' || manager.seat?.token !== seat.token) return;
  if (context.cluster === null) supersede(context, manager);
  else if (answer.is === 'EVICTED') endTaken(context, manager, answer.reason);
  // Whose a newer token is, the next renewal finds out: it may be its own.
}

/** The store keeps a seat for a manager that is none here any more. */
async function releaseGhost(context: Context, { user, manager: id, token }: Difference): Promise<void> {
  const { registry, store, seatLimits, cluster } = context;
  const manager = registry.find(id);
  if (token === null || manager?.seat?.token === token) return;
  // A shared store may do late what had been given up: the seat is its own, under a newer token.
  if (cluster !== null && manager?.user.userId === user && manager.seat !== null && manager.seat.token < token) {
    manager.reseated({ token, kind: manager.seat.kind });
    return;
  }
  const answer = await store.seats.release(user, id, token, seatLimits);
  if (answer.is === 'stale') return;
  context.ended({ id, user: { userId: user } }, 'ghost');
  context.changed(user);
}

/** Compares the records of everybody. Users take turns with the rest of the event loop. */
export async function checkAll(context: Context): Promise<ConsistencyReport> {
  const differences: Difference[] = [];
  for (const [i, user] of [...new Set([...context.registry.users, ...context.sockets.users])].entries()) {
    if (i % SLICE === SLICE - 1) await loopTurn(context.clock);
    // Nearly always one look is enough. Only what it finds is worth a wait for the user's lane.
    if ((await look(context, user)).length > 0) differences.push(...(await context.lanes.run(user, () => differencesOf(context, user))));
  }
  return { checkedAt: Math.round(context.clock.wall()), differences: differences.map(({ kind, user, detail }) => ({ kind, user, detail })) };
}
