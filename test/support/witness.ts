import { WireClient, type WireFrame } from './wire-client.ts';

/** A client that works until it is told otherwise, and keeps count of all that it sees and says. */
export class Witness {
  readonly user: string;
  readonly wire: WireClient;
  /** How its socket ended, as it saw it. */
  code: number | null = null;
  /** Entries of logs that it was sent as they came, those that were there before it, and those of both that it acknowledged. */
  live = 0;
  replayed = 0;
  acked = 0;
  probesAnswered = 0;
  #isAwake = true;
  readonly #sentTo = new Map<number, number>();
  readonly #ackedTo = new Map<number, number>();
  /** Subscriptions whose past is still coming. */
  readonly #catchingUp = new Set<number>();

  private constructor(user: string, wire: WireClient) {
    this.user = user;
    this.wire = wire;
    wire.hear((frame) => this.#see(frame));
    void wire.closed.then(({ code }) => {
      this.code = code;
    });
  }

  static async dial(url: string, user: string): Promise<Witness> {
    return new Witness(user, await WireClient.open(url, { deadlineMs: 20_000 }));
  }

  /** Dials, and says who it is. */
  static async greet(url: string, user: string, token: string, more: object = {}): Promise<Witness> {
    const witness = await Witness.dial(url, user);
    witness.wire.sendFrame({ type: 'hello', v: 1, client: { name: 'witness', version: '1.0' }, intent: 'user', visibility: 'visible', token, ...more });
    return witness;
  }

  /** The same, up to its seat. */
  static async seat(url: string, user: string, token: string, more: object = {}): Promise<Witness> {
    const witness = await Witness.greet(url, user, token, more);
    await witness.wire.next('ready');
    return witness;
  }

  all(type: string): readonly WireFrame[] {
    return this.wire.frames.filter((frame) => frame.type === type);
  }

  get ready(): WireFrame | null {
    return this.all('ready')[0] ?? null;
  }

  get bye(): WireFrame | null {
    return this.all('bye')[0] ?? null;
  }

  /** Follows a thread from its start, and waits until all of it is there. */
  async follow(thread: string, sub = 1): Promise<void> {
    this.wire.sendFrame({ type: 'subscribe', sub, thread, from: 'start' });
    await this.wire.next('replayed');
  }

  /** Where it is in a thread it follows. */
  position(sub = 1): { readonly sub: number; readonly thread: string; readonly epoch: string; readonly offset: number } {
    const { thread, epoch, offset } = this.all('subscribed').find((frame) => frame.sub === sub) ?? { thread: '', epoch: '', offset: 0 };
    return { sub, thread, epoch, offset: this.#sentTo.get(sub) ?? offset };
  }

  ask(thread: string, id: string, text: string): void {
    this.wire.sendFrame({ type: 'send', id, thread, data: { text } });
  }

  /** Its page is stuck from here on; its machine goes on answering pings. */
  freeze(): void {
    this.#isAwake = false;
  }

  async leave(): Promise<void> {
    this.wire.sendFrame({ type: 'bye', reason: 'left' });
    // Whatever comes now is heard by nobody.
    this.freeze();
    await this.wire.closed;
  }

  #see(frame: WireFrame): void {
    if (frame.type === 'subscribed') {
      this.#sentTo.set(frame.sub as number, frame.offset as number);
      this.#ackedTo.set(frame.sub as number, frame.offset as number);
      this.#catchingUp.add(frame.sub as number);
    }
    if (frame.type === 'replayed') this.#catchingUp.delete(frame.sub as number);
    if (frame.type === 'event') {
      const entries = (frame.offset as number) - ((frame.from ?? frame.offset) as number) + 1;
      if (this.#catchingUp.has(frame.sub as number)) this.replayed += entries;
      else this.live += entries;
      this.#sentTo.set(frame.sub as number, frame.offset as number);
    }
    if (!this.#isAwake) return;
    if (frame.type === 'event') {
      this.acked += (frame.offset as number) - (this.#ackedTo.get(frame.sub as number) ?? 0);
      this.#ackedTo.set(frame.sub as number, frame.offset as number);
      this.wire.sendFrame({ type: 'ack', sub: frame.sub, offset: frame.offset });
    } else if (frame.type === 'probe') {
      this.probesAnswered++;
      this.wire.sendFrame({ type: 'probe-ok', n: frame.n });
    }
  }
}
