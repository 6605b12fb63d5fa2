import type { Attentive } from '../../../src/core/clocks.ts';
import type { CleanupReport } from '../../../src/managers/events.ts';
import type { ManagerId, UserId } from '../../../src/protocol/ids.ts';
import { startGateway, type TestGateway } from '../gateway.ts';
import { offerEvents, working } from './alive.ts';
import { willBreak } from './dead.ts';
import { connectionsTo, heldFrom, until } from './kernel.ts';
import type { Seen } from './legacy-criteria.ts';
import { type AliveKind, type AlivePeer, type DeadKind, type DeadPeer, handlesAnEvent, portOf, publishTo } from './peer.ts';
import { ProvableClient } from './provable-client.ts';
import { TooLate } from './too-late.ts';
import { Truth } from './truth.ts';

export const USER = 'ada' as UserId;
/** What a person waits for a seat at most. */
export const SEATED_WITHIN_MS = 500;
/** A scenario waits this long for proof, in the gateway's own attentive time: a tenth of 50 s. */
const PROOF_WITHIN_MS = 5_000;

export interface Scene {
  readonly gw: TestGateway;
  readonly alive: readonly AlivePeer[];
  readonly dead: readonly DeadPeer[];
  readonly cleanups: readonly CleanupReport[];
  readonly truth: Truth;
  /** When the faults began, in the gateway's attentive time. */
  readonly brokenAt: Attentive;
  /** Every manager while all of them still look active: before the faults. */
  readonly seen: readonly Seen[];
}

/** One user at the limit: working clients, and others that worked and are broken now, with events owed to them. */
export async function atTheLimit(
  cleanUp: AsyncDisposableStack,
  aliveKinds: readonly AliveKind[],
  deadKinds: readonly DeadKind[],
  options: Parameters<typeof startGateway>[0] = {},
): Promise<Scene> {
  const gw = cleanUp.use(await startGateway({ timing: 'fast', cleanup: { proactive: false }, ...options }));
  const truth = cleanUp.use(new Truth(gw));
  const cleanups: CleanupReport[] = [];
  gw.gateway.on('cleanup-finished', (report) => cleanups.push(report));

  const dead = await Promise.all(deadKinds.map((kind, i) => willBreak(kind, { gw, user: USER, thread: `broken-${i}-${kind}` })));
  for (const peer of dead) cleanUp.use(peer);
  const alive = await Promise.all(aliveKinds.map((kind, i) => working(kind, { gw, user: USER, thread: `working-${i}-${kind}` }, i + 1)));
  for (const peer of alive) cleanUp.use(peer);
  cleanUp.use(offerEvents(gw, alive));
  await Promise.all([...alive, ...dead].map((peer) => handlesAnEvent(gw.gateway, peer)));

  for (const peer of alive) truth.works(peer.manager, peer.user, peer.kind);
  for (const peer of dead) truth.breaks(peer.manager, peer.user, peer.kind);
  const brokenAt = gw.gateway.factory.now();
  await Promise.all(dead.map((peer) => peer.breaks()));
  for (const peer of dead) await publishTo(gw.gateway, peer);
  await Promise.all(dead.map((peer) => peer.proof()));
  const seen = gw.gateway.factory.list(USER).map((m) => ({
    truth: dead.some((peer) => peer.manager === m.id) ? ('dead' as const) : ('working' as const),
    isFlaggedClosed: m.state === 'closed',
    isConnected: m.attachment !== null,
    silentMs: Math.max(0, gw.gateway.factory.now() - Math.max(m.evidence.pongAt, m.evidence.inboundAt, m.evidence.ackAt)),
    ageMs: Date.now() - m.openedAt,
  }));
  return { gw, alive, dead, cleanups, seen, truth, brokenAt };
}

export function verdictOf(gw: TestGateway, id: ManagerId): string {
  const verdict = gw.gateway.factory.find(id)?.verdict;
  return verdict === undefined ? 'gone' : `${verdict.is}: ${verdict.reason}`;
}
export const isProvedDead = (gw: TestGateway, id: ManagerId): boolean => gw.gateway.factory.find(id)?.verdict.proof ?? false;

