import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import uPlot from 'uplot';
import { colourOf, useThemeTurn } from '../ui/colours.ts';
import { clock } from '../ui/format.ts';
import type { Values } from './series-store.ts';

export interface Line {
  readonly label: string;
  /** Custom property of its colour. */
  readonly colour: string;
  readonly values: Values;
  /** Lines are told apart by their strokes too. */
  readonly dash?: readonly number[];
  readonly scale?: 'left' | 'right';
  spell(value: number | null): string;
}

export interface ChartProps {
  readonly title: string;
  /** What the left axis counts in. */
  readonly unit: string;
  readonly at: readonly number[];
  readonly lines: readonly Line[];
  /** Areas on top of each other; else lines. */
  readonly stacked?: boolean;
  /** A line across, such as a deadline. */
  readonly mark?: { readonly at: number; readonly label: string };
  /** The left axis reaches at least so far. */
  readonly atLeast?: number;
  spellAxis?(value: number): string;
}

const HEIGHT = 150;
const TABLE_ROWS = 15;

/** One chart with its legend, and the same as a table. */
export function Chart(props: ChartProps) {
  const { title, unit, at, lines } = props;
  const [asTable, setAsTable] = useState(false);
  const [hovered, setHovered] = useState<number | null>(null);
  const shown = hovered !== null && hovered < at.length ? hovered : at.length - 1;
  return (
    <section className="chart" aria-label={title}>
      <header>
        <h2>
          {title} <span className="muted">{unit}</span>
        </h2>
        <button type="button" className="quiet-button" aria-pressed={asTable} onClick={() => setAsTable((before) => !before)}>
          {asTable ? 'as chart' : 'as table'}
        </button>
      </header>
      <ul className="legend">
        {lines.map((line) => (
          <li key={line.label}>
            <Swatch line={line} stacked={props.stacked === true} />
            <span>{line.label}</span> <b>{line.spell(line.values[shown] ?? null)}</b>
          </li>
        ))}
        {hovered !== null && at[shown] !== undefined && <li className="muted legend-time">{clock(at[shown])}</li>}
      </ul>
      {asTable ? (
        <ChartTable {...props} />
      ) : at.length === 0 ? (
        <p className="chart-empty muted">Nothing measured yet</p>
      ) : (
        <Plot {...props} onHover={setHovered} />
      )}
    </section>
  );
}

function Swatch({ line, stacked }: { line: Line; stacked: boolean }) {
  return (
    <svg className="swatch" viewBox="0 0 18 10" width="18" height="10" aria-hidden="true" focusable="false">
      {stacked ? (
        <rect x="1" y="1" width="16" height="8" rx="2" style={{ fill: `var(${line.colour})` }} />
      ) : (
        <path d="M0 5h18" style={{ stroke: `var(${line.colour})` }} strokeWidth="2.5" strokeDasharray={line.dash?.join(' ')} />
      )}
    </svg>
  );
}

