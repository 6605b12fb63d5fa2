import type { z } from 'zod';
import type * as bodies from '../../../../schemas/admin-bodies.ts';
import type * as reports from '../../../../schemas/admin-reports.ts';
import { problem } from '../../problems.ts';
import { type Asked, meant } from './asked.ts';
import { mergedStatus, mergedUser, mergedUserDetail } from './merged-figures.ts';
import { type Cursors, cursorFor, mergedPage, type PartOfPage, type Place, readCursors, spellCursors } from './merged-page.ts';
import { LONG_LOOK_MS, type Reply } from './peers.ts';

/** A path whose answer is made of the answers of all nodes. */
export interface Gathering {
  /** Below `/admin/api/v1`. */
  readonly path: RegExp;
  gather(asked: Asked): Promise<Response>;
}

type Users = z.infer<typeof bodies.Users>;

/** How many an operator gets who does not say; as the schemas of the queries have it. */
const USERS_LIMIT = 100;
const MANAGERS_LIMIT = 100;
const HISTORY_LIMIT = 50;
const EVENTS_LIMIT = 100;
const AUDIT_LIMIT = 100;

/** What operators look at over all nodes. Who did not answer within 300 ms is named, and nothing of it is in the figures. */
export const GATHERINGS: readonly Gathering[] = [
  { path: /^status$/, gather: status },
  { path: /^users$/, gather: users },
  { path: /^users\/[^/]+$/, gather: user },
  { path: /^managers$/, gather: (asked) => list(asked, 'managers', MANAGERS_LIMIT) },
  { path: /^managers\/[^/]+(\/explain)?$/, gather: whereverItIs },
  { path: /^cleanup\/history$/, gather: (asked) => list(asked, 'cleanups', HISTORY_LIMIT) },
  { path: /^cleanup\/history\/[^/]+$/, gather: whereverItIs },
  { path: /^queue$/, gather: queue },
  { path: /^events$/, gather: events },
  { path: /^audit$/, gather: (asked) => list(asked, 'entries', AUDIT_LIMIT) },
  { path: /^consistency$/, gather: consistency },
];

async function status(asked: Asked): Promise<Response> {
  const heard = await asked.everybody();
  if ('refused' in heard) return heard.refused;
  const all = bodiesOf<z.infer<typeof reports.Status>>(heard.replies);
  return asked.json({ ...mergedStatus(all), nodes: heard.replies.map(({ node }) => node), unanswered: heard.unanswered });
}

async function user(asked: Asked): Promise<Response> {
  const heard = await asked.everybody();
  if ('refused' in heard) return heard.refused;
  const all = bodiesOf<z.infer<typeof reports.UserDetail>>(heard.replies);
  if (all.length === 0) return nowhere(asked, heard.unanswered);
  return asked.json({ ...mergedUserDetail(all), unanswered: heard.unanswered });
}

async function queue(asked: Asked): Promise<Response> {
  const heard = await asked.everybody();
  if ('refused' in heard) return heard.refused;
  const queued = bodiesOf<z.infer<typeof bodies.Queue>>(heard.replies).flatMap((one) => one.queued);
  return asked.json({ queued, unanswered: heard.unanswered });
}

async function consistency(asked: Asked): Promise<Response> {
  const heard = await asked.everybody(LONG_LOOK_MS);
  if ('refused' in heard) return heard.refused;
  const all = bodiesOf<z.infer<typeof reports.Consistency>>(heard.replies);
  const differences = all.flatMap((one) => one.differences);
  return asked.json({ checkedAt: all[0]?.checkedAt ?? Date.now(), differences, unanswered: heard.unanswered });
}

/** One thing that one node has: this one first, since most often it is here. */
async function whereverItIs(asked: Asked): Promise<Response> {
  const own = await asked.one(asked.peers.own);
  if (own !== null && own.status !== 404) return asked.asAnswered(own);
  const { replies, unanswered } = await asked.all(asked.others);
  const found = replies.find((reply) => reply.status !== 404);
  return found === undefined ? nowhere(asked, unanswered) : asked.asAnswered(found);
}

function nowhere({ c, path }: Asked, unanswered: readonly string[]): Response {
  const what = meant(path.split('?')[0]?.split('/').at(-1) ?? '');
  const silent = unanswered.length === 0 ? '' : ` ${unanswered.join(', ')} did not answer, so it may be there.`;
  return problem(c, { code: 'not-found', detail: `No node that answered knows \`${what === 'explain' ? (path.split('/')[1] ?? '') : what}\`.${silent}` });
}

// ---- lists

interface ListBody {
  readonly nextCursor: string | null;
  /** Of nodes that are asked by nodes. */
  readonly places?: readonly Place[];
}

async function list(asked: Asked, name: 'managers' | 'cleanups' | 'entries', usual: number): Promise<Response> {
  const from = cursorsIn(asked);
  const heard = await asked.everybody(undefined, (node) => asked.with({ cursor: cursorFor(node, cursorIn(asked)) }));
  if ('refused' in heard) return heard.refused;
  const page = mergedPage(
    heard.replies.map((reply) => partOf(reply, name)),
    limitOf(asked, usual),
    from,
  );
  const nextCursor = page.next === null ? null : spellCursors(page.next);
  return asked.json({ [name]: page.rows.map(({ row }) => row), nextCursor, unanswered: heard.unanswered });
}

