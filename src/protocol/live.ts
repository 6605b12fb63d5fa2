/** The operators' live connection: `GET /admin/api/v1/live` as a WebSocket, subprotocol `spillway.live.v1`, one JSON object a text frame.
 *
 *  The key comes in `Authorization` or, from a browser, in the first frame within 10 s. Then a page watches what is on its screen and
 *  nothing else: no watcher, no work. A watcher that does not read is not written to; it gets the newest state when it reads again. */

import type { DrillRun } from './drills.ts';

export const LIVE_PROTOCOL = 'spillway.live.v1';

/** What a gateway takes of a page. Beyond it, a `problem` says so. */
export const LIVE_BOUNDS = {
  /** Pages at once; one more is told to try again, and its connection ends. */
  viewers: 20,
  /** Watches of one page at once. */
  watches: 16,
  /** Rows of a list that one watch may show. */
  windowRows: 100,
  /** A frame of a page, UTF-8 bytes. */
  frameBytes: 8 * 1024,
  /** From the opening to the key. */
  authMs: 10_000,
} as const;

// ---- what a page says

export type LiveRequest =
  | { readonly type: 'auth'; readonly key: string }
  /** `id`: chosen by the page, names the watch until it ends. Watching anew under the same id replaces it. */
  | { readonly type: 'watch'; readonly id: number; readonly topic: LiveTopic }
  | { readonly type: 'unwatch'; readonly id: number }
  /** Who is the cell of a map? */
  | { readonly type: 'who'; readonly id: number; readonly cell: number };

export type LiveTopic =
  | { readonly of: 'summary' }
  | { readonly of: 'series'; readonly range: SeriesRange }
  | { readonly of: 'map' }
  | { readonly of: 'users'; readonly filter?: string; readonly sort: UserSort; readonly window: ListWindow }
  | { readonly of: 'managers'; readonly filter?: ManagerFilter; readonly sort: ManagerSort; readonly window: ListWindow }
  | { readonly of: 'user'; readonly user: string }
  | { readonly of: 'manager'; readonly manager: string }
  | { readonly of: 'events'; readonly filter?: EventFilter }
  | { readonly of: 'queue' }
  | { readonly of: 'alerts' }
  | { readonly of: 'nodes' }
  | { readonly of: 'drills' };

export type SeriesRange = '15m' | '24h' | '7d';
/** `size` at most 100. */
export interface ListWindow {
  readonly from: number;
  readonly size: number;
}
export type UserSort = 'seats' | 'zombies' | 'queued' | 'name';
export type ManagerSort = 'last-ack' | 'unacked' | 'buffered' | 'idle' | 'age';
export interface ManagerFilter {
  readonly user?: string;
  readonly verdict?: string;
}
export interface EventFilter {
  readonly type?: string;
  readonly user?: string;
  readonly reason?: string;
}

// ---- what the gateway says

export type LiveMessage =
  | LiveWelcome
  | { readonly type: 'update'; readonly id: number; readonly data: LiveUpdate }
  | { readonly type: 'who'; readonly id: number; readonly cell: number; readonly manager: string | null; readonly user: string | null }
  /** Something is watched, and nothing was told for two seconds because nothing changed: what is shown is still true. */
  | { readonly type: 'still'; readonly at: number }
  /** `id` null: the connection as a whole. `detail` says what was expected, what came and what helps. */
  | { readonly type: 'problem'; readonly id: number | null; readonly code: string; readonly detail: string };

export interface LiveWelcome {
  readonly type: 'welcome';
  readonly node: string;
  readonly version: string;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly role: 'viewer' | 'operator' | 'admin';
  readonly readOnly: boolean;
  /** What this gateway can fill; a screen it cannot fill is absent. `nodes`: it shares its store with other gateways. */
  readonly features: readonly ('drills' | 'alerts' | 'golden-path' | 'tiers' | 'nodes')[];
  readonly limits: { readonly perUser: number; readonly burst: number; readonly perNode: number };
  /** Names of tiers, in the order of their numbers in the map. */
  readonly tiers: readonly string[];
}

export type LiveUpdate =
  /** Over all of `nodes`; `unanswered`: those that live and did not answer in time. Nothing of them is in the figures. */
  | { readonly of: 'summary'; readonly summary: Summary; readonly nodes: readonly string[]; readonly unanswered: readonly string[] }
  | SeriesUpdate
  | MapUpdate
  /** Lists go over all nodes that answered. `total`: who has seats on two nodes counts on each. */
  | ({ readonly of: 'users'; readonly total: number; readonly from: number; readonly rows: readonly UserRow[] } & OverNodes)
  | ({ readonly of: 'managers'; readonly total: number; readonly from: number; readonly rows: readonly ManagerRow[] } & OverNodes)
  /** As `GET users/:id`; null: nobody of that user is here. */
  | ({ readonly of: 'user'; readonly user: unknown } & OverNodes)
  /** As `GET managers/:id/explain`, with what happened to it lately; null: it is not here any more. */
  | ({ readonly of: 'manager'; readonly manager: unknown; readonly timeline: readonly EventRow[] } & OverNodes)
  /** `skipped`: events since the last update that were left out because there were too many. */
  | { readonly of: 'events'; readonly rows: readonly EventRow[]; readonly skipped: number }
  /** `queued`: the first 200 of them, as `GET queue`. */
  | ({ readonly of: 'queue'; readonly total: number; readonly queued: readonly unknown[] } & OverNodes)
  | { readonly of: 'alerts'; readonly alerts: readonly AlertStatus[] }
  | { readonly of: 'nodes'; readonly nodes: readonly NodeStatus[] }
  | { readonly of: 'drills'; readonly running: DrillRun | null; readonly runs: readonly DrillRun[] };

