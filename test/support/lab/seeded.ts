/** The same numbers for the same seed: 0 ≤ n < 1. */
export type Seeded = () => number;

export function seeded(seed: number): Seeded {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A number of `from`…`to`, both included. */
export const between = (random: Seeded, from: number, to: number): number => from + Math.floor(random() * (to - from + 1));

export function pick<T>(random: Seeded, from: readonly T[]): T {
  if (from.length === 0) throw new Error('Expected something to pick from.');
  return from[Math.floor(random() * from.length)] as T;
}

/** One of the names, as often as its weight says. */
export function weighted<K extends string>(random: Seeded, weights: Readonly<Record<K, number>>): K {
  const entries = Object.entries(weights) as [K, number][];
  let left = random() * entries.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [name, weight] of entries) {
    left -= weight;
    if (left < 0) return name;
  }
  return (entries.at(-1) as [K, number])[0];
}
