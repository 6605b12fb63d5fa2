import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import type { TestGateway } from '../gateway.ts';
import { connectionsTo } from './kernel.ts';
import { portOf } from './peer.ts';

/** A socket is counted out with its close event, an evicted one's linger takes its time. */
const SETTLED_WITHIN_MS = 4_000;
const LOOK_EVERY_MS = 50;

/** What the records of a gateway say, kept by a listener from its first admission on, beside what it says of itself and what the
 *  kernel has. */
export class Books implements Disposable {
  readonly #gw: TestGateway;
  readonly #seated = new Set<string>();
  readonly #stop: readonly (() => void)[];
  #freed = 0;

  constructor(gw: TestGateway) {
    this.#gw = gw;
    this.#stop = [
      gw.gateway.on('admission-ended', ({ managerId, outcome }) => {
        if (outcome !== 'retry-later' && outcome !== 'abandoned') this.#seated.add(managerId);
      }),
      gw.gateway.on('manager-ended', ({ managerId }) => this.#seated.delete(managerId)),
      gw.gateway.on('cleanup-finished', ({ victims }) => {
        this.#freed += victims.length;
      }),
    ];
  }

  /** Waits until kernel, status and records agree and the consistency check finds no difference; throws what still differs. */
  async agree(): Promise<void> {
    const deadline = performance.now() + SETTLED_WITHIN_MS;
    for (;;) {
      const { says, shouldSay } = await this.#compare();
      if (JSON.stringify(says) === JSON.stringify(shouldSay)) return;
      if (performance.now() > deadline) expect(says, 'what the gateway says, against the kernel and its records').toEqual(shouldSay);
      await delay(LOOK_EVERY_MS);
    }
  }

  async #compare(): Promise<{ readonly says: object; readonly shouldSay: object }> {
    const { factory } = this.#gw.gateway;
    const { differences } = await factory.checkConsistency();
    const health = await factory.healthCheckAllManagers();
    const { seats, effective, sockets, quarantined, freed } = factory.getFactoryStatus();
    const sum = Object.values(freed).reduce((a, b) => a + b, 0);
    return {
      says: { seats, effective, sockets, quarantined, freed: sum, differences },
      shouldSay: {
        seats: this.#seated.size,
        effective: this.#seated.size - health.zombie - health.inactive,
        sockets: connectionsTo(portOf(this.#gw)),
        quarantined: 0,
        freed: this.#freed,
        differences: [],
      },
    };
  }

  [Symbol.dispose](): void {
    for (const stop of this.#stop) stop();
  }
}
