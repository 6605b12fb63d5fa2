import type { Options } from '../core/options.ts';
import type { WebSocketManagerFactory } from '../managers/factory.ts';
import type { Clock } from '../ports/clock.ts';
import { CLOSE } from '../protocol/close-codes.ts';
import { drainingNotice } from '../protocol/texts.ts';
import { writeFrame } from '../protocol/write.ts';
import type { Connections } from './connections.ts';
import type { RunBoard } from './runs.ts';

/** Least time for what was appended to reach the store. */
const SETTLE_GRACE_MS = 1_000;

const wait = (clock: Clock, ms: number): Promise<void> => (ms <= 0 ? Promise.resolve() : new Promise((resolve) => clock.after(ms, resolve)));

/** Empties this node: readiness fails at once, clients are moved one by one, runs go on to their end or to `withinMs`. */
export async function drainGateway(o: {
  factory: WebSocketManagerFactory;
  connections: Connections;
  runs: RunBoard;
  options: Options;
  clock: Clock;
  withinMs: number;
}): Promise<void> {
  const { connections, clock, options, factory } = o;
  const startedAt = clock.mono();
  await wait(clock, Math.min(options.shutdown.predelayMs, o.withinMs));
  const open = connections.all();
  const slotMs = open.length === 0 ? 0 : Math.min(options.shutdown.spreadMs, o.withinMs) / open.length;
  for (const [i, { line }] of open.entries()) {
    const notice = drainingNotice({ slotMs: Math.round(slotMs * i), reason: 'drain' });
    line.transport.send([writeFrame({ type: 'notice', id: 'draining', version: 1, ...notice })]);
  }
  for (const { line, manager } of open) {
    const held = manager === null ? undefined : factory.find(manager);
    line.part({ close: CLOSE.draining, reason: 'drain', positions: held?.attachment?.positions(), manager: manager ?? undefined });
    held?.attachment?.fence();
    await wait(clock, slotMs);
  }
  await o.runs.stop(Math.max(0, o.withinMs - (clock.mono() - startedAt)));
  // A store that takes nothing any more must not keep the process from ending.
  await Promise.race([factory.streams.settled(), wait(clock, Math.max(SETTLE_GRACE_MS, o.withinMs - (clock.mono() - startedAt)))]);
}