/** A gateway that stalled blames nobody until it has been well again for this long. */
const RECOVERY_MS = 5_000;
const STALL_MS = 100;
const NEVER_MS = 20_000;

/** Waits until `missing` names nothing any more, at most `withinMs` of the gateway's attentive time after the faults. After a stall of
 *  this process the count starts anew. */
export async function inTime({ gw, brokenAt }: Scene, what: string, withinMs: number, missing: () => readonly string[]): Promise<void> {
  const { factory } = gw.gateway;
  let from: number = brokenAt;
  let allowedMs = withinMs;
  let lookedAt = performance.now();
  await until(
    what,
    () => {
      const left = missing();
      const gapMs = performance.now() - lookedAt;
      lookedAt += gapMs;
      if (gapMs > STALL_MS) {
        from = factory.now();
        allowedMs = withinMs + RECOVERY_MS;
      }
      if (left.length > 0 && factory.now() - from > allowedMs) throw new Error(`Expected ${what} within ${allowedMs} ms, not so: ${left.join(', ')}.`);
      return left.length === 0;
    },
    NEVER_MS,
  );
}

/** Waits until everybody broken is proved dead. */
export async function provedDead(scene: Scene): Promise<void> {
  const { gw, dead } = scene;
  await inTime(scene, 'a verdict on every broken client', PROOF_WITHIN_MS, () =>
    dead.filter((peer) => !isProvedDead(gw, peer.manager)).map((peer) => `${peer.kind} (${verdictOf(gw, peer.manager)})`),
  );
}

/** New clients of the same person, all within `withinMs`. */
export async function connect(
  cleanUp: AsyncDisposableStack,
  { gw, truth }: { readonly gw: TestGateway; readonly truth?: Truth },
  count: number,
  withinMs: number,
): Promise<readonly ProvableClient[]> {
  const token = await gw.token(USER);
  const clients = await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      await new Promise((resolve) => setTimeout(resolve, (i * withinMs) / count));
      return await ProvableClient.open(gw.wsUrl, { token, thread: `new-${i}`, label: `new ${i}` });
    }),
  );
  for (const client of clients) {
    cleanUp.use(client.wire);
    truth?.works(client.manager, USER);
  }
  return clients;
}

export const stillOpen = (scene: Scene): readonly AlivePeer[] =>
  scene.alive.filter((peer) => peer.isOpen() && scene.gw.gateway.factory.find(peer.manager) !== undefined);
/** Those broken whose sockets the gateway still holds. */
export function stillHeld({ gw, dead }: Scene): readonly DeadPeer[] {
  const held = heldFrom(portOf(gw));
  return dead.filter((peer) => held.has(peer.fromPort()));
}
/** Those broken whose seat and socket are gone. */
export function freed(scene: Scene): readonly DeadPeer[] {
  const held = new Set(stillHeld(scene));
  return scene.dead.filter((peer) => scene.gw.gateway.factory.find(peer.manager) === undefined && !held.has(peer));
}
export const closedOf = (scene: Scene): string =>
  scene.alive
    .filter((peer) => !peer.isOpen())
    .map((peer) => peer.thread)
    .join(' ');

/** Seats, what counts of them, sockets as they are counted and as the kernel has them. */
export async function numbers(
  gw: TestGateway,
): Promise<{ readonly seats: number; readonly effective: number; readonly sockets: number; readonly kernel: number }> {
  const limits = await gw.gateway.factory.limits(USER, 'free');
  return { seats: limits.used, effective: limits.effective, sockets: limits.sockets, kernel: connectionsTo(portOf(gw)) };
}

/** Waits until the numbers are these. A socket is counted out with its close event, which follows the kernel by a turn of the loop. */
export async function numbersBecome(gw: TestGateway, expected: Partial<Awaited<ReturnType<typeof numbers>>>, withinMs = 1_000): Promise<void> {
  let last = {};
  const matches = async (): Promise<boolean> => {
    const now = await numbers(gw);
    last = now;
    return Object.entries(expected).every(([name, value]) => now[name as keyof typeof now] === value);
  };
  await until(JSON.stringify(expected), matches, withinMs).catch((error: unknown) => {
    throw new TooLate(`Got ${JSON.stringify(last)} in the end.`, withinMs, { cause: error });
  });
}
