import { wallClock } from '../support/lab/faketime.ts';
import { Lab } from '../support/lab/lab.ts';
import { seeded } from '../support/lab/seeded.ts';
import { nowMs, type Stall, watchStalls } from '../support/lab/time.ts';
import { closeSwallowingRelay } from '../support/peers/close-swallowing-relay.ts';
import { Adversary } from './adversary.ts';
import { Attempt, type Violation } from './attempt.ts';
import type { House } from './guest.ts';
import { drawSetting } from './setting.ts';

/** What came of one gateway. */
export interface EpochResult {
  readonly number: number;
  readonly says: string;
  readonly attempts: readonly Attempt[];
  readonly violations: readonly Violation[];
  readonly troubles: Readonly<Record<string, number>>;
  readonly stalledMs: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly cleanups: number;
  readonly evicted: number;
  /** What happened to everybody, in order. */
  readonly chronicle: readonly { readonly at: number; readonly text: string }[];
}

const CHECK_EVERY_MS = 100;
const TOKEN_MS = 48 * 3_600_000;
/** After the acts, everybody who still waits is given this much more than any bound. */
const GRACE_MS = 3_000;
/** A person who is told a time comes back, waits in the queue, and so on: this long at most, when nothing bad happens any more. */
const CALM_AFTER_MS = 60_000;

/** One gateway, one adversary, `forMs` long; then quiet, in which everybody who waits must get a seat. */
export async function runEpoch(seed: number, number: number, forMs: number): Promise<EpochResult> {
  const random = seeded((seed * 1_000_003 + number * 7_919) >>> 0);
  const setting = drawSetting(random);
  using clock = wallClock();
  await using lab = await Lab.start({ options: setting.options, seed: seed + number }, clock?.env ?? {});
  await using stubborn = await closeSwallowingRelay(Number(new URL(lab.url).port));
  const ownStalls: Stall[] = [];
  using _watch = watchStalls((stall) => {
    ownStalls.push(stall);
    lab.stalls.push(stall);
  });
  const tokens = new Map<string, string>();
  for (const { id, tier } of setting.users) tokens.set(id, await lab.token(id, { tier, livesMs: TOKEN_MS }));

  const attempts: Attempt[] = [];
  const violations: Violation[] = [];
  const chronicle: { at: number; text: string }[] = [];
  let isOver = false;
  const weather: House['weather'] = [];
  const house: House = {
    weather,
    random,
    wsUrl: lab.wsUrl,
    stubbornUrl: `ws://127.0.0.1:${stubborn.port}/v1/ws`,
    port: Number(new URL(lab.url).port),
    promiseMs: setting.promiseMs,
    isOver: () => isOver,
    tell: (text) => chronicle.push({ at: nowMs(), text }),
    newAttempt(guest, intent, waitMs) {
      const attempt = new Attempt({
        name: `${guest.name}#${attempts.length}`,
        user: guest.user,
        intent,
        waitMs: Math.min(waitMs ?? setting.waitMs, setting.waitMs),
        excuses: () => [...lab.stalls, ...weather.filter((bad) => bad.user === null || bad.user === guest.user)],
        violated: (violation) => violations.push(violation),
      });
      attempts.push(attempt);
      return attempt;
    },
  };
  const adversary = new Adversary({ lab, random, setting, house, tokens, clock });
  const open = (): readonly Attempt[] => attempts.filter((attempt) => attempt.outcome === null && attempt.intent === 'user');
  const checks = setInterval(() => {
    for (const attempt of attempts) attempt.check(Math.min(nowMs(), lab.awakeAt));
  }, CHECK_EVERY_MS);

  const startedAt = nowMs();
  try {
    await adversary.rage(() => nowMs() - startedAt >= forMs || violations.length > 0);
    if (!lab.hasEnded) await adversary.rest();
    const calmBy = nowMs() + setting.waitMs + GRACE_MS;
    const isDone = (): boolean => open().length === 0 || violations.length > 0 || lab.hasEnded;
    while (!isDone() && nowMs() < (setting.isNodeSmall ? calmBy : calmBy + CALM_AFTER_MS)) await new Promise((resolve) => setTimeout(resolve, CHECK_EVERY_MS));
  } catch (error) {
    // A gateway that is gone answers nothing; what it left is told below.
    if (!lab.hasEnded) throw error;
  } finally {
    isOver = true;
    clearInterval(checks);
    for (const attempt of attempts) attempt.check(lab.awakeAt);
    for (const guest of adversary.guests) guest[Symbol.dispose]();
  }
  if (lab.hasEnded) violations.push({ what: `the gateway's process ended: ${lab.troubles.at(-1)?.message}`, attempt: attempts.at(-1) as Attempt });
  const troubles: Record<string, number> = {};
  for (const { event, severity } of lab.troubles) troubles[`${event} (${severity})`] = (troubles[`${event} (${severity})`] ?? 0) + 1;
  return {
    number,
    says: setting.says,
    attempts,
    violations,
    troubles,
    stalledMs: lab.stalls.filter((stall) => !ownStalls.includes(stall)).reduce((sum, { from, to }) => sum + to - from, 0),
    counts: adversary.counts,
    cleanups: lab.cleanups.length,
    evicted: lab.cleanups.reduce((sum, { report }) => sum + report.victims.length, 0),
    chronicle,
  };
}
