/** When to acknowledge, on one transport. */

import type { Welcome } from '../protocol/frames.ts';
import { monotonicMs } from './timers.ts';

/** Gathers what listeners have taken and acknowledges it cumulatively. It is called in message handlers and where a listener's
 *  promise settles, never by a timer: an acknowledgement proves that the application runs. */
export class Acks {
  readonly #limits: Welcome['ack'];
  readonly #send: (sub: number, offset: number) => void;
  readonly #due = new Map<number, number>();
  #frames = 0;
  #bytes = 0;
  #sentAt = Number.NEGATIVE_INFINITY;

  constructor(limits: Welcome['ack'], send: (sub: number, offset: number) => void) {
    this.#limits = limits;
    this.#send = send;
  }

  /** A frame of `sub` up to `offset` has been taken by everybody who listens. */
  taken(sub: number, offset: number, bytes: number, atOnce: boolean): void {
    this.#due.set(sub, offset);
    this.#frames += 1;
    this.#bytes += bytes;
    const { frames, bytes: maxBytes, ms } = this.#limits;
    if (atOnce || this.#frames >= frames || this.#bytes >= maxBytes || monotonicMs() - this.#sentAt >= ms) this.flush();
  }

  /** Acknowledges everything taken so far. */
  flush(): void {
    if (this.#due.size === 0) return;
    for (const [sub, offset] of this.#due) this.#send(sub, offset);
    this.#due.clear();
    this.#frames = 0;
    this.#bytes = 0;
    this.#sentAt = monotonicMs();
  }
}
