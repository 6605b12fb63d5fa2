import type { z } from 'zod';
import type * as bodies from '../../../../schemas/admin-bodies.ts';
import type * as operation from '../../../../schemas/admin-operation.ts';
import type * as reports from '../../../../schemas/admin-reports.ts';
import { problem } from '../../problems.ts';
import { type Asked, meant } from './asked.ts';
import { ACT_MS, type Reply } from './peers.ts';

/** An act that concerns other nodes than the one that was asked. */
export interface PassingOn {
  readonly method: 'POST' | 'PUT';
  /** Below `/admin/api/v1`. */
  readonly path: RegExp;
  /** Null: it is for this node alone. `body`: what came, not checked yet: whoever acts checks it, and whether this operator may. */
  act(asked: Asked, body: unknown): Promise<Response | null>;
}

/** Acts over all nodes. Each is done, refused and audited where the thing is that it is about. */
export const PASSINGS: readonly PassingOn[] = [
  { method: 'POST', path: /^managers\/[^/]+\/(probe|evict)$/, act: onManager },
  { method: 'POST', path: /^users\/[^/]+\/free$/, act: freeUser },
  { method: 'PUT', path: /^users\/[^/]+\/tier$/, act: setTier },
  { method: 'POST', path: /^cleanup\/run$/, act: runPlan },
  { method: 'POST', path: /^nodes\/[^/]+\/drain$/, act: drainNode },
];

const method = ({ c }: Asked): string => c.req.method;

async function onManager(asked: Asked, body: unknown): Promise<Response | null> {
  const id = asked.path.split('/')[1] ?? '';
  const where = `managers/${id}`;
  if ((await asked.one(asked.peers.own, { path: where }))?.status === 200) return null;
  const { replies, unanswered } = await asked.all(asked.others, undefined, () => where);
  const holder = replies.find(({ status }) => status === 200);
  if (holder !== undefined) return await done(asked, holder.node, body);
  return unanswered.length === 0 ? null : lateOnes(asked, unanswered, `No node that answered has a seat of manager \`${meant(id)}\`.`);
}

/** Passes the request on as it came, and answers what is answered there. */
async function done(asked: Asked, node: string, body: unknown): Promise<Response> {
  const reply = await asked.one(node, { method: method(asked), body }, ACT_MS);
  return reply === null ? nobodyKnows(asked, [node]) : asked.asAnswered(reply);
}

const nobodyKnows = ({ c }: Asked, nodes: readonly string[]): Response =>
  problem(c, {
    code: 'internal',
    detail: `${nodes.join(', ')} did not answer within ${ACT_MS / 1_000} s: nobody knows here whether it was done. Look before you try again.`,
  });

const lateOnes = ({ c }: Asked, unanswered: readonly string[], what: string): Response =>
  problem(c, { code: 'not-found', detail: `${what} ${unanswered.join(', ')} did not answer, so it may be there; try again. Nothing was changed.` });

type UserDetail = z.infer<typeof reports.UserDetail>;
type Freed = z.infer<typeof bodies.FreedByOperator>;

