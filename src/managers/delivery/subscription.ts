import type { Cursor } from '../../streams/cursor.ts';

/** Bytes that one record of what was sent covers, so that a window full of small frames costs a few records, not hundreds. */
const RECORD_BYTES = 2_048;

/** Neighbouring frames that were sent. */
interface Sent {
  /** Last offset of the last of them. */
  offset: number;
  bytes: number;
  /** Number of the first of them, in the order over all subscriptions of the transport, by which a probe knows what was sent before it. */
  readonly sequence: number;
  /** When the first and the last of them were written. */
  readonly at: number;
  lastAt: number;
  /** Whether a run's terminal event is among them. */
  critical: boolean;
  /** Whether the last of them asks for its ack. */
  asking: boolean;
  /** Whether nothing is added: frames follow that must be told apart from these. */
  sealed: boolean;
}

/** One event frame that was sent. */
export interface SentFrame {
  readonly offset: number;
  readonly bytes: number;
  readonly sequence: number;
  /** When it is written. */
  readonly at: number;
  readonly critical: boolean;
  /** It carries `ack: true`. */
  readonly asking: boolean;
}

/** What became of an ack. `ahead`: nothing like it was sent. `none`: no progress. Else what it acknowledged; bytes are told when all
 *  frames of their record are acknowledged, hence never too early. `writtenAt`: when the newest event that it covers was written; where
 *  later frames share its record, when the first of that record was. */
export type AckProgress = 'ahead' | 'none' | { readonly events: number; readonly bytes: number; readonly critical: number; readonly writtenAt: number };

/** One numbered subscription on one transport: where it reads, what was sent on it and what of that is acknowledged. */
export class Subscription {
  readonly sub: number;
  readonly cursor: Cursor;
  #acked: number;
  /** Last offset that was sent since the start or the last gap. */
  #last: number;
  /** Highest offset ever sent. A gap may have led back behind it. */
  #highest = 0;
  #sent: Sent[] = [];

  constructor(sub: number, cursor: Cursor) {
    this.sub = sub;
    this.cursor = cursor;
    this.#acked = cursor.startedAt;
    this.#last = cursor.startedAt;
  }

  /** Acknowledged offset. */
  get acked(): number {
    return this.#acked;
  }

  /** What is unacknowledged. */
  get owed(): { readonly events: number; readonly bytes: number; readonly critical: number } {
    let bytes = 0;
    let critical = 0;
    for (const s of this.#sent) {
      bytes += s.bytes;
      if (s.critical) critical++;
    }
    return { events: this.#last - this.#acked, bytes, critical };
  }

  /** Number of the first frame that may be unacknowledged; null when all are acknowledged. */
  get oldestSequence(): number | null {
    return this.#sent[0]?.sequence ?? null;
  }

  /** Whether an unacknowledged frame has asked for its ack. */
  get isAsked(): boolean {
    return this.#sent.some((s) => s.asking);
  }

  /** Events that this frame adds to what is owed are those up to its offset. */
  sent(s: SentFrame): void {
    this.#last = s.offset;
    this.#highest = Math.max(this.#highest, s.offset);
    const last = this.#sent.at(-1);
    if (last === undefined || last.sealed || last.bytes + s.bytes > RECORD_BYTES) {
      // A terminal event, and a frame that asks, stand at the end of a record: their ack acknowledges all of it.
      const { offset, bytes, sequence, at, critical, asking } = s;
      this.#sent.push({ offset, bytes, sequence, at, lastAt: at, critical, asking, sealed: critical || asking });
      return;
    }
    last.offset = s.offset;
    last.bytes += s.bytes;
    last.lastAt = s.at;
    last.critical = s.critical;
    last.asking = s.asking;
    last.sealed = s.critical || s.asking;
  }

  /** A probe is sent: what follows is told apart from what came before it. */
  seal(): void {
    const last = this.#sent.at(-1);
    if (last !== undefined) last.sealed = true;
  }

  /** A gap replaced what was sent before: nobody can acknowledge it any more. */
  restarted(offset: number): void {
    this.#acked = offset;
    this.#last = offset;
    this.#sent = [];
  }

  acknowledge(offset: number): AckProgress {
    if (offset > this.#last) {
      // It speaks of what was sent before a gap, and was under way when that gap came.
      return offset > this.#highest ? 'ahead' : 'none';
    }
    if (offset <= this.#acked) return 'none';
    const events = offset - this.#acked;
    this.#acked = offset;
    let bytes = 0;
    let critical = 0;
    let count = 0;
    let writtenAt = 0;
    for (const s of this.#sent) {
      if (s.offset > offset) {
        // Unless the record before ends exactly here, what is acknowledged begins this one.
        if (this.#sent[count - 1]?.offset !== offset) writtenAt = s.at;
        break;
      }
      count++;
      writtenAt = s.lastAt;
      bytes += s.bytes;
      if (s.critical) critical++;
    }
    this.#sent.splice(0, count);
    return { events, bytes, critical, writtenAt };
  }
}
