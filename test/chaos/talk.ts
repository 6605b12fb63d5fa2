import { setTimeout as delay } from 'node:timers/promises';
import type { FaultGateway } from '../faults/fault-gateway.ts';
import { between, type Seeded } from '../support/lab/seeded.ts';
import { asking } from '../support/lossless/numbered-agent.ts';
import type { Fleet } from './fleet.ts';

const RETRY_MS = 300;
const PER_SECOND = 2;
/** One conversation in ten says as much as a window holds. */
const LARGE_EVERY = 10;
const LARGE_BYTES = 4_096;

/** Keeps an answer going in every conversation, whatever happens to the gateway. */
export class Talk {
  readonly #gateway: FaultGateway;
  readonly #fleet: Fleet;
  readonly #random: Seeded;
  readonly #loops: Promise<void>[] = [];
  #isOver = false;

  constructor(gateway: FaultGateway, fleet: Fleet, random: Seeded) {
    this.#gateway = gateway;
    this.#fleet = fleet;
    this.#random = random;
  }

  /** Every conversation has an answer of its own, and then none. */
  async warmUp(events: number): Promise<void> {
    await Promise.all(this.#fleet.threads.map(({ user, thread }) => this.#say(user, thread, asking({ count: events, perSecond: 20 }))));
    await this.quiet();
  }

  begin(scale: number): void {
    for (const [i, { user, thread }] of this.#fleet.threads.entries()) this.#loops.push(this.#keepTalking(user, thread, i, scale));
  }

  async #keepTalking(user: string, thread: string, index: number, scale: number): Promise<void> {
    while (!this.#isOver) {
      const seconds = between(this.#random, 20, 60) / scale;
      const bytes = index % LARGE_EVERY === 0 ? { bytes: LARGE_BYTES } : {};
      await this.#say(user, thread, asking({ count: Math.ceil(seconds * PER_SECOND), perSecond: PER_SECOND, plainEvery: 7, seed: index + 1, ...bytes }));
      for (const endsAt = performance.now() + seconds * 1_000; !this.#isOver && performance.now() < endsAt; ) await delay(RETRY_MS);
    }
  }

  /** Sends one message under one id until it is accepted. */
  async #say(user: string, thread: string, text: string): Promise<void> {
    const id = crypto.randomUUID();
    while (!this.#isOver) {
      try {
        const response = await this.#gateway.request(user, 'POST', `/v1/threads/${thread}/messages`, { id, data: { text } });
        const answer = (await response.json()) as { readonly retryable?: boolean };
        if (response.ok) return;
        if (answer.retryable !== true) throw new Error(`Expected a message to be taken, got ${response.status}: ${JSON.stringify(answer)}`);
      } catch (error) {
        // It is dead, and will be back; half an answer of it is none.
        if (!(error instanceof TypeError || error instanceof SyntaxError)) throw error;
      }
      await delay(RETRY_MS);
    }
  }

  /** Nobody says anything new, and what is being said is cancelled. */
  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#loops);
    await this.quiet(true);
  }

  /** Resolves when no conversation has a run. */
  async quiet(cancels = false): Promise<void> {
    for (const { user, thread } of this.#fleet.threads) {
      for (;;) {
        const response = await this.#gateway.request(user, 'GET', `/v1/threads/${thread}/messages?limit=1`);
        const { activeRun } = (await response.json()) as { readonly activeRun: string | null };
        if (activeRun === null) break;
        if (cancels) await this.#gateway.cancel(user, activeRun);
        await delay(RETRY_MS);
      }
    }
  }
}
