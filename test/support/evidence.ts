/** Evidence, verdicts and candidates for the properties of `core`. */

import fc from 'fast-check';
import { attentive } from '../../src/core/clocks.ts';
import { type Evidence, newEvidence } from '../../src/core/evidence.ts';
import { judge } from '../../src/core/judge.ts';
import { resolveOptions } from '../../src/core/resolve-options.ts';
import { WELL } from '../../src/core/self-health.ts';
import { type Owner, standIn, type Told } from '../../src/core/stand-in.ts';
import { type Candidate, toCandidate } from '../../src/core/victims.ts';
import type { ManagerId, UserId } from '../../src/protocol/ids.ts';

export const OPTIONS = resolveOptions();
export const USER = 'ada' as UserId;
/** Long enough after zero for every age an option names. */
export const NOW = attentive(10_000_000);

export const manager = (n: number): ManagerId => `mgr_${String(n).padStart(20, '0')}` as ManagerId;

/** A connected acking manager seated at `NOW`. */
export const fresh = (change: Partial<Evidence> = {}): Evidence => ({
  ...newEvidence({ managerId: manager(1), userId: USER, class: 'acking', visibility: 'visible' }, NOW),
  ...change,
});

/** Instants up to `maxMs` ago, often just around the limits that options name. */
export const ago = (maxMs = 400_000) =>
  fc
    .oneof(
      fc.integer({ min: 0, max: maxMs }),
      fc.constantFrom(0, 199, 200, 500, 999, 1_000, 3_000, 4_999, 5_000, 8_000, 9_999, 10_000, 10_001, 20_000, 25_000, 60_000, 75_000, 300_000),
    )
    .map((ms) => attentive(NOW - Math.min(ms, maxMs)));

/** Any evidence that a manager can have at `NOW`. */
export const evidence = (change: Partial<Record<keyof Evidence, fc.Arbitrary<unknown>>> = {}): fc.Arbitrary<Evidence> =>
  fc.record({
    managerId: fc.nat(999).map(manager),
    userId: fc.constant(USER),
    class: fc.constantFrom('acking', 'acking', 'acking', 'unverifiable'),
    link: fc.oneof(
      { weight: 5, arbitrary: fc.constant({ is: 'open' }) },
      fc.record({ is: fc.constant('lost'), since: ago(130_000), reason: fc.constantFrom('transport-lost', 'half-open', 'write-stalled') }),
      fc.record({ is: fc.constant('ended'), reason: fc.constantFrom('client-closed', 'parked', 'ghost', 'superseded') }),
    ),
    owner: fc.oneof({ weight: 6, arbitrary: fc.constant('local') }, fc.constantFrom('answering', 'silent', 'dead')),
    seatedAt: ago(),
    ackAt: ago(),
    answerAt: ago(),
    inboundAt: ago(),
    activityAt: ago(),
    pongAt: ago(30_000),
    pingedAt: ago(30_000),
    pingFlushedAt: fc.option(ago(30_000)),
    outputStuckSince: fc.option(ago(8_000), { freq: 3 }),
    sentAt: ago(30_000),
    owed: fc.option(fc.record({ since: ago(30_000), events: fc.integer({ min: 1, max: 99 }), bytes: fc.nat(300_000), critical: fc.boolean() })),
    probe: fc.option(
      fc.record({
        askedAt: ago(30_000),
        flushedAt: fc.option(ago(100_000)),
        failed: fc.constantFrom(false, false, false, true),
        bytesAhead: fc.constantFrom(0, 0, 1_000, 200_000),
        gapMs: fc.constantFrom(0, 0, 20, 99, 101, 2_000),
        standing: fc.constantFrom('first', 'first', 'voided', 'second'),
      }),
    ),
    run: fc.boolean(),
    srttMs: fc.constantFrom(1_000, 1, 40, 300),
    rttvarMs: fc.constantFrom(0, 1, 100),
    ackBytesPerS: fc.constantFrom(0, 10_000, 1_000_000),
    visibility: fc.constantFrom('visible', 'hidden', 'frozen', 'unknown'),
    ...change,
  }) as fc.Arbitrary<Evidence>;

/** What another node can have told of a manager, also one of another version. */
export const told = (): fc.Arbitrary<Told> =>
  fc.record(
    {
      manager: fc.nat(999).map(manager),
      token: fc.nat(999),
      verdict: fc.constantFrom('healthy', 'idle', 'suspect', 'zombie', 'inactive', 'unknown'),
      reason: fc.constantFrom('run', 'quiet', 'ack-stalled', 'ack-timeout', 'half-open', 'unverifiable', 'correlated', 'of a later version'),
      sinceMs: fc.constantFrom(0, 100, 4_999, 5_000, 300_000),
      quietMs: fc.constantFrom(0, 9_999, 59_000, 60_000, 299_000, 400_000),
      run: fc.boolean(),
      pinned: fc.constantFrom(false, false, true),
      critical: fc.boolean(),
      hidden: fc.boolean(),
      toldAgoMs: fc.constantFrom(0, 1, 1_000, 11_000),
      seatedAgoMs: fc.constantFrom(0, 4_999, 5_000, 600_000),
    },
    { requiredKeys: ['manager', 'token', 'verdict', 'quietMs', 'run', 'pinned', 'critical', 'hidden', 'toldAgoMs', 'seatedAgoMs'] },
  );
export const owner = (): fc.Arbitrary<Owner> => fc.constantFrom('answering', 'silent', 'dead');

/** A user's managers as a plan sees them, judged at `NOW`, with distinct ids: those of its own node, and stand-ins for those of others. */
export const candidates = (max = 25, min = 0): fc.Arbitrary<Candidate[]> =>
  fc
    .array(
      fc.record({
        e: evidence(),
        pinned: fc.boolean(),
        promised: fc.constantFrom(false, false, false, true),
        wasZombie: fc.constantFrom(false, false, false, true),
        elsewhere: fc.option(fc.record({ told: told(), owner: owner() }), { freq: 2 }),
      }),
      {
        minLength: min,
        maxLength: max,
      },
    )
    .map((list) =>
      list.map(({ e, pinned, promised, wasZombie, elsewhere }, i) => {
        if (elsewhere !== null) return standIn(USER, { ...elsewhere.told, manager: manager(i), token: i + 1 }, elsewhere.owner, OPTIONS, NOW);
        const one = { ...e, managerId: manager(i) };
        const zombie = { is: 'zombie', reason: 'ack-timeout', proof: true, since: NOW, quietMs: 0, evidence: [] } as const;
        return toCandidate(one, judge(one, wasZombie ? zombie : null, WELL, 1, OPTIONS, NOW), { version: i, token: i + 1, pinned, promised }, OPTIONS, NOW);
      }),
    );
