import type { Lab } from '../../support/lab/lab.ts';
import { nowMs } from '../../support/lab/time.ts';
import { Crowd, type Opened } from './crowd.ts';

/** What the user's seats are when one more client comes. */
export type Ground = 'room' | 'dead' | 'frozen';

/** What one measured opening showed. */
export interface RoundResult {
  readonly opened: readonly Opened[];
  /** Durations that the gateway recorded. */
  readonly admissionMs: readonly number[];
  readonly cleanupMs: readonly number[];
  readonly outcomes: readonly string[];
  readonly probed: number;
}

const SEATS = 20;
/** Crowds that share the frozen clients: one process alone would take long to fill. */
const CROWDS = 2;
/** Under the preset `fast` a transport is asked every half second: after this time its round trip is known. */
const KNOWN_MS = 1_300;
/** Under the preset `fast` evidence is old after 1 s, and an application at the limit is dead 2 s after its last sign. */
const FROZEN_MS = 1_200;
const DEAD_WITHIN_MS = 15_000;

/** Brings `users` new users to `ground`, opens one client more for each of them at once, and reads what it took. */
export async function runRound(lab: Lab, opener: Crowd, ground: Ground, users: readonly string[]): Promise<RoundResult> {
  await using stack = new AsyncDisposableStack();
  const tokens = new Map<string, string>();
  for (const user of users) tokens.set(user, await lab.token(user));
  const client = (user: string) => ({ user, token: tokens.get(user) ?? '' });

  const seats = ground === 'room' ? SEATS / 2 : SEATS;
  const crowds = Array.from({ length: CROWDS }, () => stack.use(new Crowd()));
  await Promise.all(
    crowds.map((crowd, i) =>
      crowd.open({
        url: lab.wsUrl,
        allAtOnce: false,
        clients: users.flatMap((user) => Array.from({ length: seats / CROWDS + (i === 0 ? (seats / CROWDS) % 1 : 0) }, () => client(user))),
      }),
    ),
  );
  if (ground !== 'room') {
    await pause(KNOWN_MS);
    for (const crowd of crowds) crowd.stop();
    if (ground === 'frozen') await pause(FROZEN_MS);
    else await allProvedDead(lab, users);
  }

  const [admissions, cleanups] = [lab.admissions.length, lab.cleanups.length];
  const opened = await opener.open({ url: lab.wsUrl, allAtOnce: true, clients: users.map(client) });
  // Records travel apart from what the clients see.
  const until = nowMs() + 2_000;
  while (lab.admissions.length < admissions + users.length && nowMs() < until) await pause(10);
  const records = lab.admissions.slice(admissions).map(({ record }) => record);
  return {
    opened,
    admissionMs: records.map((record) => record.durationMs),
    cleanupMs: lab.cleanups.slice(cleanups).map(({ report }) => report.durationMs),
    outcomes: records.map((record) => record.outcome),
    probed: records.reduce((sum, record) => sum + record.probed, 0),
  };
}

async function allProvedDead(lab: Lab, users: readonly string[]): Promise<void> {
  const until = nowMs() + DEAD_WITHIN_MS;
  for (;;) {
    const status = await lab.status(...users);
    if (users.every((user) => status.users[user]?.effective === 0)) return;
    if (nowMs() > until) throw new Error('Expected every stopped client to be proved dead.');
    await pause(200);
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
