import type { DeliveryCounts } from '../../ports/events.ts';

/** A transport whose unsent bytes can be asked for. */
interface Held {
  readonly unsentBytes: number;
}

/** Figures of the hot path, for all transports of a factory: plain numbers, changed where it happens. */
export class DeliveryMeter implements DeliveryCounts {
  sent = 0;
  acked = 0;
  replayed = 0;
  duplicatesSuppressed = 0;
  /** Events that were sent on attached transports and are not acknowledged. */
  unacked = 0;
  /** By which writes and acks are timed, milliseconds. */
  readonly now: () => number;
  /** Transports of which the kernel has not taken everything. Few: a healthy peer's are taken at once. */
  readonly #held = new Set<Held>();

  constructor(now: () => number = () => performance.now()) {
    this.now = now;
  }

  /** The kernel has not taken all that was written to `transport`, or has (`isHeld` false). */
  holds(transport: Held, isHeld: boolean): void {
    if (isHeld) this.#held.add(transport);
    else this.#held.delete(transport);
  }

  /** Bytes that were written and that the kernel has not taken. Asks only those transports that are held up now. */
  get bufferedBytes(): number {
    let bytes = 0;
    for (const transport of this.#held) bytes += transport.unsentBytes;
    return bytes;
  }
}
