import { nextProbe } from '../../core/ask.ts';
import { applicationAt } from '../../core/evidence.ts';
import type { ManagerId } from '../../protocol/ids.ts';
import type { Context } from '../context.ts';

/** How often a round looks whether everybody has answered. */
const LOOK_EVERY_MS = 10;

/** Asks all of `managers` at once and waits until each has given a sign of life, at most `deadlineMs`. What they answered is in
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
