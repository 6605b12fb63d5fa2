/** A thousand connections of a hundred and twenty users, a fifth of them dead. */

export interface Member {
  readonly user: string;
  readonly tier: 'free' | 'early' | 'mid' | 'enterprise';
  readonly thread: string;
  /** False: its socket answers pings and its page is frozen. */
  readonly works: boolean;
}

/** Signs their tokens. */
export const CROWD_SECRET = 'a secret of the crowd, 32 bytes and more';
export const CROWD = 1_000;
export const CROWD_DEAD = 200;
const TIERS = ['free', 'early', 'mid', 'enterprise'] as const;
const USERS = 120;
const NAMES = ['alice', 'bruno', 'chiara', 'dmitri', 'elena', 'farid', 'greta', 'hugo', 'ines', 'jonas', 'kaya', 'luca'];
/** Of 20 tabs, alice's: more than half are dead. */
const ALICE = { tabs: 20, dead: 14 };

/** The same every time. */
export function crowd(): readonly Member[] {
  const members: Member[] = Array.from({ length: ALICE.tabs }, (_, i) => ({ user: 'alice', tier: 'mid', thread: `tab-${i + 1}`, works: i >= ALICE.dead }));
  let dead = CROWD_DEAD - ALICE.dead;
  for (let i = 1; members.length < CROWD; i = (i % (USERS - 1)) + 1) {
    const name = NAMES[i % NAMES.length] ?? 'alice';
    const user = i < NAMES.length ? name : `${name}.${Math.floor(i / NAMES.length) + 1}`;
    const dies = dead > 0 && members.length % 5 === 2;
    if (dies) dead -= 1;
    members.push({ user, tier: TIERS[i % TIERS.length] ?? 'free', thread: `tab-${members.length}`, works: !dies });
  }
  // What is left to die, from the end.
  for (let i = members.length - 1; dead > 0 && i > 0; i--) {
    const member = members[i];
    if (member?.works !== true || i % 3 !== 0) continue;
    members[i] = { ...member, works: false };
    dead -= 1;
  }
  return members;
}
