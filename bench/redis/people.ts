import type { AdmitRequest, AppendRequest, LogStore, SeatDigest, SeatLimits, StreamKey } from '../../src/ports/store.ts';
import type { ManagerId, NodeId, RunId, ThreadId, UserId } from '../../src/protocol/ids.ts';

/** The defaults of the options. */
export const LIMITS: SeatLimits = {
  ...{ soft: 20, hard: 25, burstForMs: 60_000, coolDownMs: 900_000, debtMaxMs: 600_000, places: 10 },
  ...{ waitMs: 10_000, promiseMs: 5_000, ttlMs: 30_000, tombstoneMs: 600_000 },
};
/** An event of a model: a few words in JSON. */
const EVENT = JSON.stringify({ type: 'TEXT_MESSAGE_CONTENT', messageId: 'msg_0123456789abcdefghij', delta: 'and so on, ' });

export const life = (node: string) => ({ node: node as NodeId, incarnation: `life of ${node}` });

export const requestOf = (user: string, manager: string, node: string, attach = manager): AdmitRequest => ({
  user: user as UserId,
  manager: manager as ManagerId,
  attach,
  ...life(node),
  class: 'user',
  mayBurst: false,
  limits: LIMITS,
});

export const digestOf = (manager: string, token: number, node: string): SeatDigest => ({
  manager: manager as ManagerId,
  token,
  ...life(node),
  ...{ verdict: 'healthy', reason: 'active', quietMs: 1_234, run: false, pinned: false, critical: false, hidden: false, toldAt: 0, seatedAt: 0 },
});

/** A stream that its writer only appends to. */
export class Writer {
  readonly #key: StreamKey;
  #claimed: Pick<AppendRequest, 'epoch' | 'token'> | null = null;
  #head = 0;

  constructor(user: string) {
    this.#key = { user: user as UserId, thread: 'thread' as ThreadId };
  }

  async claim(log: LogStore): Promise<void> {
    const { epoch, token, head } = await log.claim(this.#key);
    this.#claimed = { epoch, token };
    this.#head = head;
  }

  /** The next `count` events. */
  next(count: number): AppendRequest {
    if (this.#claimed === null) throw new Error('Expected the stream to be claimed.');
    const entries = Array.from({ length: count }, () => {
      this.#head += 1;
      return {
        offset: this.#head,
        kind: 'agent' as const,
        run: 'run_0123456789abcdefghij' as RunId,
        codec: 'agent-events' as const,
        data: EVENT,
        at: Date.now(),
      };
    });
    return { key: this.#key, ...this.#claimed, entries };
  }
}
