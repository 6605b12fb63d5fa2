/** How many pieces become one. Few, since a piece may be cut from a larger text that stays in memory as long as the piece does. */
const FAN = 4;

/** Text that grows by appending and stays flat. `a + b`, kept, is a tree of its pieces: twice the memory, and it holds on to the larger
 *  texts that its pieces were cut from. Here every `FAN` pieces of a size become one, so that a character is copied as often as `FAN`
 *  goes into the number of pieces by division, and few pieces wait. */
export class FlatText {
  readonly #pieces: string[] = [];
  #appended = 0;

  append(text: string): void {
    if (text === '') return;
    this.#pieces.push(text);
    this.#appended++;
    for (let count = this.#appended; count % FAN === 0; count /= FAN) this.#pieces.push(this.#pieces.splice(-FAN).join(''));
  }

  toString(): string {
    return this.#pieces.join('');
  }
}
