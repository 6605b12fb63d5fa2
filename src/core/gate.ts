/** The queue of a full node. Tiers share its freed seats by weight, users of a tier take turns, a user's tickets keep the order of
 *  the user's own queue. Nobody starves: every tier with a ticket is served in every round. */

import type { ManagerId, Tier, UserId } from '../protocol/ids.ts';
import type { Mono } from './clocks.ts';
import type { Options } from './options.ts';
import { meanGapMs, orderQueue, type Ticket } from './queue.ts';

export interface GateTicket extends Ticket {
  readonly userId: UserId;
  readonly tier: Tier;
}

export interface Gate {
  /** In order of arrival. */
  readonly tickets: readonly GateTicket[];
  /** Whose turn it is, and how many seats are left of it (deficit round robin with one seat as the unit). */
  readonly turn: { readonly tier: Tier; readonly left: number } | null;
  /** For every user with a ticket: number of the service after which it last was served or came. The smallest is next. */
  readonly served: Readonly<Record<UserId, number>>;
  readonly services: number;
  readonly lastReleases: readonly Mono[];
}

export const EMPTY_GATE: Gate = { tickets: [], turn: null, served: {}, services: 0, lastReleases: [] };

/** Weight of a tier that the options do not name. */
const LIGHTEST = 1;
const RELEASES_KEPT = 8;

const weightOf = (tier: Tier, o: Options): number => (Object.hasOwn(o.tiers, tier) ? (o.tiers[tier]?.weight ?? LIGHTEST) : LIGHTEST);

/** Takes a place at the gate, or says that it is full. A second attempt of the same manager keeps its place. */
export function enterGate(g: Gate, ticket: GateTicket, o: Options): Gate | 'full' {
  if (g.tickets.some((t) => t.id === ticket.id)) return g;
  if (g.tickets.length >= o.queue.gatePlaces) return 'full';
  const served = Object.hasOwn(g.served, ticket.userId) ? g.served : { ...g.served, [ticket.userId]: g.services };
  return { ...g, tickets: [...g.tickets, ticket], served };
}

/** The tickets of a user count in another tier from now on; each keeps when it came. */
export const retier = (g: Gate, userId: UserId, tier: Tier): Gate => ({
  ...g,
  tickets: g.tickets.map((ticket) => (ticket.userId === userId ? { ...ticket, tier } : ticket)),
});

/** Whoever held this ticket has gone, or was seated otherwise. */
export function leaveGate(g: Gate, id: ManagerId): Gate {
  const ticket = g.tickets.find((t) => t.id === id);
  return ticket === undefined ? g : without(g, ticket);
}

function without(g: Gate, ticket: GateTicket): Gate {
  const tickets = g.tickets.filter((t) => t !== ticket);
  if (tickets.some((t) => t.userId === ticket.userId)) return { ...g, tickets };
  const { [ticket.userId]: _, ...served } = g.served;
  return { ...g, tickets, served };
}

/** Who gets the seat that this node has free; null if nobody waits. */
export function nextFromGate(g: Gate, o: Options, now: Mono): { readonly ticket: GateTicket; readonly gate: Gate } | null {
  const tiers = [...new Set(g.tickets.map((t) => t.tier))].sort((a, b) => weightOf(b, o) - weightOf(a, o) || (a < b ? -1 : 1));
  const turn = nextTurn(g, tiers, o);
  if (turn === null) return null;

  const ofTier = g.tickets.filter((t) => t.tier === turn.tier);
  const user = ofTier.reduce((best, t) => ((g.served[t.userId] ?? 0) < (g.served[best.userId] ?? 0) ? t : best)).userId;
  const tickets = ofTier.filter((t) => t.userId === user);
  const ticket = ownOrder(tickets, now)[0] as GateTicket;

  const services = g.services + 1;
  const rest = without({ ...g, services, served: { ...g.served, [user]: services } }, ticket);
  return { ticket, gate: { ...rest, turn: { tier: turn.tier, left: turn.left - 1 }, lastReleases: [...g.lastReleases, now].slice(-RELEASES_KEPT) } };
}

