import { segmentOf } from '../protocol/admin-paths.ts';
import type { DrillName, DrillRun } from '../protocol/drills.ts';
import type * as is from './answers.ts';
import { streamedEvents } from './event-stream.ts';
import { AdminProblem } from './problem.ts';
import { type AdminRequest, createAsker, type Query } from './request.ts';

export interface AdminClientOptions {
  /** Address of the operators' port, such as `http://127.0.0.1:8788`, with the gateway's prefix if it has one. Default: the page's own origin. */
  readonly url?: string;
  /** The admin key. Null: only what needs none. */
  readonly key: string | null;
  /** Is told of nodes that share the gateway’s store and did not answer in time, whenever an answer names some. */
  readonly unanswered?: (nodes: readonly string[]) => void;
}

export interface PageQuery {
  readonly limit?: number;
  /** `nextCursor` of the page before. */
  readonly cursor?: string;
}
export interface EventsQuery {
  readonly type?: string;
  readonly user?: string;
  readonly node?: string;
  readonly reason?: string;
  /** Milliseconds since 1970. */
  readonly since?: number;
}
/** Exactly one of the first three. */
export interface FreeRequest {
  readonly managers?: readonly string[];
  readonly count?: number;
  readonly unresponsive?: true;
  readonly reason: string;
}

/** The admin API, one method an operation. Every one of them rejects with an `AdminProblem`: refused, or not reachable. */
export interface AdminClient {
  /** Any request, for operations this client has no method for. Its JSON, or null for an answer without a body. */
  request(request: AdminRequest): Promise<unknown>;
  /** The same with its answer as it is. */
  fetch(request: AdminRequest): Promise<Response>;

  status(): Promise<is.AdminStatus>;
  healthCheck(): Promise<is.HealthReport>;
  consistency(): Promise<is.ConsistencyReport>;
  queue(): Promise<is.QueueReport>;
  nodes(): Promise<is.NodeList>;
  drainNode(node: string, body: { readonly timeoutMs?: number; readonly reason: string }): Promise<is.NodeDraining>;
  alerts(): Promise<is.AlertList>;
  audit(query?: PageQuery & { readonly since?: number; readonly action?: string }): Promise<is.AuditList>;
  config(): Promise<is.ConfigurationList>;
  openApi(): Promise<unknown>;
  /** The metrics in the text format of Prometheus. */
  metrics(): Promise<string>;

  users(query?: PageQuery & { readonly sort?: string; readonly tier?: string }): Promise<is.UserList>;
  user(user: string): Promise<is.UserReport>;
  /** Null: that of the user's credential again. */
  setTier(user: string, body: { readonly tier: string | null; readonly reason: string }): Promise<is.TierSet>;
  freeUser(user: string, body: FreeRequest): Promise<is.FreedByOperator>;

  managers(query?: PageQuery & { readonly user?: string; readonly verdict?: string; readonly tier?: string; readonly sort?: string }): Promise<is.ManagerList>;
  manager(id: string): Promise<is.ManagerReport>;
  explain(id: string): Promise<is.ManagerExplanation>;
  probe(id: string): Promise<is.ManagerExplanation>;
  evict(id: string, body: { readonly reason: string; readonly overrideProtection?: boolean }): Promise<is.Evicted>;

  /** `need`: seats wanted, by default 1; with 0 only the dead go. */
  planCleanup(body: { readonly user: string; readonly need?: number }): Promise<is.CleanupPlan>;
  /** Carries out a plan of the last 30 s up to a level; `plan-stale` if what it rests on has changed. */
  runPlan(body: { readonly planId: string; readonly level: is.CleanupLevelName; readonly reason: string }): Promise<is.CleanupDone>;
  cleanups(query?: PageQuery & { readonly user?: string; readonly since?: number }): Promise<is.CleanupList>;
  cleanup(run: string): Promise<is.PastCleanup>;

  events(query?: EventsQuery & PageQuery): Promise<is.EventList>;
  /** Events as they happen, behind the one with the id `after` or else from now on. Ends when the gateway ends the stream. */
  watchEvents(query?: EventsQuery, options?: { readonly after?: number; readonly signal?: AbortSignal }): AsyncIterable<is.AdminEvent>;
  /** Offsets and sizes of a conversation's log, never what is in it. */
  threadLog(user: string, thread: string, query?: { readonly from?: number; readonly limit?: number; readonly verify?: true }): Promise<is.ThreadLog>;

