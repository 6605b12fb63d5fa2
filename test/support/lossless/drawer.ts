import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

/** A file that serves a client as its tab's `sessionStorage`. */
export function fileDrawer(file: string): Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> {
  const read = (): Record<string, string> => (existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>) : {});
  const write = (change: (kept: Record<string, string>) => void): void => {
    const kept = read();
    change(kept);
    // In one step: its process may be killed while it writes.
    writeFileSync(`${file}.next`, JSON.stringify(kept));
    renameSync(`${file}.next`, file);
  };
  return {
    getItem: (key) => read()[key] ?? null,
    setItem: (key, value) =>
      write((kept) => {
        kept[key] = value;
      }),
    removeItem: (key) =>
      write((kept) => {
        delete kept[key];
      }),
  };
}