/** Named seats where they are, the dead on every node; a number of them by the node that has most, which weighs all of them. */
async function freeUser(asked: Asked, body: unknown): Promise<Response | null> {
  const user = asked.path.split('/')[1] ?? '';
  const heard = await asked.everybody(undefined, () => `users/${user}`);
  if ('refused' in heard) return null;
  const held = heard.replies.map(({ node, body: detail }) => ({ node, managers: (detail as UserDetail).managers }));
  const others = held.filter(({ node }) => node !== asked.peers.own);
  const { managers, count, ...rest } = (body ?? {}) as { readonly managers?: readonly string[]; readonly count?: number };
  if (managers !== undefined && !Array.isArray(managers)) return null;
  if (others.every((one) => one.managers.length === 0) && heard.unanswered.length === 0) return null;
  if (heard.unanswered.length > 0 && managers === undefined) return lateOnes(asked, heard.unanswered, 'Not every node of this user could be asked.');
  if (count !== undefined) {
    const most = held.reduce((best, one) => (one.managers.length > best.managers.length ? one : best));
    return most.node === asked.peers.own ? null : await done(asked, most.node, body);
  }
  if (managers === undefined)
    return await freedBy(
      asked,
      held.map(({ node }) => ({ node, body })),
    );
  const strange = managers.filter((id) => !held.some((one) => one.managers.some(({ managerId }) => managerId === id)));
  if (strange.length > 0) return lateOrStrange(asked, strange, heard.unanswered);
  const pinned = held.flatMap((one) => one.managers).filter((one) => one.pinned && managers.includes(one.managerId) && !isDead(one.verdict));
  // Whoever has them says so in the right words; nobody may be freed elsewhere meanwhile.
  const holders = held.filter((one) =>
    one.managers.some(({ managerId }) => (pinned.length > 0 ? pinned.some((p) => p.managerId === managerId) : managers.includes(managerId))),
  );
  const orders = holders.map((one) => ({
    node: one.node,
    body: { ...rest, managers: one.managers.map(({ managerId }) => managerId).filter((id) => managers.includes(id)) },
  }));
  return await freedBy(asked, pinned.length > 0 ? orders.slice(0, 1) : orders);
}

const isDead = (verdict: string): boolean => verdict === 'zombie' || verdict === 'inactive';

const lateOrStrange = (asked: Asked, strange: readonly string[], unanswered: readonly string[]): Response =>
  problem(asked.c, {
    code: 'not-found',
    detail: `${strange.join(', ')}: not a manager of this user on any node that answered${unanswered.length === 0 ? '' : ` (${unanswered.join(', ')} did not)`}. Nobody was freed.`,
  });

async function freedBy(asked: Asked, orders: readonly { readonly node: string; readonly body: unknown }[]): Promise<Response> {
  const replies: Reply[] = [];
  const late: string[] = [];
  for (const { node, body } of orders) {
    const reply = await asked.one(node, { method: method(asked), body }, ACT_MS);
    if (reply === null) late.push(node);
    // Whoever held it has gone meanwhile.
    else if (reply.status === 200) replies.push(reply);
    else if (reply.status !== 404) return asked.asAnswered(reply);
  }
  const freed = replies.map((reply) => reply.body as Freed);
  return asked.json({
    freed: freed.flatMap((one) => one.freed),
    kept: freed.reduce((kept, one) => kept + one.kept, 0),
    run: null,
    unanswered: late,
  });
}

/** Everywhere: the user's next session may be on any node. */
async function setTier(asked: Asked, body: unknown): Promise<Response | null> {
  const own = await asked.one(asked.peers.own, { method: method(asked), body });
  if (own === null || own.status !== 200) return own === null ? null : asked.asAnswered(own);
  const replies = await Promise.all(asked.others.map((node) => asked.one(node, { method: method(asked), body })));
  const unanswered = asked.others.filter((_, i) => replies[i]?.status !== 200);
  return asked.json({ ...(own.body as z.infer<typeof operation.TierSet>), unanswered });
}

/** A plan is carried out by the node that made it. */
async function runPlan(asked: Asked, body: unknown): Promise<Response | null> {
  const own = await asked.one(asked.peers.own, { method: method(asked), body });
  if (own === null) return null;
  if (own.status !== 404) return asked.asAnswered(own);
  const late: string[] = [];
  for (const node of asked.others) {
    const reply = await asked.one(node, { method: method(asked), body });
    if (reply === null) late.push(node);
    else if (reply.status !== 404) return asked.asAnswered(reply);
  }
  // That there is none is said, and noted, by the path itself.
  return late.length === 0 ? null : nobodyKnows(asked, late);
}

async function drainNode(asked: Asked, body: unknown): Promise<Response | null> {
  const id = meant(asked.path.split('/')[1] ?? '');
  return asked.others.includes(id) ? await done(asked, id, body) : null;
}
