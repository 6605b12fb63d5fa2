import { judgeRange } from '../../src/protocol/position.ts';
import { HELLO } from './gateway.ts';
import { WireClient, type WireFrame } from './wire-client.ts';

/** What one reader applied: first and last offset of each frame, and what it carried. */
export interface Applied {
  readonly from: number;
  readonly to: number;
  readonly data: WireFrame['data'];
}

/** A client of the wire that keeps a position, applies the client rule of PROTOCOL.md by the letter and comes back after every cut. */
export class Reader {
  readonly applied: Applied[] = [];
  readonly gaps: WireFrame[] = [];
  /** Connections so far. */
  connects = 0;
  #epoch: string | null = null;
  #offset = 0;
  #resume: { manager: string; token: string } | null = null;
  #sent = false;
  #accepted = false;

  get offset(): number {
    return this.#offset;
  }

  /** Text of all deltas, in the order in which they were applied. */
  get text(): string {
    return this.applied.map((a) => (a.data?.type === 'text_delta' ? a.data.text : '')).join('');
  }

  /** Asks once and reads until the run's terminal event, over as many connections as it takes. */
  async readRun(url: string, token: string, thread: string, question: string, ackEvery: number): Promise<void> {
    for (;;) {
      this.connects++;
      let client: WireClient;
      try {
        client = await WireClient.open(url, { deadlineMs: 10_000 });
      } catch {
        // Cut in the middle of the upgrade: dial again.
        continue;
      }
      try {
        if (await this.#converse(client, token, thread, question, ackEvery)) return;
      } finally {
        await client[Symbol.asyncDispose]();
      }
    }
  }

  async #converse(client: WireClient, token: string, thread: string, question: string, ackEvery: number): Promise<boolean> {
    const subs = this.#epoch === null ? [] : [{ sub: 1, thread, epoch: this.#epoch, offset: this.#offset }];
    const resume = this.#resume === null ? {} : { resume: { ...this.#resume, subs } };
    client.sendFrame({ ...HELLO, token, intent: this.#resume === null ? 'user' : 'auto', ...resume });
    let sinceAck = 0;
    for (;;) {
      let frame: WireFrame;
      try {
        frame = await client.next();
      } catch {
        return false;
      }
      if (frame.type === 'ready') {
        this.#resume = { manager: frame.manager, token: frame.resumeToken };
        if (subs.length === 0) client.sendFrame({ type: 'subscribe', sub: 1, thread, from: 'start' });
        // An unanswered send goes out again with the same id.
        if (!this.#accepted) client.sendFrame({ type: 'send', id: 'q', thread, data: { text: question } });
        this.#sent = true;
      } else if (frame.type === 'subscribed') this.#epoch = frame.epoch;
      else if (frame.type === 'run-accepted') this.#accepted = true;
      else if (frame.type === 'gap') this.gaps.push(frame);
      else if (frame.type === 'probe') client.sendFrame({ type: 'probe-ok', n: frame.n, visibility: 'visible' });
      else if (frame.type === 'event') {
        const first = frame.from ?? frame.offset;
        const verdict = judgeRange(this.#offset, first, frame.offset);
        if (verdict === 'resubscribe') throw new Error(`Expected an event that joins offset ${this.#offset}, got ${first}…${frame.offset}.`);
        if (verdict === 'drop') continue;
        this.applied.push({ from: first, to: frame.offset, data: frame.data });
        this.#offset = frame.offset;
        if (++sinceAck >= ackEvery || frame.ack === true) {
          sinceAck = 0;
          client.sendFrame({ type: 'ack', sub: 1, offset: frame.offset });
        }
        if (frame.data?.type === 'agent_completed' && this.#sent) return true;
      }
    }
  }
}
