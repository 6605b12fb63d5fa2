import type { Random } from '../../src/ports/random.ts';

/** Everything random of one simulated world: the same seed, the same world. Not fit for anything secret. */
export class SeededRandom implements Random {
  #a: number;
  #b: number;
  #c: number;
  #d = 1;

  constructor(seed: number) {
    this.#a = seed | 0;
    this.#b = 0x9e3779b9;
    this.#c = Math.imul(seed, 0x85ebca6b) | 0;
    for (let i = 0; i < 12; i++) this.#next();
  }

  /** sfc32: 32 fresh bits. */
  #next(): number {
    const sum = (this.#a + this.#b + this.#d) | 0;
    this.#d = (this.#d + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }

  share(): number {
    return this.#next() / 2 ** 32;
  }

  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    for (let i = 0; i < count; i++) bytes[i] = this.#next() & 0xff;
    return bytes;
  }

  /** A source of its own, so that what one part of the world draws does not shift what another one gets. */
  fork(): SeededRandom {
    return new SeededRandom(this.#next());
  }

  /** A whole number from `min` to `max`. */
  int(min: number, max: number): number {
    return min + Math.floor(this.share() * (max - min + 1));
  }

  chance(share: number): boolean {
    return this.share() < share;
  }

  pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new Error('Expected something to pick from, got an empty list.');
    return list[Math.floor(this.share() * list.length)] as T;
  }
}
