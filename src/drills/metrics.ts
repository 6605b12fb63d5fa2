/** One series of the metrics in the text format of Prometheus: the sum over its labels. Null: it is not there. */
export function metricIn(text: string, name: string): number | null {
  let sum: number | null = null;
  for (const line of text.split('\n')) {
    if (!line.startsWith(name) || !['{', ' '].includes(line.charAt(name.length))) continue;
    sum = (sum ?? 0) + Number(line.slice(line.lastIndexOf(' ') + 1));
  }
  return sum;
}