/** Living nodes that did not answer in time: nothing of them is shown. Left out where every node did, or there is but one. */
interface OverNodes {
  readonly unanswered?: readonly string[];
}

/** Figures of this second, and rates over the last one. Null: nothing was measured. */
export interface Summary {
  readonly at: number;
  readonly goldenPath: { readonly ok: boolean; readonly ms: number | null; readonly at: number } | null;
  readonly lockouts: { readonly total: number; readonly last24h: number };
  readonly gaps: number;
  /** Of the last 15 minutes. */
  readonly cleanupP99Ms: number | null;
  readonly queue: { readonly length: number; readonly longestMs: number };
  /** Share of persons' connects and messages that were served in time, since the start; null before the first. */
  readonly availability: number | null;
  readonly alertsFiring: number;
  readonly users: number;
  readonly usersAtLimit: number;
  readonly seats: number;
  readonly effectiveSeats: number;
  readonly transports: number;
  readonly quarantined: number;
  readonly burst: { readonly active: number; readonly debt: number };
  readonly managers: Readonly<Record<'healthy' | 'idle' | 'suspect' | 'zombie' | 'inactive' | 'unknown', number>>;
  readonly evicted: number;
  readonly regrets: number;
  readonly draining: boolean;
  readonly storeFailOpen: boolean;
  /** This gateway stalls: while it does, it holds nothing against anybody, and finds nobody dead. */
  readonly selfSlow: boolean;
}

/** Names of the series of `SeriesUpdate.points`, in order; rates are per second. */
export const SERIES = [
  'admissions.seated',
  'admissions.afterCleanup',
  'admissions.burst',
  'admissions.queue',
  'admissions.force',
  'admissions.later',
  'managers.healthy',
  'managers.idle',
  'managers.suspect',
  'managers.zombie',
  'managers.inactive',
  'managers.unknown',
  'cleanup.p50Ms',
  'cleanup.p95Ms',
  'cleanup.p99Ms',
  'zombies.ackTimeout',
  'zombies.probeTimeout',
  'zombies.transport',
  'delivery.ackP50Ms',
  'delivery.ackP99Ms',
  'delivery.unacked',
  'resume.resumes',
  'resume.replayed',
  'resume.gaps',
  'seats',
  'queue.length',
  'loop.p99Ms',
  'process.cpuShare',
  'process.rssBytes',
] as const;
export type SeriesName = (typeof SERIES)[number];

export interface SeriesUpdate {
  readonly of: 'series';
  readonly range: SeriesRange;
  readonly stepMs: number;
  /** True for the first update of a watch: these points replace what is shown; else they are behind it. */
  readonly whole: boolean;
  /** `[at, …one value for each of SERIES]`; null: nothing was measured then. */
  readonly points: readonly (readonly (number | null)[])[];
}

/** One byte a cell: bits 0–2 verdict (0 nobody, 1 healthy, 2 idle, 3 suspect, 4 zombie, 5 inactive, 6 unknown), 3–4 tier, 5 run,
 *  6 visible, 7 burst. A manager keeps its cell for its life. */
export interface MapUpdate {
  readonly of: 'map';
  readonly whole: boolean;
  /** Cells in all. */
  readonly size: number;
  /** `[first cell, base64 of the bytes from there on]`. */
  readonly runs: readonly (readonly [number, string])[];
}

export interface UserRow {
  readonly user: string;
  readonly tier: string;
  readonly seats: number;
  readonly effective: number;
  readonly sockets: number;
  readonly queued: number;
  readonly zombies: number;
}

export interface ManagerRow {
  readonly manager: string;
  readonly node: string;
  readonly user: string;
  readonly tier: string;
  readonly verdict: string;
  readonly reason: string;
  readonly connected: boolean;
  readonly running: boolean;
  readonly seat: 'soft' | 'burst';
  readonly ageMs: number;
  readonly lastAckMs: number | null;
  readonly lastPongMs: number | null;
  readonly unacked: number;
  readonly bufferedBytes: number;
  readonly quietMs: number;
  readonly visibility: string;
  /** The evidence in a sentence. */
  readonly text: string;
}

export interface EventRow {
  readonly id: number;
  readonly at: number;
  readonly type: string;
  readonly data: unknown;
}

export interface AlertStatus {
  readonly alert: string;
  readonly severity: 'page' | 'ticket';
  readonly state: 'quiet' | 'pending' | 'firing';
  /** What its expression gives now; null: nothing to look at. */
  readonly value: number | null;
  /** In words, such as `> 0 in 5 min`. */
  readonly threshold: string;
  /** Milliseconds since the Unix epoch; null while quiet. */
  readonly since: number | null;
  readonly summary: string;
  /** Where the handbook says what to do. */
  readonly runbook: string;
}

export interface NodeStatus {
  readonly node: string;
  /** `expired`: its lease has ended, and so have its seats. `silent`: it did not answer in time. */
  readonly state: 'starting' | 'ready' | 'draining' | 'expired' | 'silent';
  readonly version: string;
  /** Of a node that did not answer: as it told last. */
  readonly managers: number;
  /** Null: it did not answer. */
  readonly zombies: number | null;
  readonly cpuShare: number | null;
  readonly loopP99Ms: number | null;
  readonly rssBytes: number | null;
  readonly storeMs: number | null;
  readonly leaseMs: number | null;
}

export interface AuditEntry {
  readonly id: number;
  readonly at: number;
  /** Where it was done. */
  readonly node: string;
  /** The node that was asked and passed it on; null: the one where it was done. */
  readonly via: string | null;
  readonly role: 'viewer' | 'operator' | 'admin';
  readonly action: string;
  readonly target: string;
  readonly reason: string;
  readonly outcome: 'done' | 'refused' | 'failed';
  readonly detail: string;
  readonly request: string;
}