function partOf(reply: Reply, name: string): PartOfPage<unknown> {
  const body = reply.body as ListBody & Readonly<Record<string, readonly unknown[]>>;
  const rows = body[name] ?? [];
  // A node of another version tells no places: nothing of its rows can be ordered among those of others.
  return body.places?.length === rows.length
    ? { node: reply.node, rows, places: body.places, hasMore: body.nextCursor !== null }
    : { node: reply.node, rows: [], places: [], hasMore: false };
}

/** A user may be on several nodes. By id all rows of one user come together; by another order a user stands where one node has it first,
 *  and what the others have is asked for. */
async function users(asked: Asked): Promise<Response> {
  const from = cursorsIn(asked);
  const heard = await asked.everybody(undefined, (node) => asked.with({ cursor: cursorFor(node, cursorIn(asked)) }));
  if ('refused' in heard) return heard.refused;
  const parts = heard.replies.map((reply) => partOf(reply, 'users') as PartOfPage<Users['users'][number]>);
  const sort = new URL(asked.c.req.url).searchParams.get('sort') ?? 'id';
  const page = mergedPage(parts, limitOf(asked, USERS_LIMIT) * (sort === 'id' || sort === 'name' ? parts.length : 1), from);
  const seen = [...new Set(page.rows.map(({ row }) => row.user))].slice(0, limitOf(asked, USERS_LIMIT));
  const known = await allRowsOf(
    asked,
    seen,
    heard.replies.map(({ node }) => node),
  );
  const isFirst = ({ node, row, place }: (typeof page.rows)[number]): boolean =>
    !(known.rows.get(row.user) ?? []).some((other) => other.node !== node && (other.rank < place.rank || (other.rank === place.rank && other.node < node)));
  const shown = seen.filter((id) => page.rows.some((one) => one.row.user === id && isFirst(one)));
  const last = page.rows.findLastIndex(({ row }) => row.user === seen.at(-1));
  const next = nextOf(page.rows.slice(0, last + 1), from);
  const isWhole = page.next === null && last === page.rows.length - 1;
  return asked.json({
    users: shown.map((id) => mergedUser((known.rows.get(id) ?? []).map(({ row }) => row))),
    nextCursor: isWhole ? null : spellCursors(next),
    unanswered: [...new Set([...heard.unanswered, ...known.unanswered])],
  });
}

function nextOf(rows: readonly { readonly node: string; readonly place: Place }[], from: Cursors): Cursors {
  const next: Record<string, string> = { ...from };
  for (const { node, place } of rows) next[node] = place.cursor;
  return next;
}

type KnownRow = { readonly node: string; readonly rank: Place['rank']; readonly row: Users['users'][number] };

/** What each node has of these users. */
async function allRowsOf(asked: Asked, ids: readonly string[], nodes: readonly string[]) {
  const rows = new Map<string, KnownRow[]>();
  if (ids.length === 0) return { rows, unanswered: [] };
  const only = asked.with({ cursor: undefined, limit: String(ids.length), users: ids.map(encodeURIComponent).join(',') });
  const { replies, unanswered } = await asked.all(nodes, undefined, () => only);
  for (const reply of replies) {
    const part = partOf(reply, 'users') as PartOfPage<KnownRow['row']>;
    for (const [i, row] of part.rows.entries()) {
      const known: KnownRow = { node: reply.node, rank: part.places[i]?.rank ?? '', row };
      rows.set(row.user, [...(rows.get(row.user) ?? []), known]);
    }
  }
  return { rows, unanswered };
}

// ---- events

type Event = z.infer<typeof bodies.Events>['events'][number];

/** Oldest first: the newest of all nodes or, behind a cursor, the first of all that came after it. */
async function events(asked: Asked): Promise<Response> {
  const cursor = cursorIn(asked);
  const node = new URL(asked.c.req.url).searchParams.get('node');
  if (node !== null && node !== asked.peers.own && !asked.others.includes(node))
    return problem(asked.c, { code: 'not-found', detail: `Expected one of ${[asked.peers.own, ...asked.others].join(', ')}, got \`${node}\`.` });
  const nodes = node === null ? [asked.peers.own, ...asked.others] : [node];
  const heard = await asked.all(nodes, undefined, (one) => asked.with({ cursor: cursorFor(one, cursor), node: undefined }));
  const refused = heard.replies.find(({ status }) => status !== 200);
  if (refused !== undefined) return asked.asAnswered(refused);
  const limit = limitOf(asked, EVENTS_LIMIT);
  const all = heard.replies
    .flatMap((reply) => (reply.body as { readonly events: readonly Event[] }).events)
    .sort((a, b) => a.at - b.at || (a.node === b.node ? a.id - b.id : 0));
  const shown = cursor === undefined ? all.slice(-limit) : all.slice(0, limit);
  const next: Record<string, string> = { ...cursorsIn(asked) };
  // Who has nothing new stays where it is told to be: at its newest event.
  for (const reply of heard.replies) next[reply.node] ??= (reply.body as { readonly nextCursor: string }).nextCursor;
  for (const event of shown) next[event.node] = String(event.id);
  return asked.json({ events: shown, nextCursor: spellCursors(next), unanswered: heard.unanswered });
}

// ---- what is asked

const bodiesOf = <T>(replies: readonly Reply[]): readonly T[] => replies.map(({ body }) => body as T);
const cursorIn = ({ c }: Asked): string | undefined => c.req.query('cursor');
const cursorsIn = (asked: Asked): Cursors => readCursors(cursorIn(asked) ?? '') ?? {};
const limitOf = ({ c }: Asked, usual: number): number => Number(c.req.query('limit') ?? usual);
