import { type CSSProperties, type KeyboardEvent, type ReactNode, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useMedia } from '../../../chat/src/ui/media.ts';
import { plural } from '../ui/format.ts';
import { announceGrid } from './commands.ts';
import { useSteadyRows } from './steady-rows.ts';

export interface Column<R> {
  readonly id: string;
  readonly title: string;
  /** A track of CSS grid. */
  readonly width: string;
  readonly align?: 'end';
  /** Shown on narrow screens too; the others are told in the second line of a row there, or nowhere. */
  readonly narrow?: boolean;
  /** Clicking its head sorts by this. */
  readonly sort?: string;
  readonly help?: string;
  cell(row: R): ReactNode;
}

export interface DataGridProps<R> {
  readonly label: string;
  readonly columns: readonly Column<R>[];
  /** Those that are known, from index `from` (default 0) of `total` (default: these are all). */
  readonly rows: readonly R[];
  readonly from?: number;
  readonly total?: number;
  keyOf(row: R): string;
  /** What a click or Enter does. */
  onOpen?(row: R): void;
  /** These rows are about to be looked at. */
  onWindow?(from: number, size: number): void;
  /** Second line of a row on narrow screens. */
  brief?(row: R): ReactNode;
  /** Two lines of text fit in a row. */
  readonly tall?: boolean;
  /** It takes the room that is left on the screen, and scrolls inside. */
  readonly fill?: boolean;
  readonly sort?: string;
  onSort?(sort: string): void;
  /** The one whose details are open beside the table. */
  readonly openKey?: string | null;
}

const MOST_ROWS = 60;
const NARROW = '(max-width: 719px)';

