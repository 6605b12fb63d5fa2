/** People who come while things happen: each has to get a seat in time, whatever the store does. */

import { setTimeout as delay } from 'node:timers/promises';
import { type Cluster, type ClusterNode, clusterToken } from '../support/cluster.ts';
import { HELLO } from '../support/gateway.ts';
import { nowMs } from '../support/lab/time.ts';
import { UpgradeRefused, WireClient } from '../support/wire-client.ts';

/** A person who finds everything full waits 10.5 s at most after their ticket; dialling, and a machine that does much else, take the rest. */
const SEATED_WITHIN_MS = 12_000;
const DEADLINE_MS = 30_000;
const LOOK_EVERY_MS = 50;
const AGAIN_AFTER_MS = 250;
const DRAINING = 4_001;
/** Ended without a word, with its node. */
const CUT = 1_006;

interface Tab {
  readonly client: WireClient;
  isLeaving: boolean;
}

export interface NewcomerFigures {
  readonly came: number;
  readonly seated: number;
  readonly slowestMs: number;
  /** The most tabs of the full user that were seated at once, as they saw it. */
  readonly mostSeated: number;
}

/** Guests come and go; and one user at the limit opens tab after tab, each of which has to get a seat. */
export class Newcomers implements AsyncDisposable {
  /** What must not be, in words. */
  readonly broken: string[] = [];
  readonly #cluster: Cluster;
  readonly #full: string;
  readonly #mayClose: (code: number) => boolean;
  readonly #tabs = new Set<Tab>();
  readonly #loops: Promise<void>[] = [];
  readonly #watch: NodeJS.Timeout;
  #isOver = false;
  #came = 0;
  #took: number[] = [];
  #mostSeated = 0;

  constructor(cluster: Cluster, full: string, mayClose: (code: number) => boolean = () => false) {
    this.#cluster = cluster;
    this.#mayClose = mayClose;
    this.#full = full;
    this.#watch = setInterval(() => {
      this.#mostSeated = Math.max(this.#mostSeated, this.seated);
    }, LOOK_EVERY_MS);
  }

  /** Tabs of the full user that sit now. */
  get seated(): number {
    return [...this.#tabs].filter(({ client }) => client.isOpen).length;
  }

  get figures(): NewcomerFigures {
    return { came: this.#came, seated: this.#took.length, slowestMs: Math.round(Math.max(0, ...this.#took)), mostSeated: this.#mostSeated };
  }

  /** So many tabs of the full user, over all nodes. */
  async fill(count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, (_, i) => this.#comes(this.#full, i)));
  }

  begin(o: { readonly guestEveryMs: number; readonly fullEveryMs: number }): void {
    this.#loops.push(this.#come('guest', o.guestEveryMs), this.#come(this.#full, o.fullEveryMs));
  }

  /** Nobody new comes; who is coming arrives. */
  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#loops);
  }

  async #come(user: string, everyMs: number): Promise<void> {
    const coming: Promise<void>[] = [];
    for (let i = 0; !this.#isOver; i++) {
      coming.push(this.#comes(user === this.#full ? user : `${user}-${i % 7}`, i));
      await delay(everyMs);
    }
    await Promise.all(coming);
  }

  async #comes(user: string, index: number): Promise<void> {
    this.#came++;
    const from = nowMs();
    for (let turn = index; ; turn++) {
      const running = this.#cluster.nodes.filter((node) => node.isRunning);
      const node = running[turn % running.length];
      try {
        if (node === undefined) throw new TurnedAway('no node runs');
        const client = await seated(node, user);
        const tookMs = nowMs() - from;
        this.#took.push(tookMs);
        if (tookMs > SEATED_WITHIN_MS) this.broken.push(`${user} got a seat on ${node.name} after ${Math.round(tookMs)} ms`);
        if (user === this.#full) this.#sits(client, node.name);
        else client.leave();
        return;
      } catch (error) {
        if (error instanceof TurnedAway && nowMs() - from < SEATED_WITHIN_MS) {
          await delay(AGAIN_AFTER_MS);
          continue;
        }
        this.broken.push(`${user} got no seat on ${node?.name ?? 'any node'}: ${error instanceof Error ? error.message : String(error)}`);
        return;
      }
    }
  }

  #sits(client: WireClient, node: string): void {
    const tab: Tab = { client, isLeaving: false };
    this.#tabs.add(tab);
    void client.closed.then(({ code, reason }) => {
      this.#tabs.delete(tab);
      // Tabs of this user give way for others of theirs; nothing else ends them.
      if (!tab.isLeaving && (code < 4_200 || code > 4_299) && !this.#mayClose(code))
        this.broken.push(`a tab of ${this.#full} on ${node} was closed: ${code} ${reason}`);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#watch);
    this.#isOver = true;
    await Promise.allSettled(this.#loops);
    for (const tab of this.#tabs) tab.isLeaving = true;
    await Promise.all([...this.#tabs].map(({ client }) => client[Symbol.asyncDispose]()));
  }
}

/** Whoever hears this dials another node, as every client does: this one is being stopped, or started. */
class TurnedAway extends Error {}

async function seated(node: ClusterNode, user: string): Promise<WireClient> {
  const client = await WireClient.open(node.wsUrl, { deadlineMs: DEADLINE_MS }).catch((error: unknown) => {
    if (error instanceof UpgradeRefused ? error.status === 503 : (error as { readonly code?: string }).code === 'ECONNREFUSED')
      throw new TurnedAway(String(error));
    throw error;
  });
  client.behave().sendFrame({ ...HELLO, token: await clusterToken(user) });
  const ready = client.next('ready');
  const isClosed = client.closed.then(({ code }) => {
    if (code === DRAINING || code === CUT) throw new TurnedAway(`closed: ${code}`);
    return null;
  });
  // Whichever comes first; the other one is looked at no more.
  ready.catch(() => {});
  isClosed.catch(() => {});
  await Promise.race([ready, isClosed]);
  await ready;
  return client;
}
