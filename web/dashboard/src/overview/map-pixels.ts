/** Paints a map of very many small cells: one write of pixels instead of a hundred thousand rectangles. */

import { colourOf } from '../ui/colours.ts';

export interface PixelLayout {
  readonly columns: number;
  /** Pixels of the page from one cell to the next, and what of it is coloured. */
  readonly pitch: number;
  readonly size: number;
}

/** `colours`: custom properties by the verdict's number in a cell's byte. The canvas has its size already. */
export function paintCells(canvas: HTMLCanvasElement, cells: Uint8Array, { columns, pitch, size }: PixelLayout, colours: readonly string[]): void {
  const context = canvas.getContext('2d');
  if (context === null) return;
  const { width } = canvas;
  const ratio = devicePixelRatio;
  const image = context.createImageData(width, canvas.height);
  const pixels = new Uint32Array(image.data.buffer);
  const values = colours.map(pixelOf);
  const from = Int32Array.from({ length: columns }, (_, column) => Math.round(column * pitch * ratio));
  const to = Int32Array.from({ length: columns }, (_, column) => Math.min(width, Math.round((column * pitch + size) * ratio)));
  for (let row = 0; row * columns < cells.length; row++) {
    const top = Math.round(row * pitch * ratio);
    const bottom = Math.min(canvas.height, Math.round((row * pitch + size) * ratio));
    const line = pixels.subarray(top * width, (top + 1) * width);
    const inRow = Math.min(columns, cells.length - row * columns);
    for (let column = 0; column < inRow; column++) {
      const value = values[(cells[row * columns + column] ?? 0) & 7] ?? 0;
      const end = to[column] ?? 0;
      for (let x = from[column] ?? 0; x < end; x++) line[x] = value;
    }
    for (let y = top + 1; y < bottom; y++) pixels.set(line, y * width);
  }
  context.putImageData(image, 0, 0);
}

/** A canvas of its own is read, so that the big one stays where it is drawn fastest. */
let reader: CanvasRenderingContext2D | null = null;

/** A colour as four bytes in the order of memory. */
function pixelOf(property: string): number {
  reader ??= document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  if (reader === null) return 0;
  reader.fillStyle = colourOf(property);
  reader.fillRect(0, 0, 1, 1);
  return new Uint32Array(reader.getImageData(0, 0, 1, 1).data.buffer)[0] ?? 0;
}
