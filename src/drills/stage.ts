import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type AdminClient, createAdminClient } from '../admin/index.ts';
import { Crew } from './crew.ts';
import type { DrillNews, DrillOrder, GatewayAddress } from './order.ts';

/** Says how an expectation turned out, and what was seen. May be said again: the last word counts. */
export type Verdict = (ok: boolean | null, seen: string) => void;

const LOOK_EVERY_MS = 100;

/** Where a drill is performed: its order, its processes, and what it tells. */
export class Stage {
  readonly order: DrillOrder;
  readonly crew: Crew;
  /** The gateway's own word. */
  admin: AdminClient;
  /** Where its clients connect. */
  wsUrl: string;
  /** With what they do. */
  token: string;
  readonly #tell: (news: DrillNews) => void;
  #expectations = 0;

  constructor(order: DrillOrder, tell: (news: DrillNews) => void) {
    this.order = order;
    this.#tell = tell;
    this.crew = new Crew(tell);
    this.token = order.token;
    this.wsUrl = socketUrl(order.gateway.url);
    this.admin = adminOf(order.gateway);
  }

  /** From here on it happens at another gateway. */
  moveTo(gateway: GatewayAddress, token: string): void {
    this.token = token;
    this.wsUrl = socketUrl(gateway.url);
    this.admin = adminOf(gateway);
  }

  step(text: string): void {
    this.#tell({ step: { atMs: Date.now() - this.order.startedAt, text } });
  }

  /** Puts up what must happen, before it happens. What is never decided counts as failed. */
  expects(text: string): Verdict {
    const at = this.#expectations++;
    const verdict: Verdict = (ok, seen) => this.#tell({ at, expectation: { text, ok, seen } });
    verdict(null, '');
    return verdict;
  }

  /** Looks until `look` finds something, then gives it; null when `withinMs` are over. For states that announce themselves to nobody. */
  async sees<T>(withinMs: number, look: () => T | null | Promise<T | null>): Promise<T | null> {
    const until = performance.now() + withinMs;
    for (;;) {
      const found = await look();
      if (found !== null) return found;
      if (performance.now() > until) return null;
      await delay(LOOK_EVERY_MS);
    }
  }

  /** The same where the drill cannot go on without it. */
  async needs<T>(what: string, withinMs: number, look: () => T | null | Promise<T | null>): Promise<T> {
    const found = await this.sees(withinMs, look);
    if (found === null) throw new Error(`Expected ${what} within ${Math.ceil(withinMs / 1_000)} s.`);
    return found;
  }

  /** Ends all processes, and removes what they left in the drill's folder. */
  async close(): Promise<void> {
    await this.crew.close();
    rmSync(this.order.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

const adminOf = ({ adminUrl, adminKey }: GatewayAddress): AdminClient => createAdminClient({ url: adminUrl, key: adminKey });
const socketUrl = (url: string): string => `${url.replace(/^http/, 'ws')}/v1/ws`;
