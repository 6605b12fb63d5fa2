/** The last rows of figures, in one block of memory of fixed size. NaN stands for "nothing was measured". */
export class Ring {
  readonly #cells: Float64Array;
  readonly #width: number;
  readonly #rows: number;
  #next = 0;
  #count = 0;

  constructor(rows: number, width: number) {
    this.#rows = rows;
    this.#width = width;
    this.#cells = new Float64Array(rows * width);
  }

  get bytes(): number {
    return this.#cells.byteLength;
  }

  /** Takes the place of the oldest row where all are taken. */
  push(row: readonly (number | null)[]): void {
    const at = this.#next * this.#width;
    for (let i = 0; i < this.#width; i++) this.#cells[at + i] = row[i] ?? Number.NaN;
    this.#next = (this.#next + 1) % this.#rows;
    this.#count = Math.min(this.#rows, this.#count + 1);
  }

  /** All rows, oldest first. */
  rows(): (number | null)[][] {
    return Array.from({ length: this.#count }, (_, i) => {
      const row = (this.#next - this.#count + i + this.#rows) % this.#rows;
      return Array.from(this.#cells.subarray(row * this.#width, (row + 1) * this.#width), (value) => (Number.isNaN(value) ? null : value));
    });
  }
}
