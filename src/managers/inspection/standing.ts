import type { Tier } from '../../protocol/ids.ts';
import type { VerdictName } from '../../protocol/messages.ts';
import type { ByVerdict } from '../reports.ts';

const VERDICTS = ['healthy', 'idle', 'suspect', 'zombie', 'inactive', 'unknown'] as const satisfies readonly VerdictName[];

/** Managers that are counted alike. */
export interface Group {
  readonly tier: Tier;
  readonly verdict: VerdictName;
  /** Neither dead nor being given up. */
  readonly isEffective: boolean;
  /** Of them: how many there are now. */
  count: number;
}

/** Whoever is counted. `WebSocketManager` is one. */
export interface Counted {
  /** With whom it is counted now; null while it is not. Changed by `Standing` alone. */
  group: Group | null;
}

/** How many managers hold a seat, by verdict and tier. Each figure is moved when a manager gets or loses its seat, is judged anew or is
 *  being given up, so that nobody need be looked at when it is asked for. */
export class Standing {
  readonly #groups = new Map<Tier, Map<string, Group>>();
  readonly #verdicts: Record<VerdictName, number> = { healthy: 0, idle: 0, suspect: 0, zombie: 0, inactive: 0, unknown: 0 };
  #seats = 0;
  #effective = 0;

  /** It holds a seat, with this verdict, from now on. */
  stands(who: Counted, tier: Tier, verdict: VerdictName, isEffective: boolean): void {
    const before = who.group;
    if (before !== null && before.verdict === verdict && before.isEffective === isEffective && before.tier === tier) return;
    this.leaves(who);
    const group = this.#groupOf(tier, verdict, isEffective);
    who.group = group;
    group.count++;
    this.#verdicts[verdict]++;
    this.#seats++;
    if (isEffective) this.#effective++;
  }

  /** It holds none any more. */
  leaves(who: Counted): void {
    const { group } = who;
    if (group === null) return;
    who.group = null;
    group.count--;
    this.#verdicts[group.verdict]--;
    this.#seats--;
    if (group.isEffective) this.#effective--;
  }

  #groupOf(tier: Tier, verdict: VerdictName, isEffective: boolean): Group {
    let groups = this.#groups.get(tier);
    if (groups === undefined) {
      groups = new Map();
      this.#groups.set(tier, groups);
    }
    const name = isEffective ? verdict : `${verdict} going`;
    let group = groups.get(name);
    if (group === undefined) {
      group = { tier, verdict, isEffective, count: 0 };
      groups.set(name, group);
    }
    return group;
  }

  get seats(): number {
    return this.#seats;
  }

  get effective(): number {
    return this.#effective;
  }

  get byVerdict(): ByVerdict {
    return { ...this.#verdicts };
  }

  /** By verdict and tier, without those of which there are none. */
  get managers(): readonly { readonly verdict: VerdictName; readonly tier: Tier; readonly count: number }[] {
    const found: { verdict: VerdictName; tier: Tier; count: number }[] = [];
    for (const [tier, groups] of this.#groups) {
      for (const verdict of VERDICTS) {
        const count = (groups.get(verdict)?.count ?? 0) + (groups.get(`${verdict} going`)?.count ?? 0);
        if (count > 0) found.push({ verdict, tier, count });
      }
    }
    return found;
  }
}
