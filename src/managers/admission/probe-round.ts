import { nextProbe } from '../../core/ask.ts';
import { applicationAt } from '../../core/evidence.ts';
import { silentFrom } from '../../core/judge.ts';
import type { ManagerId, NodeId, UserId } from '../../protocol/ids.ts';
import type { Context } from '../context.ts';

/** How often a round looks whether everybody has answered. */
const LOOK_EVERY_MS = 10;

/** What other nodes need of a round to hear of it and to tell what came of it. */
const WAY_MS = 50;

/** Whom on this node a probe could tell apart: evidence is old, and no question is out whose silence speaks already. */
export function ambiguousHere(context: Context, user: UserId): readonly ManagerId[] {
  const { options } = context;
  const now = context.now();
  const { score } = context.self(user);
  const p = context.pressure(user);
  const ids: ManagerId[] = [];
  for (const m of context.registry.of(user)) {
    const e = m.evidence;
    if (m.seat === null || m.attachment === null || e.class !== 'acking' || now - applicationAt(e) <= options.health.freshMs) continue;
    const silent = silentFrom(e, score, p, options, now);
    if (silent === null ? nextProbe(e, 'emergency', options, now).do === 'probe' : now < silent) ids.push(m.id);
  }
  return ids;
}

/** Whom on other nodes their own node could tell apart: what was told is old, or not sure. */
export function ambiguousElsewhere(context: Context, user: UserId): readonly ManagerId[] {
  const { elsewhere, options } = context;
  const isSure = ({ verdict }: { readonly verdict: string }): boolean => verdict === 'healthy' || verdict === 'zombie' || verdict === 'inactive';
  return elsewhere
    .of(user)
    .filter(({ owner, digest }) => owner === 'answering' && (!isSure(digest) || elsewhere.toldAgoMs(user, digest) > options.health.freshMs))
    .map(({ digest }) => digest.manager);
}

/** Asks the nodes that hold `managers` to ask them, waits for what they say, and takes it in. Resolves to how many were asked. */
async function roundElsewhere(context: Context, user: UserId, managers: readonly ManagerId[], deadlineMs: number): Promise<number> {
  const { cluster, elsewhere, store, seatLimits } = context;
  const nodes = new Set<NodeId>();
  for (const id of managers) {
    const found = elsewhere.find(user, id);
    if (found?.owner === 'answering') nodes.add(found.digest.node);
  }
  if (cluster === null || nodes.size === 0) return 0;
  const asked = [...nodes].map(async (node) => {
    const outcome = await cluster.ask(node, 'probe', { user, deadlineMs: Math.max(0, deadlineMs - WAY_MS) }, deadlineMs);
    elsewhere.heard(node, outcome.is === 'silent' ? 'silent' : 'answer');
    return outcome.is === 'answer' ? (outcome.answer.asked ?? 0) : 0;
  });
  const count = (await Promise.all(asked)).reduce((sum, n) => sum + n, 0);
  await store.seats.facts(user, seatLimits);
  return count;
}

/** One round over all nodes. */
export async function probeEverywhere(context: Context, user: UserId, managers: readonly ManagerId[], deadlineMs: number): Promise<number> {
  const [here, there] = await Promise.all([probeRound(context, managers, deadlineMs), roundElsewhere(context, user, managers, deadlineMs)]);
  return here + there;
}

/** Asks all of `managers` that are here at once and waits until each has given a sign of life, at most `deadlineMs`. What they answered is in
 *  their evidence. Resolves to how many it waited for. A probe that cannot be sent accuses nobody and stops nobody. */
export async function probeRound(context: Context, managers: readonly ManagerId[], deadlineMs: number): Promise<number> {
  const asked: { readonly id: ManagerId; readonly before: number }[] = [];
  for (const id of managers) {
    const manager = context.registry.find(id);
    if (!manager?.attachment) continue;
    const before = applicationAt(manager.evidence);
    const isDue = nextProbe(manager.evidence, 'emergency', context.options, context.now()).do === 'probe';
    if (isDue && !manager.attachment.probe()) continue;
    asked.push({ id, before });
  }
  const until = context.mono() + deadlineMs;
  while (context.mono() < until) {
    const silent = asked.some(({ id, before }) => {
      const manager = context.registry.find(id);
      return manager?.attachment != null && applicationAt(manager.evidence) <= before;
    });
    if (!silent) return asked.length;
    await new Promise<void>((resolve) => context.clock.after(Math.max(0, Math.min(LOOK_EVERY_MS, until - context.mono())), resolve));
  }
  return asked.length;
}
