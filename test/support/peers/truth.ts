import { expect } from 'vitest';
import type { Attentive } from '../../../src/core/clocks.ts';
import type { ManagerId, UserId } from '../../../src/protocol/ids.ts';
import { type Fate, isMissed, isWronglyTaken, record, scenarioOf } from '../confusion.ts';
import type { TestGateway } from '../gateway.ts';
import { Books } from './books.ts';
import { isLegacyVictim } from './legacy-criteria.ts';
import type { AliveKind, DeadKind } from './peer.ts';
import { TooLate } from './too-late.ts';

/** How often everybody is looked at. Looking refreshes no evidence. */
const LOOK_EVERY_MS = 200;
/** A later look than this is a stall of ours: a gateway that stalled blames nobody until it has been well for a while. */
const STALL_MS = 100;
const RECOVERY_MS = 5_000;

interface Known {
  readonly manager: ManagerId;
  readonly user: UserId;
  kind: string;
  truth: Fate['truth'];
  brokenAt: Attentive | null;
  boundMs: number;
  foundAfterMs: number | null;
  verdict: string;
  takenAt: string | null;
  wasCalledDead: string | null;
  isLegacyVictim: boolean;
  isGone: boolean;
  /** Its connection is gone and it is expected back: whatever is said of it is right. */
  isAway: boolean;
}

/** The truth of what a scenario did to each client, beside what the gateway says of it: at every look and at every decision. To be made
 *  before the first client connects. */
export class Truth implements Disposable {
  readonly #gw: TestGateway;
  readonly #books: Books;
  readonly #known = new Map<ManagerId, Known>();
  /** Lives that ended with a taken seat; whoever returns under the same id begins another. */
  readonly #over: Known[] = [];
  readonly #stop: (() => void)[];
  #lookedAt = performance.now();
  #stalled = false;

