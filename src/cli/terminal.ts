import { type Column, tableLines } from './output/table.ts';

/** Data goes to standard output, talk to standard error. */
export const say = (text: string): void => void process.stderr.write(`${text}\n`);
export const print = (text: string): void => void process.stdout.write(`${text}\n`);
export const printLines = (lines: readonly string[]): void => lines.forEach(print);
export const printJson = (value: unknown): void => print(JSON.stringify(value, null, 2));
/** One object a line, for streams. */
export const printNdjson = (value: unknown): void => print(JSON.stringify(value));

/** A table for people on a terminal, tab-separated values in a pipe. */
export const printTable = <T>(columns: readonly Column<T>[], rows: readonly T[]): void => printLines(tableLines(columns, rows));

/** Rows without a head for people on a terminal, tab-separated values in a pipe. */
export function printRows(rows: readonly (readonly string[])[]): void {
  if (!process.stdout.isTTY) {
    for (const row of rows) print(row.join('\t'));
    return;
  }
  const widths = rows.reduce<number[]>((all, row) => row.map((cell, i) => Math.max(all[i] ?? 0, cell.length)), []);
  for (const row of rows) print(row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join('  '));
}
