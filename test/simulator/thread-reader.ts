import type { EventFrame, Gap } from '../../src/protocol/frames.ts';
import type { Epoch } from '../../src/protocol/ids.ts';
import type { SimulatedClient } from './client.ts';
import type { ClientWorld } from './client-world.ts';
import type { VirtualConnection } from './virtual-transport.ts';

const SUB = 1;

/** What a page reads of its conversation, over any number of connections: events in order, each once, acknowledged after they were
 *  applied. It says so where a gateway breaks that. */
export class ThreadReader {
  readonly #client: SimulatedClient;
  readonly #world: ClientWorld;
  position: { epoch: Epoch; offset: number } | null = null;
  /** When it applied something last. */
  appliedAt = Number.NEGATIVE_INFINITY;
  /** Told of each `gap`. */
  gapped: ((gap: Gap) => void) | null = null;
  #connection: VirtualConnection | null = null;
  #awaitsGap = false;
  #unacked: { offset: number; frames: number; bytes: number } | null = null;
  #ackedAt = Number.NEGATIVE_INFINITY;

  constructor(client: SimulatedClient, world: ClientWorld) {
    this.#client = client;
    this.#world = world;
  }

  /** The page has its seat on this connection. */
  begin(connection: VirtualConnection): void {
    this.#connection = connection;
    connection.clientSend(JSON.stringify({ type: 'subscribe', sub: SUB, thread: this.#client.traits.thread, from: this.position ?? 'start' }));
  }

  /** The connection is gone. What was applied stays applied; it is acknowledged on the next one by where it goes on. */
  end(): void {
    this.#connection = null;
    this.#unacked = null;
    this.#awaitsGap = false;
  }

  /** The gateway could not open the conversation just now. */
  refused(retryAfterMs: number): void {
    const connection = this.#connection;
    this.#world.clock.world(retryAfterMs, () => {
      if (connection !== null && this.#connection === connection) this.begin(connection);
    });
  }

  subscribed(epoch: Epoch, offset: number): void {
    const { position } = this;
    // Where it is put elsewhere than it asked, a gap comes next and says so.
    this.#awaitsGap = position !== null && (position.epoch !== epoch || position.offset !== offset);
    this.position ??= { epoch, offset };
  }

  gap(gap: Gap): void {
    this.#awaitsGap = false;
    this.gapped?.(gap);
    this.position = { epoch: gap.epoch, offset: gap.to };
  }

  event(frame: EventFrame, bytes: number): void {
    const { position } = this;
    const from = frame.from ?? frame.offset;
    if (position === null || from !== position.offset + 1 || this.#awaitsGap) {
      this.#world.violated('I13', `${this.#client.name} stood at ${position?.offset ?? 'nothing'} and got ${from} to ${frame.offset}`);
      return;
    }
    position.offset = frame.offset;
    const { now } = this.#world.clock;
    this.appliedAt = now;
    this.#world.applied(this.#client, from, frame.offset, frame.data);
    this.#unacked = { offset: frame.offset, frames: (this.#unacked?.frames ?? 0) + 1, bytes: (this.#unacked?.bytes ?? 0) + bytes };
    const { ack } = this.#world.options;
    if (frame.ack === true || this.#unacked.frames >= ack.frames || this.#unacked.bytes >= ack.bytes || now - this.#ackedAt >= ack.ms) this.acknowledge();
  }

  acknowledge(): void {
    if (this.#unacked === null) return;
    this.#connection?.clientSend(JSON.stringify({ type: 'ack', sub: SUB, offset: this.#unacked.offset }));
    this.#unacked = null;
    this.#ackedAt = this.#world.clock.now;
  }
}
