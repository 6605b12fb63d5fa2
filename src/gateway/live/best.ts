/** The first `most` of any number of items, in order of their keys, kept in a heap: whoever comes behind the last of them costs one
 *  comparison. Equal keys keep the order in which they came, so that rows do not change places by chance. */
export class Best<T, K extends number | string> {
  readonly #most: number;
  readonly #keys: K[] = [];
  readonly #arrivals: number[] = [];
  readonly #items: T[] = [];
  #arrived = 0;

  constructor(most: number) {
    this.#most = most;
  }

  add(item: T, key: K): void {
    const arrival = this.#arrived++;
    const size = this.#keys.length;
    if (size < this.#most) {
      this.#keys.push(key);
      this.#arrivals.push(arrival);
      this.#items.push(item);
      this.#rise(size);
      return;
    }
    // Whoever comes later gives way to an equal one.
    if (size === 0 || !(key < (this.#keys[0] as K))) return;
    this.#set(0, key, arrival, item);
    this.#sink(0);
  }

  /** Those from place `from` on, first one first. Empties the heap. */
  takeFrom(from: number): readonly T[] {
    const taken: T[] = [];
    while (this.#keys.length > from) {
      taken.push(this.#items[0] as T);
      const last = this.#keys.length - 1;
      this.#set(0, this.#keys[last] as K, this.#arrivals[last] as number, this.#items[last] as T);
      this.#keys.pop();
      this.#arrivals.pop();
      this.#items.pop();
      this.#sink(0);
    }
    return taken.reverse();
  }

  #isBehind(a: number, b: number): boolean {
    const [keyA, keyB] = [this.#keys[a] as K, this.#keys[b] as K];
    return keyA > keyB || (keyA === keyB && (this.#arrivals[a] as number) > (this.#arrivals[b] as number));
  }

  #rise(at: number): void {
    for (let place = at; place > 0; ) {
      const parent = (place - 1) >> 1;
      if (!this.#isBehind(place, parent)) return;
      this.#swap(place, parent);
      place = parent;
    }
  }

  #sink(at: number): void {
    const size = this.#keys.length;
    for (let place = at; ; ) {
      const left = 2 * place + 1;
      if (left >= size) return;
      const right = left + 1;
      const behind = right < size && this.#isBehind(right, left) ? right : left;
      if (!this.#isBehind(behind, place)) return;
      this.#swap(behind, place);
      place = behind;
    }
  }

  #swap(a: number, b: number): void {
    const [key, arrival, item] = [this.#keys[a] as K, this.#arrivals[a] as number, this.#items[a] as T];
    this.#set(a, this.#keys[b] as K, this.#arrivals[b] as number, this.#items[b] as T);
    this.#set(b, key, arrival, item);
  }

  #set(at: number, key: K, arrival: number, item: T): void {
    this.#keys[at] = key;
    this.#arrivals[at] = arrival;
    this.#items[at] = item;
  }
}
