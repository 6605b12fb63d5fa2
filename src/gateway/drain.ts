import type { Options } from '../core/options.ts';
import type { WebSocketManagerFactory } from '../managers/factory.ts';
import type { Clock } from '../ports/clock.ts';
import { CLOSE } from '../protocol/close-codes.ts';
import { drainingNotice } from '../protocol/texts.ts';
import { writeFrame } from '../protocol/write.ts';
import type { Connection, Connections } from './connections.ts';
import type { RunBoard } from './runs.ts';

/** Least time for what was appended to reach the store. */
const SETTLE_GRACE_MS = 1_000;
/** Longest time for farewells to be read, once all else is done. */
const FAREWELL_GRACE_MS = 1_000;

const wait = (clock: Clock, ms: number): Promise<void> => (ms <= 0 ? Promise.resolve() : new Promise((resolve) => clock.after(ms, resolve)));

/** Empties this node. No message is taken and no run starts any more, at once; what has been accepted and has not begun waits in the
 *  store for the next process, or is begun by another node as soon as the run before it has ended. Clients are moved one by one; runs go on to their end or to `withinMs`, and end with `producer_lost`
 *  then. Resolves when the store has everything, or can be waited for no longer. */
export async function drainGateway(o: {
  factory: WebSocketManagerFactory;
  connections: Connections;
  runs: RunBoard;
  options: Options;
  clock: Clock;
  withinMs: number;
}): Promise<void> {
  const { connections, clock, options, factory, runs } = o;
  const endAt = clock.mono() + o.withinMs;
  const left = (): number => Math.max(0, endAt - clock.mono());
  runs.close();
  await wait(clock, Math.min(options.shutdown.predelayMs, o.withinMs));
  const open = connections.all();
  await moveAll(open, Math.min(options.shutdown.spreadMs, left()), factory, clock);
  await runs.stop(left());
  // A store that takes nothing any more must not keep the process from ending, and neither must a peer that reads nothing.
  await Promise.race([factory.streams.settled(), wait(clock, Math.max(SETTLE_GRACE_MS, left()))]);
  await Promise.race([Promise.all(open.map(({ line }) => line.gone)), wait(clock, FAREWELL_GRACE_MS)]);
}

/** Tells everybody their turn, then moves one after the other: a place that takes all of them must not meet all of them at once. */
async function moveAll(open: readonly Connection[], spreadMs: number, factory: WebSocketManagerFactory, clock: Clock): Promise<void> {
  const slotMs = open.length === 0 ? 0 : spreadMs / open.length;
  const startedAt = clock.mono();
  for (const [i, { line, credential }] of open.entries()) {
    const notice = drainingNotice({ slotMs: Math.round(slotMs * i), reason: 'drain' });
    line.transport.send([writeFrame({ type: 'notice', id: 'draining', version: 1, ...notice })]);
    factory.tell('notice-shown', { user: credential.identity.user, kind: notice.kind });
  }
  for (const [i, connection] of open.entries()) {
    await wait(clock, startedAt + slotMs * i - clock.mono());
    move(connection, factory);
  }
}

function move({ line, manager }: Connection, factory: WebSocketManagerFactory): void {
  const held = manager === null ? undefined : factory.find(manager)?.attachment;
  // The manager may have been taken over by another transport, whose turn is another one.
  const attachment = held?.transport === line.transport ? held : undefined;
  attachment?.delivery.flush();
  line.part({ close: CLOSE.draining, reason: 'drain', positions: attachment?.positions(), manager: manager ?? undefined });
  attachment?.fence();
}
