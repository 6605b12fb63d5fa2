/** The queue of a full node. Tiers share its freed seats by weight, users of a tier take turns, a user's tickets keep the order of
 *  the user's own queue. Nobody starves: every tier with a ticket is served in every round. */

import type { ManagerId, Tier, UserId } from '../protocol/ids.ts';
import type { Mono } from './clocks.ts';
import type { Options } from './options.ts';
import { orderQueue, type Ticket } from './queue.ts';

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
  const first = orderQueue({ tickets, promises: [], lastWaits: [], lastReleases: [] }, now)[0];
  const ticket = tickets.find((t) => t === first) as GateTicket;

  const services = g.services + 1;
  const rest = without({ ...g, services, served: { ...g.served, [user]: services } }, ticket);
  return { ticket, gate: { ...rest, turn: { tier: turn.tier, left: turn.left - 1 }, lastReleases: [...g.lastReleases, now].slice(-RELEASES_KEPT) } };
}

/** The turn goes on while it has seats left and its tier has tickets; then the next tier's begins, heaviest first. */
function nextTurn(g: Gate, tiers: readonly Tier[], o: Options): { tier: Tier; left: number } | null {
  const turn = g.turn;
  if (turn !== null && turn.left >= 1 && tiers.includes(turn.tier)) return turn;
  const next = turn === null ? tiers[0] : (tiers.find((t) => isAfter(t, turn.tier, o)) ?? tiers[0]);
  return next === undefined ? null : { tier: next, left: Math.max(1, weightOf(next, o)) };
}

const isAfter = (tier: Tier, than: Tier, o: Options): boolean =>
  weightOf(tier, o) < weightOf(than, o) || (weightOf(tier, o) === weightOf(than, o) && tier > than);

/** Milliseconds until `places` more seats will have become free here, by the mean gap of the last ones; `queue.waitMs` each while
 *  nothing is known, at least one second. */
export function gateEstimateMs(g: Gate, places: number, o: Options): number {
  const first = g.lastReleases[0];
  const last = g.lastReleases.at(-1);
  const gapMs = first !== undefined && last !== undefined && g.lastReleases.length > 1 ? (last - first) / (g.lastReleases.length - 1) : o.queue.waitMs;
  return Math.max(1_000, Math.min(60_000, gapMs * Math.max(1, places)));
}
