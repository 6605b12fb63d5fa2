import type { ManagerId, ThreadId, UserId } from '../../../src/protocol/ids.ts';
import { HELLO, type TestGateway } from '../gateway.ts';
import { WireClient, type WireFrame } from '../wire-client.ts';

/** What each text of a user says: whose it is, its number, and when it left. */
const CANARY = /\[([^|\]]+)\|(\d+)\|([\d.]+)\]/g;
export const canaryOf = (user: string, number: number, at = performance.now()): string => `[${user}|${number}|${at.toFixed(2)}]`;

/** A text that came: how long it was under way, and when it came. */
interface Arrival {
  readonly at: number;
  readonly tookMs: number;
}

/** A client that works, and notes of every text whose it is and how long it took. */
export class CanaryClient implements AsyncDisposable {
  readonly user: UserId;
  readonly wire: WireClient;
  readonly manager: ManagerId;
  readonly arrivals: Arrival[] = [];
  /** Texts of others. */
  readonly foreign: string[] = [];
  readonly holes: string[] = [];
  /** Number of the last text. */
  last: number | null = null;

  private constructor(user: UserId, wire: WireClient, manager: string) {
    this.user = user;
    this.wire = wire;
    this.manager = manager as ManagerId;
  }

  /** Follows `thread` of its user from now on. */
  static async open(gw: Pick<TestGateway, 'wsUrl' | 'token'>, user: string, thread: string, url = gw.wsUrl): Promise<CanaryClient> {
    const wire = (await WireClient.open(url, { deadlineMs: 20_000 })).behave();
    wire.sendFrame({ ...HELLO, token: await gw.token(user) });
    const ready = await wire.next('ready');
    const client = new CanaryClient(user as UserId, wire, ready.manager);
    wire.hear((frame) => client.#hear(frame));
    wire.sendFrame({ type: 'subscribe', sub: 1, thread: thread as ThreadId, from: 'now' });
    await wire.next('replayed');
    return client;
  }

  #hear(frame: WireFrame): void {
    if (frame.type !== 'event') return;
    const at = performance.now();
    for (const [text, user, number, sentAt] of JSON.stringify(frame).matchAll(CANARY)) {
      if (user !== this.user) this.foreign.push(text);
      if (this.last !== null && Number(number) !== this.last + 1) this.holes.push(`${this.last + 1} was expected, ${number} came`);
      this.last = Number(number);
      this.arrivals.push({ at, tookMs: at - Number(sentAt) });
    }
  }

  get isOpen(): boolean {
    return this.wire.isOpen && !this.wire.frames.some((frame) => frame.type === 'bye');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.wire[Symbol.asyncDispose]();
  }
}