/** A table that shows at most 60 rows of however many there are, and whose rows do not jump. */
export function DataGrid<R>(props: DataGridProps<R>) {
  const { label, rows, from = 0, total = rows.length, keyOf, onOpen, onWindow, brief, tall = false, fill = false, sort, onSort, openKey = null } = props;
  const isNarrow = useMedia(NARROW);
  const columns = isNarrow ? props.columns.filter(({ narrow }) => narrow === true) : props.columns;
  const rowHeight = isNarrow && brief !== undefined ? 76 : tall ? 50 : 34;

  const place = useRef<HTMLDivElement>(null);
  const [hasPointer, setPointer] = useState(false);
  const [hasFocus, setFocus] = useState(false);
  const [active, setActive] = useState<string | null>(null);
  const [view, setView] = useState({ top: 0, height: 600 });
  const wantsFocus = useRef(false);
  const steady = useSteadyRows(rows, from, total, keyOf, hasPointer || hasFocus);

  const isWindowed = steady.total > MOST_ROWS;
  const inView = Math.min(MOST_ROWS, Math.ceil(view.height / rowHeight) + 1);
  const around = Math.min(8, Math.floor((MOST_ROWS - inView) / 2));
  const first = isWindowed ? Math.max(0, Math.min(Math.floor(view.top / rowHeight) - around, steady.total - inView)) : 0;
  const last = isWindowed ? Math.min(steady.total, first + inView + 2 * around) : steady.total;

  useLayoutEffect(() => {
    const element = place.current;
    if (element === null) return;
    const look = (): void => setView({ top: element.scrollTop, height: element.clientHeight });
    look();
    const observer = new ResizeObserver(look);
    observer.observe(element);
    element.addEventListener('scroll', look, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', look);
    };
  }, []);

  const wanted = `${Math.max(0, Math.floor((first - 20) / 10) * 10)}`;
  const onWindowNow = useRef(onWindow);
  onWindowNow.current = onWindow;
  useEffect(() => onWindowNow.current?.(Number(wanted), 100), [wanted]);

  const focusRow = (index: number): void => {
    const found = steady.at(index);
    if (found === null) return;
    const element = place.current;
    if (element !== null && isWindowed) {
      const head = 34;
      if (index * rowHeight < element.scrollTop) element.scrollTop = index * rowHeight;
      else if ((index + 1) * rowHeight + head > element.scrollTop + element.clientHeight)
        element.scrollTop = (index + 1) * rowHeight + head - element.clientHeight;
    }
    wantsFocus.current = true;
    setActive(found.key);
  };
  const move = (by: number): void => {
    const at = active === null ? -1 : steady.indexOf(active);
    if (at < 0) focusRow(by > 0 || !isWindowed ? Math.max(0, Math.ceil(view.top / rowHeight)) : last - 1);
    else focusRow(Math.max(0, Math.min(steady.total - 1, at + by)));
  };
  const openActive = (): void => {
    const found = active === null ? null : steady.at(steady.indexOf(active));
    if (found !== null) onOpen?.(found.row);
  };
  const commands = useRef({ move, open: openActive, apply: steady.apply });
  commands.current = { move, open: openActive, apply: steady.apply };
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    return announceGrid({
      element,
      move: (by) => commands.current.move(by),
      open: () => commands.current.open(),
      apply: () => commands.current.apply(),
    });
  }, []);
  useLayoutEffect(() => {
    if (!wantsFocus.current || active === null) return;
    const element = place.current?.querySelector<HTMLElement>(`[data-key="${CSS.escape(active)}"]`);
    if (element == null) return;
    wantsFocus.current = false;
    element.focus({ preventScroll: isWindowed });
  });

  const pressed = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: inView - 2,
      PageUp: 2 - inView,
      Home: -steady.total,
      End: steady.total,
    };
    const step = steps[event.key];
    if (step !== undefined) {
      event.preventDefault();
      move(step);
    } else if (event.key === 'Enter' && (event.target as HTMLElement).matches('[role=row]')) {
      event.preventDefault();
      openActive();
    }
  };

  const indexes = Array.from({ length: last - first }, (_, i) => first + i);
  const tabStop = active !== null && indexes.some((index) => steady.at(index)?.key === active) ? active : (steady.at(first)?.key ?? null);
  const style = {
    '--tracks': columns.map(({ width }) => width).join(' '),
    '--least': isNarrow ? '0rem' : leastWidth(columns.map(({ width }) => width)),
    '--row-height': `${rowHeight}px`,
  } as CSSProperties;
  return (
    <div className="grid-place" data-fill={fill} data-windowed={isWindowed}>
      {steady.changes > 0 && (
        <button type="button" className="chip" onClick={steady.apply}>
          {plural(steady.changes, 'change')}, press <kbd>r</kbd>
        </button>
      )}
      {/* biome-ignore lint/a11y/useSemanticElements: a table of which only the rows in view exist cannot be a `table` */}
      <div
        ref={place}
        role="grid"
        tabIndex={-1}
        className="grid"
        aria-label={label}
        aria-rowcount={steady.total + 1}
        aria-colcount={columns.length}
        style={style}
        onPointerEnter={({ pointerType }) => setPointer(pointerType === 'mouse')}
        onPointerLeave={() => setPointer(false)}
        onFocus={() => setFocus(true)}
        onBlur={(event) => setFocus(event.currentTarget.contains(event.relatedTarget))}
        onKeyDown={pressed}
      >
        <Head columns={columns} sort={sort} onSort={onSort} />
        {/* biome-ignore lint/a11y/useSemanticElements: as above */}
        <div role="rowgroup" style={{ paddingTop: first * rowHeight, paddingBottom: (steady.total - last) * rowHeight }}>
          {indexes.map((index) => {
            const found = steady.at(index);
            return (
              // biome-ignore lint/a11y/useSemanticElements: as above
              // biome-ignore lint/a11y/useKeyWithClickEvents: the table hears the keys of its rows
              <div
                key={found?.key ?? `at ${index}`}
                role="row"
                className="row"
                aria-rowindex={index + 2}
                tabIndex={found !== null && found.key === tabStop ? 0 : -1}
                data-key={found?.key}
                data-opens={onOpen !== undefined}
                data-open={found !== null && found.key === openKey}
                data-old={found?.isOld}
                title={found?.isOld ? 'It has moved away or ended; press r' : undefined}
                onFocus={() => setActive(found?.key ?? null)}
                onClick={() => {
                  if (found !== null && getSelection()?.isCollapsed !== false) onOpen?.(found.row);
                }}
              >
                {columns.map((column) => (
                  // biome-ignore lint/a11y/useSemanticElements: as above
                  // biome-ignore lint/a11y/useFocusableInteractive: rows take the focus
                  <div key={column.id} role="gridcell" className="cell" data-align={column.align}>
                    {found === null ? '…' : column.cell(found.row)}
                  </div>
                ))}
                {isNarrow && brief !== undefined && (
                  // biome-ignore lint/a11y/useSemanticElements: as above
                  // biome-ignore lint/a11y/useFocusableInteractive: as above
                  <div role="gridcell" className="cell brief">
                    {found === null ? '' : brief(found.row)}
                  </div>
                )}
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

/** Space between two columns and at both ends of a row, as the style sheet has them. */
const GAP_REM = 0.8;
const ENDS_REM = 1.6;

/** What all columns take when each is as narrow as it may be: rows are as wide as their head, so they agree on it. */
function leastWidth(tracks: readonly string[]): string {
  const least = tracks.reduce((sum, track) => sum + Number(/[\d.]+(?=rem)/.exec(track)?.[0] ?? 0), 0);
  return `${least + (tracks.length - 1) * GAP_REM + ENDS_REM}rem`;
}

function Head<R>({ columns, sort, onSort }: { columns: readonly Column<R>[]; sort: string | undefined; onSort: ((sort: string) => void) | undefined }) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: as above
    <div role="rowgroup" className="grid-head">
      {/* biome-ignore lint/a11y/useSemanticElements: as above */}
      {/* biome-ignore lint/a11y/useFocusableInteractive: as above */}
      <div role="row" aria-rowindex={1} className="row">
        {columns.map(({ id, title, align, sort: by, help }) => (
          // biome-ignore lint/a11y/useSemanticElements: as above
          // biome-ignore lint/a11y/useFocusableInteractive: as above
          <div
            key={id}
            role="columnheader"
            className="cell"
            data-align={align}
            title={help}
            {...(by !== undefined && onSort !== undefined ? { 'aria-sort': by === sort ? (by === 'name' ? 'ascending' : 'descending') : 'none' } : {})}
          >
            {by !== undefined && onSort !== undefined ? (
              <button type="button" className="sort" data-on={by === sort} onClick={() => onSort(by)}>
                {title}
              </button>
            ) : (
              title
            )}
          </div>
        ))}
      </div>
    </div>
  );
}