  drills(): Promise<is.DrillList>;
  startDrill(name: DrillName, body?: { readonly count?: number; readonly user?: string }): Promise<DrillRun>;
  drill(id: string): Promise<DrillRun>;
  stopDrill(id: string): Promise<is.DrillStopped>;
}

async function jsonOf(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch (cause) {
    const why = cause instanceof SyntaxError ? 'what answered there is none' : 'its answer ended in the middle';
    throw new AdminProblem('unreachable', `Expected a gateway of Spillway at ${response.url}, but ${why}.`, { status: response.status, cause });
  }
}

/** Makes a client of the admin API. It only needs `fetch`, so it works in browsers and in Node. */
export function createAdminClient({ url = '', key, unanswered }: AdminClientOptions): AdminClient {
  const asker = createAsker(url, key);
  const read = async (request: AdminRequest): Promise<unknown> => {
    const response = await asker.ask(request);
    if (response.status === 204) return null;
    const answer = (await jsonOf(response)) as { readonly unanswered?: readonly string[] } | null;
    if (unanswered !== undefined && Array.isArray(answer?.unanswered) && answer.unanswered.length > 0) unanswered(answer.unanswered);
    return answer;
  };
  // What comes is what the schemas of the gateway describe: the gateway's tests check its answers by them.
  const get = async <T>(path: string, query?: object): Promise<T> => (await read({ path, query: query as Query | undefined })) as T;
  const send = async <T>(method: 'POST' | 'PUT', path: string, body: object, timeoutMs?: number): Promise<T> =>
    (await read({ method, path, body, ...(timeoutMs === undefined ? {} : { timeoutMs }) })) as T;

  return {
    request: read,
    fetch: (request) => asker.ask(request),

    status: () => get('status'),
    healthCheck: () => get('health-check'),
    consistency: () => get('consistency'),
    queue: () => get('queue'),
    nodes: () => get('nodes'),
    drainNode: (node, body) => send('POST', `nodes/${segmentOf(node)}/drain`, body),
    alerts: () => get('alerts'),
    audit: (query) => get('audit', query),
    config: () => get('config'),
    openApi: () => get('openapi.json'),
    metrics: async () => (await asker.ask({ path: '/metrics', accept: 'text/plain' })).text(),

    users: (query) => get('users', query),
    user: (user) => get(`users/${segmentOf(user)}`),
    setTier: (user, body) => send('PUT', `users/${segmentOf(user)}/tier`, body),
    freeUser: (user, body) => send('POST', `users/${segmentOf(user)}/free`, body, CHANGE_MS),

    managers: (query) => get('managers', query),
    manager: (id) => get(`managers/${segmentOf(id)}`),
    explain: (id) => get(`managers/${segmentOf(id)}/explain`),
    probe: (id) => send('POST', `managers/${segmentOf(id)}/probe`, {}, CHANGE_MS),
    evict: (id, body) => send('POST', `managers/${segmentOf(id)}/evict`, body),

    planCleanup: (body) => send('POST', 'cleanup/plan', body),
    runPlan: (body) => send('POST', 'cleanup/run', body, CHANGE_MS),
    cleanups: (query) => get('cleanup/history', query),
    cleanup: (run) => get(`cleanup/history/${segmentOf(run)}`),

    events: (query) => get('events', query),
    async *watchEvents(query, { after, signal } = {}) {
      const response = await asker.ask({
        path: 'events',
        query: query as Query | undefined,
        accept: 'text/event-stream',
        headers: after === undefined ? {} : { 'last-event-id': String(after) },
        signal,
      });
      if (response.body === null) return;
      for await (const { event, data } of streamedEvents(response.body)) {
        if (event === 'bye') return;
        yield JSON.parse(data) as is.AdminEvent;
      }
    },
    threadLog: (user, thread, query) => get(`threads/${segmentOf(user)}/${segmentOf(thread)}/log`, query),

    drills: () => get('drills'),
    startDrill: (name, body = {}) => send('POST', `drills/${segmentOf(name)}/start`, body, CHANGE_MS),
    drill: (id) => get(`drills/runs/${segmentOf(id)}`),
    stopDrill: (id) => send('POST', `drills/runs/${segmentOf(id)}/stop`, {}),
  };
}

/** What changes something may wait for peers or for processes. */
const CHANGE_MS = 30_000;
