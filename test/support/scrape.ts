/** Metrics as a scraper reads them. */
export class Scrape {
  readonly text: string;
  readonly #series: ReadonlyMap<string, number>;

  constructor(text: string) {
    this.text = text;
    this.#series = new Map(
      text
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#'))
        .map((line) => {
          const end = line.lastIndexOf(' ');
          return [line.slice(0, end), Number(line.slice(end + 1))];
        }),
    );
  }

  /** The sum of all series of a metric whose labels hold these. @throws where there is no such series. */
  sum(metric: string, labels: Readonly<Record<string, string>> = {}): number {
    const wanted = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
    const found = [...this.#series].filter(([series]) => {
      const [name, rest = ''] = series.split(/\{(.*)\}$/);
      return name === `spillway_${metric}` && wanted.every((one) => rest.split(',').includes(one));
    });
    if (found.length === 0) throw new Error(`Expected a series of ${metric} with ${JSON.stringify(labels)}, got none.`);
    return found.reduce((sum, [, value]) => sum + value, 0);
  }
}

/** Reads `/metrics` of an operators' listener. */
export async function scrape(url: string, key: string, accept?: string): Promise<Scrape> {
  const response = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${key}`, ...(accept === undefined ? {} : { accept }) } });
  const text = await response.text();
  if (!response.ok) throw new Error(`Expected metrics, got ${response.status}: ${text}`);
  return new Scrape(text);
}

/** Reads them until they are as wanted, within 5 s; then as they are. */
export async function scrapeWhen(url: string, key: string, isThere: (metrics: Scrape) => boolean): Promise<Scrape> {
  const deadline = performance.now() + 5_000;
  for (;;) {
    const metrics = await scrape(url, key);
    if (isThere(metrics) || performance.now() > deadline) return metrics;
  }
}
