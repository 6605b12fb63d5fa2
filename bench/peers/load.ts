import { nowUs, token } from '../tokens.ts';

/** How tokens are made. Every connection has its own sequence, which goes on over several loads. */
export type Load =
  /** `burst` tokens at once for a connection, in turn, at `perSecond` tokens a second and connection, for `seconds`. */
  | { readonly kind: 'timed'; readonly perSecond: number; readonly burst: number; readonly seconds: number }
  /** One token for every connection in each turn of the event loop. */
  | { readonly kind: 'turns'; readonly turns: number };

export interface LoadReport {
  /** Tokens sent to each connection since the process began. */
  readonly sent: readonly number[];
  /** Tokens of this load. */
  readonly tokens: number;
  readonly wallMs: number;
}

/** Work in one turn of the event loop; then input and output have theirs. */
const SLICE_US = 10_000;

/** Makes load for `connections` connections. */
export class LoadMaker {
  readonly #send: (index: number, text: string) => void;
  readonly #sent: number[];

  constructor(connections: number, send: (index: number, text: string) => void) {
    this.#send = send;
    this.#sent = new Array<number>(connections).fill(0);
  }

  async run(load: Load): Promise<LoadReport> {
    const before = this.#total();
    const startUs = nowUs();
    if (load.kind === 'turns') await this.#turns(load.turns);
    else await this.#timed(load, startUs);
    return { sent: [...this.#sent], tokens: this.#total() - before, wallMs: (nowUs() - startUs) / 1_000 };
  }

  async #turns(turns: number): Promise<void> {
    for (let turn = 0; turn < turns; turn++) {
      const dueUs = nowUs();
      for (let index = 0; index < this.#sent.length; index++) this.#give(index, dueUs);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** What is due is made in order, whoever is late: a server that cannot keep up is asked for more than it gives. */
  async #timed({ perSecond, burst, seconds }: Load & { kind: 'timed' }, startUs: number): Promise<void> {
    const connections = this.#sent.length;
    const gapUs = (burst * 1_000_000) / (perSecond * connections);
    const last = Math.floor((seconds * 1_000_000) / gapUs);
    const endUs = startUs + seconds * 1_000_000;
    let next = 0;
    for (;;) {
      const now = nowUs();
      if (next >= last || now >= endUs) return;
      const due = Math.min(last, Math.floor((now - startUs) / gapUs) + 1);
      while (next < due && nowUs() - now < SLICE_US) {
        const dueUs = Math.floor(startUs + next * gapUs);
        for (let i = 0; i < burst; i++) this.#give(next % connections, dueUs);
        next++;
      }
      await new Promise<void>((resolve) => (next < due ? setImmediate(resolve) : setTimeout(resolve, 1)));
    }
  }

  #give(index: number, dueUs: number): void {
    const sequence = this.#sent[index] as number;
    this.#sent[index] = sequence + 1;
    this.#send(index, token(sequence, dueUs));
  }

  #total(): number {
    return this.#sent.reduce((sum, count) => sum + count, 0);
  }
}
