/** Draws the map: as many cells as there are managers, as big as the room allows. */

import { colourOf } from '../ui/colours.ts';
import { CELL_VERDICTS } from './manager-map.ts';
import { paintCells } from './map-pixels.ts';

export interface MapLayout {
  readonly columns: number;
  /** Pixels of the page from one cell to the next. */
  readonly pitch: number;
  readonly height: number;
}

const BEST_HEIGHT = 190;
const BIGGEST = 18;
/** From this pitch on there is room for a shape in a cell. */
const MARKED = 9;

/** The biggest cells with which `count` of them fit into the usual height; very many make it higher. */
export function layOut(count: number, width: number): MapLayout {
  let pitch = BIGGEST;
  while (pitch > 2 && Math.ceil(count / Math.max(1, Math.floor(width / pitch))) * pitch > BEST_HEIGHT) pitch -= 1;
  const columns = Math.max(1, Math.floor(width / pitch));
  return { columns, pitch, height: Math.max(pitch, Math.ceil(count / columns) * pitch) };
}

const COLOURS = ['--cell-nobody', ...CELL_VERDICTS.slice(1).map((verdict) => `--verdict-${verdict}`)];

export function drawMap(canvas: HTMLCanvasElement, cells: Uint8Array, { columns, pitch, height }: MapLayout, width: number, chosen: number | null): void {
  const ratio = devicePixelRatio;
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
  const context = canvas.getContext('2d');
  if (context === null) return;
  const gap = pitch >= 8 ? 2 : pitch >= 4 ? 1 : 0;
  const size = pitch - gap;
  if (pitch < MARKED) paintCells(canvas, cells, { columns, pitch, size }, COLOURS);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  if (pitch >= MARKED) {
    context.clearRect(0, 0, width, height);
    // One colour after the other: changing it costs more than a rectangle.
    COLOURS.forEach((colour, verdict) => {
      context.fillStyle = colourOf(colour);
      for (let i = 0; i < cells.length; i++) {
        if (((cells[i] ?? 0) & 7) === verdict) context.fillRect((i % columns) * pitch, Math.floor(i / columns) * pitch, size, size);
      }
    });
    drawMarks(context, cells, columns, pitch, size);
  }
  if (chosen !== null && chosen < cells.length) {
    context.strokeStyle = colourOf('--text');
    context.lineWidth = 2;
    context.strokeRect((chosen % columns) * pitch - 1, Math.floor(chosen / columns) * pitch - 1, size + 2, size + 2);
  }
}

/** Where there is room, what is not well is told by its shape too. */
function drawMarks(context: CanvasRenderingContext2D, cells: Uint8Array, columns: number, pitch: number, size: number): void {
  context.strokeStyle = context.fillStyle = colourOf('--cell-mark');
  context.lineWidth = Math.max(1.4, size / 8);
  const inset = size * 0.28;
  for (let i = 0; i < cells.length; i++) {
    const byte = cells[i] ?? 0;
    const [x, y] = [(i % columns) * pitch, Math.floor(i / columns) * pitch];
    const [near, far] = [inset, size - inset];
    context.beginPath();
    switch (byte & 7) {
      case 2:
        context.rect(x + size / 2, y + near, size / 2 - inset, far - near);
        context.fill();
        break;
      case 3:
        context.setLineDash([2, 2]);
        context.rect(x + near, y + near, far - near, far - near);
        context.stroke();
        context.setLineDash([]);
        break;
      case 4:
        context.moveTo(x + near, y + near);
        context.lineTo(x + far, y + far);
        context.moveTo(x + far, y + near);
        context.lineTo(x + near, y + far);
        context.stroke();
        break;
      case 5:
      case 6:
        context.rect(x + near, y + near, far - near, far - near);
        context.stroke();
        break;
      default:
        // An answer is being written to it.
        if ((byte & 32) !== 0) {
          context.arc(x + size / 2, y + size / 2, size / 6, 0, Math.PI * 2);
          context.fill();
        }
    }
  }
}
