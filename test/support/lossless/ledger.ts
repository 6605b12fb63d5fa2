import type { Attempted, Logged } from './records.ts';

/** What was attempted and what was logged in one conversation. */
export class Ledger {
  readonly #byOffset: ReadonlyMap<number, Logged>;
  readonly #offsets = new Map<number, number>();
  readonly #loggedDigests = new Map<number, string>();
  readonly #attempted: ReadonlyMap<number, string> | null;
  readonly epoch: string | null;
  /** First and last offset that is still logged; 1 and 0 for an empty log. */
  readonly first: number;
  readonly last: number;
  /** Numbers that two entries of the log have. */
  readonly twice: readonly number[];

  constructor(logged: readonly Logged[], attempted: Iterable<Attempted> | undefined) {
    this.#byOffset = new Map(logged.map((entry) => [entry.offset, entry]));
    const twice: number[] = [];
    for (const { number, digest, offset } of logged) {
      if (number === null) continue;
      if (this.#offsets.has(number)) twice.push(number);
      this.#offsets.set(number, offset);
      this.#loggedDigests.set(number, digest ?? '');
    }
    this.twice = twice;
    this.epoch = logged.at(-1)?.epoch ?? null;
    this.first = logged[0]?.offset ?? 1;
    this.last = logged.at(-1)?.offset ?? 0;
    this.#attempted = attempted === undefined ? null : new Map([...attempted].map(({ number, digest }) => [number, digest]));
  }

  isLogged(number: number): boolean {
    return this.#offsets.has(number);
  }

  /** Of the event as it was attempted, else as it was logged; null for an event that is unknown to both. */
  digestOf(number: number): string | null {
    return this.#attempted?.get(number) ?? this.#loggedDigests.get(number) ?? null;
  }

  /** Numbers that the log tells otherwise than they were attempted. */
  alteredInLog(): readonly number[] {
    return [...this.#loggedDigests].filter(([number, digest]) => this.digestOf(number) !== digest).map(([number]) => number);
  }

  /** Numbers of the entries from…to, in the log's order; null where part of the range is logged no more. */
  numbersIn(from: number, to: number): readonly number[] | null {
    if (from < this.first || to > this.last) return null;
    const numbers: number[] = [];
    for (let offset = from; offset <= to; offset++) {
      const number = this.#byOffset.get(offset)?.number ?? null;
      if (number !== null) numbers.push(number);
    }
    return numbers;
  }

  /** Attempted, and cut off the log's beginning by its retention. */
  trimmed(): readonly number[] {
    if (this.first <= 1 || this.#attempted === null) return [];
    const firstNumber = Math.min(...this.#offsets.keys());
    return [...this.#attempted.keys()].filter((number) => number < firstNumber);
  }

  unlogged(): readonly number[] {
    const trimmed = new Set(this.trimmed());
    return [...(this.#attempted?.keys() ?? [])].filter((number) => !this.#offsets.has(number) && !trimmed.has(number)).sort((a, b) => a - b);
  }
}
