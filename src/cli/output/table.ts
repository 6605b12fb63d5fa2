import { bold, clipped, dim, harmless, widthOf } from './style.ts';

/** One column of a table about rows of `T`. */
export interface Column<T> {
  readonly title: string;
  /** For people. */
  readonly text: (row: T) => string;
  /** For programs, in a pipe: whole and in base units. Default: `text`. */
  readonly raw?: (row: T) => string | number | boolean | null;
  readonly right?: boolean;
  /** Colours a text that is in its place already. */
  readonly paint?: (text: string, row: T) => string;
  /** On a narrow terminal the column with the highest number is left out first; without one it always stays. */
  readonly drop?: number;
  /** It may be cut off down to so many columns; the leftmost column is cut first. */
  readonly shrink?: number;
}

/** Columns about things that lie on nodes: on a terminal with the node behind the first where there is more than one, in a pipe always, at
 *  the end. */
export function withNodes<T extends { readonly node: string }>(
  columns: readonly Column<T>[],
  rows: readonly T[],
  isTerminal: boolean = process.stdout.isTTY === true,
): readonly Column<T>[] {
  const node: Column<T> = { title: 'NODE', text: (row) => row.node };
  if (!isTerminal) return [...columns, node];
  return new Set(rows.map((row) => row.node)).size > 1 ? [...columns.slice(0, 1), node, ...columns.slice(1)] : columns;
}

export interface TableOptions {
  /** Default: whether standard output is a terminal. */
  readonly isTerminal?: boolean;
  /** Columns of the terminal. Default: those of standard output. */
  readonly width?: number;
}

const GAP = '  ';

/** What is left of an id where room is short: its prefix and six characters, enough to find it again. */
export const ID_COLUMNS = 11;

/** Columns of this terminal. */
export const terminalWidth = (): number => process.stdout.columns || 80;

/** Lines of a table: aligned with a head on a terminal, tab-separated without one in a pipe. */
export function tableLines<T>(columns: readonly Column<T>[], rows: readonly T[], options: TableOptions = {}): string[] {
  const { isTerminal = process.stdout.isTTY === true, width = terminalWidth() } = options;
  if (!isTerminal) return rows.map((row) => columns.map((column) => spelled((column.raw ?? column.text)(row))).join('\t'));
  if (rows.length === 0) return [];
  const all = columns.map((column) => ({ column, cells: rows.map((row) => harmless(column.text(row))) }));
  const natural = new Map(all.map(({ column, cells }) => [column, Math.max(widthOf(column.title), ...cells.map(widthOf))]));
  const { shown, widths } = fitted(columns, natural, width);
  const lastOne = shown.at(-1);
  const line = (cellOf: (column: Column<T>, columns: number) => string): string =>
    shown
      .map((column) => cellOf(column, widths.get(column) ?? 0))
      .join(GAP)
      .trimEnd();
  const placed = (text: string, column: Column<T>, columns: number): string => {
    const cut = clipped(text, columns);
    const rest = ' '.repeat(Math.max(0, columns - widthOf(cut)));
    return column.right ? rest + cut : column === lastOne ? cut : cut + rest;
  };
  const head = dim(line((column, w) => placed(column.title, column, w)));
  const texts = new Map(all.map(({ column, cells }) => [column, cells]));
  return [
    head,
    ...rows.map((row, i) =>
      line((column, w) => {
        const text = placed(texts.get(column)?.[i] ?? '', column, w);
        return column.paint === undefined ? text : column.paint(text, row);
      }),
    ),
  ];
}

/** Which columns fit, and how wide each is: first columns are cut off as far as they may be, then dropped. */
function fitted<T>(columns: readonly Column<T>[], natural: ReadonlyMap<Column<T>, number>, width: number) {
  let shown = [...columns];
  for (;;) {
    const widths = new Map(shown.map((column) => [column, natural.get(column) ?? 0]));
    let over = [...widths.values()].reduce((sum, w) => sum + w, 0) + GAP.length * (shown.length - 1) - width;
    for (const column of shown) {
      if (over <= 0 || column.shrink === undefined) continue;
      const was = widths.get(column) ?? 0;
      const now = Math.max(Math.min(was, column.shrink ?? 0), was - over);
      widths.set(column, now);
      over -= was - now;
    }
    const droppable = shown.filter(({ drop }) => drop !== undefined).sort((a, b) => (b.drop ?? 0) - (a.drop ?? 0))[0];
    if (over <= 0 || droppable === undefined) return { shown, widths };
    shown = shown.filter((column) => column !== droppable);
  }
}

const spelled = (value: string | number | boolean | null): string => (value === null ? '' : harmless(String(value)));

/** Names and values below each other. */
export function factLines(facts: readonly (readonly [name: string, value: string])[]): string[] {
  const width = Math.max(...facts.map(([name]) => widthOf(name)));
  return facts.map(([name, value]) => `${bold(name)}${' '.repeat(width - widthOf(name))}${GAP}${value}`);
}