/** A user's tickets in the order of its own queue. */
function ownOrder(tickets: readonly GateTicket[], now: Mono): GateTicket[] {
  return orderQueue({ tickets, promises: [], lastWaits: [], lastReleases: [] }, now) as GateTicket[];
}

/** The turn goes on while it has seats left and its tier has tickets; then the next tier's begins, heaviest first. */
function nextTurn(g: Pick<Gate, 'turn'>, tiers: readonly Tier[], o: Options): { tier: Tier; left: number } | null {
  const turn = g.turn;
  if (turn !== null && turn.left >= 1 && tiers.includes(turn.tier)) return turn;
  const next = turn === null ? tiers[0] : (tiers.find((t) => isAfter(t, turn.tier, o)) ?? tiers[0]);
  return next === undefined ? null : { tier: next, left: Math.max(1, weightOf(next, o)) };
}

const isAfter = (tier: Tier, than: Tier, o: Options): boolean =>
  weightOf(tier, o) < weightOf(than, o) || (weightOf(tier, o) === weightOf(than, o) && tier > than);

/** All tickets in the order in which they would be served if nobody else came or left: what `nextFromGate` answers one after the
 *  other, in one go, so that a thousand can be told their places. */
export function orderGate(g: Gate, o: Options, now: Mono): readonly GateTicket[] {
  const lines = new Map<Tier, GateTicket[][]>();
  for (const [tier, users] of byTierAndUser(g)) lines.set(tier, inTurn(users, g, now));
  const tiers = [...lines.keys()].sort((a, b) => weightOf(b, o) - weightOf(a, o) || (a < b ? -1 : 1));
  const order: GateTicket[] = [];
  let turn = g.turn;
  while (order.length < g.tickets.length) {
    const waiting = tiers.filter((tier) => (lines.get(tier) as GateTicket[][]).length > 0);
    const { tier, left } = nextTurn({ turn }, waiting, o) as NonNullable<Gate['turn']>;
    const users = lines.get(tier) as GateTicket[][];
    for (let seats = left; seats >= 1 && users.length > 0; seats--) {
      const [ticket, ...rest] = users.shift() as [GateTicket, ...GateTicket[]];
      order.push(ticket);
      if (rest.length > 0) users.push(rest);
    }
    turn = { tier, left: 0 };
  }
  return order;
}

function byTierAndUser(g: Gate): Map<Tier, Map<UserId, GateTicket[]>> {
  const tiers = new Map<Tier, Map<UserId, GateTicket[]>>();
  for (const ticket of g.tickets) {
    const users = tiers.get(ticket.tier) ?? new Map<UserId, GateTicket[]>();
    tiers.set(ticket.tier, users);
    const own = users.get(ticket.userId) ?? [];
    users.set(ticket.userId, own);
    own.push(ticket);
  }
  return tiers;
}

/** Each user's tickets in their own order, the user first who was served longest ago. */
function inTurn(users: ReadonlyMap<UserId, readonly GateTicket[]>, g: Gate, now: Mono): GateTicket[][] {
  const servedAt = (tickets: readonly GateTicket[]): number => g.served[(tickets[0] as GateTicket).userId] ?? 0;
  const own = [...users.values()].map((tickets) => ownOrder(tickets, now));
  // Equal ones keep the order in which their users' first tickets came.
  return own.sort((a, b) => servedAt(a) - servedAt(b));
}

/** Milliseconds until `places` more seats will have become free here, as those of late did; `queue.waitMs` each while nothing is known,
 *  from one second to one minute. */
export function gateEstimateMs(g: Gate, places: number, o: Options, now: Mono): number {
  const gapMs = meanGapMs(g.lastReleases, now) ?? o.queue.waitMs;
  return Math.max(1_000, Math.min(60_000, gapMs * Math.max(1, places)));
}
