/** Which table the keys j, k, Enter and r mean: the one with the focus, else the one under the pointer, else the first on the screen. */

export interface GridCommands {
  readonly element: HTMLElement;
  move(by: number): void;
  open(): void;
  apply(): void;
}

const present = new Set<GridCommands>();

/** Makes a table known until the function that it gives is called. */
export function announceGrid(grid: GridCommands): () => void {
  present.add(grid);
  return () => present.delete(grid);
}

export function currentGrid(): GridCommands | null {
  const all = [...present].sort((a, b) => (a.element.compareDocumentPosition(b.element) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1));
  return all.find(({ element }) => element.contains(document.activeElement)) ?? all.find(({ element }) => element.matches(':hover')) ?? all[0] ?? null;
}
