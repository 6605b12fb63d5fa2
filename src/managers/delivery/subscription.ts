import type { Attentive } from '../../core/clocks.ts';
import type { Cursor } from '../../streams/cursor.ts';

interface Sent {
  readonly offset: number;
  readonly bytes: number;
  readonly events: number;
  /** Order over all subscriptions of the transport, by which a probe knows what was sent before it. */
  readonly sequence: number;
  readonly critical: boolean;
  readonly at: Attentive;
}

/** One numbered subscription on one transport: where it reads, what was sent on it and what of that is acknowledged. */
export class Subscription {
  readonly sub: number;
  readonly cursor: Cursor;
  #acked: number;
  /** Highest offset ever sent. A gap may have led back behind it. */
  #highest = 0;
  #sent: Sent[] = [];
  #bytes = 0;
  #events = 0;
  #critical = 0;

  constructor(sub: number, cursor: Cursor) {
    this.sub = sub;
    this.cursor = cursor;
    this.#acked = cursor.startedAt;
  }

  /** Acknowledged offset. */
  get acked(): number {
    return this.#acked;
  }
  get unackedBytes(): number {
    return this.#bytes;
  }
  get unackedEvents(): number {
    return this.#events;
  }
  get hasCritical(): boolean {
    return this.#critical > 0;
  }
  get oldestUnacked(): Sent | null {
    return this.#sent[0] ?? null;
  }

  sent(s: Sent): void {
    this.#sent.push(s);
    this.#highest = Math.max(this.#highest, s.offset);
    this.#bytes += s.bytes;
    this.#events += s.events;
    if (s.critical) this.#critical++;
  }

  /** A gap replaced what was sent before: nobody can acknowledge it any more. */
  restarted(offset: number): void {
    this.#acked = offset;
    this.#sent = [];
    this.#bytes = 0;
    this.#events = 0;
    this.#critical = 0;
  }

  /** `ahead`: nothing like it was sent. `none`: no progress. Else the bytes that it acknowledged. */
  acknowledge(offset: number): 'ahead' | 'none' | { readonly bytes: number } {
    if (offset > this.cursor.offset) {
      // It speaks of what was sent before a gap, and was under way when that gap came.
      return offset > this.#highest ? 'ahead' : 'none';
    }
    if (offset <= this.#acked) return 'none';
    this.#acked = offset;
    let bytes = 0;
    let count = 0;
    for (const s of this.#sent) {
      if (s.offset > offset) break;
      count++;
      bytes += s.bytes;
      this.#events -= s.events;
      if (s.critical) this.#critical--;
    }
    this.#sent.splice(0, count);
    this.#bytes -= bytes;
    return { bytes };
  }
}
