import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pageOf } from './page.ts';
import { type Row, readRows } from './row.ts';

export const root = fileURLToPath(new URL('..', import.meta.url));
export const PAGE = join(root, 'docs', 'benchmarks.md');
const RESULTS = join(root, 'bench', 'results');

/** The files of rows that are committed, in order. */
export function committedFiles(): readonly string[] {
  const names = readdirSync(RESULTS).filter((name) => name.endsWith('.jsonl'));
  return names.toSorted().map((name) => join(RESULTS, name));
}

export const committedRows = (): readonly Row[] => committedFiles().flatMap(readRows);

/** Makes the page anew. Returns how many rows it rests on. */
export function writePage(): number {
  const rows = committedRows();
  writeFileSync(PAGE, pageOf(rows));
  return rows.length;
}

/** A file for rows that are not kept. */
export const freshFile = (name: string): string => join(root, 'bench', 'out', `${name}-${new Date().toISOString().replaceAll(/[:.]/g, '-')}.jsonl`);
