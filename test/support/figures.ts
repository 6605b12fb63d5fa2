/** Figures of several sources, and whether they agree. */

export type Figure = number | string;
/** One fact, by the source that says it. */
export type Facts = Readonly<Record<string, Readonly<Record<string, Figure>>>>;

/** The facts whose sources do not say the same. */
export const differences = (facts: Facts): Facts => Object.fromEntries(Object.entries(facts).filter(([, said]) => new Set(Object.values(said)).size > 1));

/** Series in the text format of Prometheus. */
export class Exposition {
  readonly #samples: readonly { readonly name: string; readonly labels: Readonly<Record<string, string>>; readonly value: number }[];

  constructor(text: string) {
    this.#samples = text.split('\n').flatMap((line) => {
      const [, name = '', labels = '', value = ''] = /^(\w+)(?:\{(.*?)\})? (\S+)/.exec(line) ?? [];
      if (name === '') return [];
      return [{ name, labels: Object.fromEntries([...labels.matchAll(/(\w+)="(.*?)"/g)].map(([, key, of]) => [key, of])), value: Number(value) }];
    });
  }

  /** Sum of the series of `spillway_…` with these labels. NaN if there is none: that is no zero. */
  sum(name: string, labels: Readonly<Record<string, string>> = {}): number {
    const found = this.#samples.filter((one) => one.name === `spillway_${name}` && Object.entries(labels).every(([key, value]) => one.labels[key] === value));
    return found.length === 0 ? Number.NaN : found.reduce((sum, { value }) => sum + value, 0);
  }

  /** Values of a label with their sums, without zeros: `a 2, b 1`. */
  by(name: string, label: string): string {
    return tally(this.#samples.filter((one) => one.name === `spillway_${name}`).map(({ labels, value }) => [labels[label] ?? '', value]));
  }
}

/** Words with their sums, in the order of the alphabet: `a 2, b 1`. */
export function tally(pairs: readonly (readonly [string, number])[]): string {
  const sums = new Map<string, number>();
  for (const [word, count] of pairs) sums.set(word, (sums.get(word) ?? 0) + count);
  return [...sums]
    .filter(([, sum]) => sum !== 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([word, sum]) => `${word} ${sum}`)
    .join(', ');
}

/** The same, each word once. */
export const tallyOf = (words: readonly string[]): string => tally(words.map((word) => [word, 1]));
