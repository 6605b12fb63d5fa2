import { closeSync, existsSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { Position } from '../../../src/client/index.ts';
import { readLines } from './read-lines.ts';
import type { Line } from './records.ts';

/** Where a client goes on: behind the last range that it has written. */
export interface Saved {
  readonly life: number;
  readonly position: Position | null;
}

/** Where a client writes its lines. */
export interface Sink {
  readonly saved: Saved;
  /** Has written it when it returns. */
  write(line: Line): void;
  close(): void;
}

/** By which lines a new life goes on: by what was applied, or, as no client should, by what was acknowledged. */
export type SavedBy = 'applied' | 'ack';

function savedIn(lines: Iterable<Line>, by: SavedBy): Saved {
  let life = 0;
  let last = null as { readonly epoch: string; readonly offset: number } | null;
  for (const line of lines) {
    life = Math.max(life, line.life);
    if (line.is === 'applied') last = { epoch: line.epoch, offset: Math.max(line.to, by === 'ack' ? (last?.offset ?? 0) : 0) };
    else if (line.is === 'ack' && by === 'ack' && last !== null) last = { ...last, offset: Math.max(last.offset, line.offset) };
    else if (line.is === 'gap') last = { epoch: line.epoch, offset: line.snapshot?.to ?? line.to };
  }
  return { life, position: last as Position | null };
}

/** Appends to a file, one `write` a line. What a killed life has left of a line is cut off: it counts as not written. */
export function fileSink(file: string, by: SavedBy = 'applied'): Sink {
  const saved = savedIn(existsSync(file) ? readLines<Line>(file) : [], by);
  const handle = openSync(file, 'a');
  if (existsSync(file)) ftruncateSync(handle, readFileSync(file).lastIndexOf('\n') + 1);
  return {
    saved,
    write: (line) => void writeSync(handle, `${JSON.stringify(line)}\n`),
    close: () => closeSync(handle),
  };
}

export interface MemorySink extends Sink {
  readonly lines: readonly Line[];
}

/** For clients in the process of the test, which nothing kills. The next one on the same sink goes on behind the last line. */
export function memorySink(): MemorySink {
  const lines: Line[] = [];
  return {
    lines,
    get saved() {
      return savedIn(lines, 'applied');
    },
    write: (line) => void lines.push(line),
    close: () => {},
  };
}