function ChartTable({ title, at, lines }: ChartProps) {
  const rows = at.slice(-TABLE_ROWS).map((_, i) => at.length - Math.min(TABLE_ROWS, at.length) + i);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard has to get into it
    <section className="chart-table" tabIndex={0} aria-label={`${title}, the newest ${rows.length} points`}>
      <table>
        <thead>
          <tr>
            <th scope="col">At</th>
            {lines.map(({ label }) => (
              <th key={label} scope="col">
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.reverse().map((i) => (
            <tr key={at[i]}>
              <th scope="row">{clock(at[i] ?? 0)}</th>
              {lines.map((line) => (
                <td key={line.label}>{line.spell(line.values[i] ?? null)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Plot(props: ChartProps & { onHover: (index: number | null) => void }) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const newest = useRef(props);
  newest.current = props;
  const turn = useThemeTurn();
  const shape = `${turn} ${props.lines.map(({ label }) => label).join()}`;

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new theme or other lines make another chart
  useLayoutEffect(() => {
    const element = place.current;
    if (element === null) return;
    const made = new uPlot(optionsOf(newest, element.clientWidth), dataOf(newest.current), element);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape]);
  useEffect(() => plot.current?.setData(dataOf(props)));
  return (
    <div ref={place} className="plot" role="img" aria-label={`${props.title}: the newest figures stand in the list above, all of them behind “as table”`} />
  );
}

/** Of what is stacked, the lowest is drawn last: what counts nothing has the outline of what lies below it, and must not cover it. */
const inDrawingOrder = ({ lines, stacked = false }: ChartProps): readonly Line[] => (stacked ? lines.toReversed() : lines);

/** What uPlot draws: stacked values are sums of all lines up to theirs. */
function dataOf({ at, lines, stacked = false }: ChartProps): uPlot.AlignedData {
  if (!stacked) return [at as number[], ...lines.map(({ values }) => values as (number | null)[])];
  const sums: (number | null)[] = at.map(() => null);
  const areas = lines.map(({ values }) => {
    values.forEach((value, i) => {
      if (value !== null) sums[i] = (sums[i] ?? 0) + value;
    });
    return [...sums];
  });
  return [at as number[], ...areas.reverse()];
}

function optionsOf(newest: { readonly current: ChartProps & { onHover: (index: number | null) => void } }, width: number): uPlot.Options {
  const { lines, stacked = false, mark, atLeast = 1, spellAxis } = newest.current;
  const axis = {
    stroke: colourOf('--muted'),
    font: '11px ui-sans-serif, system-ui, sans-serif',
    grid: { stroke: colourOf('--line'), width: 1 },
    ticks: { show: false },
  };
  const range = (_: uPlot, __: number | null, most: number | null): [number, number] => [0, Math.max(atLeast, (most ?? 0) * 1.12)];
  const hasRight = lines.some(({ scale }) => scale === 'right');
  return {
    width,
    height: HEIGHT,
    ms: 1,
    legend: { show: false },
    padding: [8, hasRight ? 0 : 10, 0, 0],
    cursor: { sync: { key: 'overview' }, y: false, drag: { x: false, y: false }, points: { size: 6 } },
    scales: { left: { range }, ...(hasRight ? { right: { range } } : {}) },
    axes: [
      {
        ...axis,
        grid: { show: false },
        space: 70,
        size: 26,
        values: (_, ticks) => ticks.map((tick) => clock(tick).slice(0, ticks.length > 1 && (ticks[1] ?? 0) - (ticks[0] ?? 0) < 60_000 ? 8 : 5)),
      },
      { ...axis, scale: 'left', size: 44, space: 32, values: (_, ticks) => ticks.map((tick) => spellAxis?.(tick) ?? String(tick)) },
      ...(hasRight ? [{ ...axis, scale: 'right', side: 1 as const, size: 40, space: 32, grid: { show: false } }] : []),
    ],
    series: [
      {},
      ...inDrawingOrder(newest.current).map(({ label, colour, dash, scale = 'left' }) => ({
        label,
        scale,
        stroke: colourOf(colour),
        width: stacked ? 1 : 1.6,
        ...(dash === undefined ? {} : { dash: [...dash] }),
        ...(stacked ? { fill: colourOf(colour) } : {}),
        points: stacked ? { show: false } : { show: true, size: 4, fill: colourOf(colour), filter: alone },
      })),
    ],
    hooks: {
      setCursor: [({ cursor }) => newest.current.onHover(cursor.idx ?? null)],
      ...(mark === undefined ? {} : { draw: [(plot: uPlot) => drawMark(plot, mark)] }),
    },
  };
}

/** Points without a neighbour: no line would show them. */
function alone(plot: uPlot, series: number): number[] {
  const values = plot.data[series] ?? [];
  return [...values.keys()].filter((i) => values[i] != null && values[i - 1] == null && values[i + 1] == null);
}

function drawMark(plot: uPlot, { at, label }: { readonly at: number; readonly label: string }): void {
  const { ctx, bbox } = plot;
  const y = plot.valToPos(at, 'left', true);
  if (y < bbox.top || y > bbox.top + bbox.height) return;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = colourOf('--bad');
  ctx.setLineDash([6 * ratio, 4 * ratio]);
  ctx.lineWidth = ratio;
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.font = `${11 * ratio}px ui-sans-serif, system-ui, sans-serif`;
  ctx.textAlign = 'right';
  ctx.fillText(label, bbox.left + bbox.width - 4 * ratio, y - 4 * ratio);
  ctx.restore();
}