  constructor(gw: TestGateway) {
    this.#gw = gw;
    this.#books = new Books(gw);
    const timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
    this.#stop = [
      () => clearInterval(timer),
      () => this.#books[Symbol.dispose](),
      gw.gateway.on('cleanup-finished', ({ victims, kept }) => {
        for (const { managerId, verdict, level } of victims) this.#decided(managerId, verdict, level);
        for (const { managerId, verdict } of kept) this.#decided(managerId, verdict, null);
      }),
      gw.gateway.on('manager-ended', ({ managerId }) => {
        const known = this.#known.get(managerId);
        if (known) known.isGone = true;
      }),
    ];
  }

  /** From now on this manager's client works. */
  works(manager: string, user: string, kind: AliveKind | 'tab' = 'plain'): void {
    const known = this.#known.get(manager as ManagerId);
    if (known !== undefined && known.takenAt === null) Object.assign(known, { kind, isAway: false, isGone: false });
    else {
      if (known) this.#over.push(known);
      this.#know(manager, user, kind);
    }
  }

  /** From now on it is broken. */
  breaks(manager: string, user: string, kind: DeadKind): void {
    const known = this.#known.get(manager as ManagerId) ?? this.#know(manager, user, kind);
    Object.assign(known, { kind, truth: 'dead', brokenAt: this.#gw.gateway.factory.now() });
    known.boundMs = this.#boundMs(known);
  }

  /** Its connection is cut, until it `works` again. */
  away(manager: string): void {
    const known = this.#known.get(manager as ManagerId);
    if (known) known.isAway = true;
  }

  #know(manager: string, user: string, kind: string): Known {
    const known: Known = {
      manager: manager as ManagerId,
      user: user as UserId,
      kind,
      truth: 'working',
      brokenAt: null,
      boundMs: 0,
      foundAfterMs: null,
      verdict: 'healthy',
      takenAt: null,
      wasCalledDead: null,
      isLegacyVictim: false,
      isGone: false,
      isAway: false,
    };
    this.#known.set(known.manager, known);
    return known;
  }

  #look(): void {
    const now = performance.now();
    if (now - this.#lookedAt > LOOK_EVERY_MS + STALL_MS) this.#stalled = true;
    this.#lookedAt = now;
    const { factory } = this.#gw.gateway;
    for (const known of this.#known.values()) {
      const m = factory.find(known.manager);
      if (known.isGone || m === undefined || m.seat === null) continue;
      known.isLegacyVictim ||= isLegacyVictim({
        truth: known.truth,
        isFlaggedClosed: m.state === 'closed',
        isConnected: m.attachment !== null,
        silentMs: Math.max(0, factory.now() - Math.max(m.evidence.pongAt, m.evidence.inboundAt, m.evidence.ackAt)),
        ageMs: Date.now() - m.openedAt,
      });
      // The less a user is pressed, the longer a frozen application may stay.
      if (known.truth === 'dead') known.boundMs = Math.max(known.boundMs, this.#boundMs(known));
      this.#decided(known.manager, m.verdict.is, null);
    }
  }

  #decided(manager: ManagerId, verdict: string, takenAt: string | null): void {
    const known = this.#known.get(manager);
    if (known === undefined || known.takenAt !== null) return;
    known.verdict = verdict;
    known.takenAt = takenAt;
    const isDead = verdict === 'zombie' || verdict === 'inactive';
    if (!isDead) return;
    if (known.truth === 'dead') known.foundAfterMs ??= Math.max(0, this.#gw.gateway.factory.now() - (known.brokenAt ?? 0));
    else if (!known.isAway) known.wasCalledDead ??= `${known.kind} ${manager}: ${verdict}`;
    else if (takenAt !== null) Object.assign(known, { kind: 'cut', truth: 'dead', foundAfterMs: 0 });
  }

  /** How soon a fault has to be found: a silent transport in 30 s, a frozen application in 80 s, falling linearly from 70 % of the
   *  limit to 25 s; a tenth and half a second under `fast`. */
  #boundMs({ kind, user }: Known): number {
    const { factory } = this.#gw.gateway;
    const { limits, timing } = factory.options;
    const share = Math.max(factory.list(user).length / limits.perUser, factory.getFactoryStatus().seats / limits.perNode);
    const applicationMs = 80_000 - 55_000 * Math.min(1, Math.max(0, (share - 0.7) / 0.3));
    const ms = kind === 'F05a' || kind === 'F06a' ? applicationMs : 30_000;
    return timing === 'fast' ? ms / 10 + 500 : ms;
  }

  /** The scenario has done what it does. Records it, and throws if a dead client was missed or found late, a working one accused, or
   *  the gateway's numbers are not those of its records and of the kernel. */
  async conclude(): Promise<void> {
    await this.#books.agree();
    this.#look();
    this[Symbol.dispose]();
    const scenario = scenarioOf(expect.getState().currentTestName ?? '');
    const now = this.#gw.gateway.factory.now();
    const all = [...this.#over, ...this.#known.values()];
    const fates = all.map((known): Fate => {
      const isDue = known.brokenAt !== null && now - known.brokenAt >= known.boundMs + (this.#stalled ? RECOVERY_MS : 0);
      const { kind, truth, verdict, takenAt, foundAfterMs, boundMs, isLegacyVictim: isLegacy } = known;
      return {
        scenario,
        kind,
        truth,
        verdict,
        takenAt,
        isFound: foundAfterMs !== null,
        foundAfterMs,
        boundMs,
        isDue,
        wasCalledDead: known.wasCalledDead !== null,
        isLegacyVictim: isLegacy,
      };
    });
    record(fates);
    const accused = all.flatMap((known) => known.wasCalledDead ?? []);
    expect(accused, 'working clients called dead').toEqual([]);
    expect(fates.filter(isWronglyTaken), 'working clients taken below Force').toEqual([]);
    expect(fates.filter(isMissed), 'dead clients missed').toEqual([]);
    for (const { kind, foundAfterMs, boundMs } of fates) {
      const allowedMs = boundMs + (this.#stalled ? RECOVERY_MS : 0);
      if (foundAfterMs !== null && foundAfterMs > allowedMs && boundMs > 0)
        throw new TooLate(`Expected ${kind} to be found within ${allowedMs} ms, took ${Math.round(foundAfterMs)} ms.`, boundMs);
    }
  }

  [Symbol.dispose](): void {
    for (const stop of this.#stop.splice(0)) stop();
  }
}
