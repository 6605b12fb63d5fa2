/** What became of the tokens of one connection. */
export interface Checked {
  /** Tokens that came, each once. */
  readonly checked: number;
  readonly lost: number;
  readonly doubled: number;
  readonly reordered: number;
}

/** Checks one connection's tokens: each exactly once, in order. */
export class TokenChecker {
  #expected = 0;
  #doubled = 0;
  #reordered = 0;
  #missing: Set<number> | null = null;

  /** Tokens that came, each once. */
  get received(): number {
    return this.#expected - (this.#missing?.size ?? 0);
  }

  take(sequence: number): void {
    if (sequence === this.#expected) {
      this.#expected++;
      return;
    }
    if (sequence > this.#expected) {
      this.#missing ??= new Set();
      for (let skipped = this.#expected; skipped < sequence; skipped++) this.#missing.add(skipped);
      this.#expected = sequence + 1;
      return;
    }
    // A token that was skipped and comes late is out of order, not lost.
    if (this.#missing?.delete(sequence) === true) this.#reordered++;
    else this.#doubled++;
  }

  /** `sent`: how many tokens the server was given for this connection. */
  result(sent: number): Checked {
    return { checked: this.received, lost: Math.max(0, sent - this.received), doubled: this.#doubled, reordered: this.#reordered };
  }
}

export const NOTHING_CHECKED: Checked = { checked: 0, lost: 0, doubled: 0, reordered: 0 };

export const together = (a: Checked, b: Checked): Checked => ({
  checked: a.checked + b.checked,
  lost: a.lost + b.lost,
  doubled: a.doubled + b.doubled,
  reordered: a.reordered + b.reordered,
});
