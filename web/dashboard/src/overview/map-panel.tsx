import { type KeyboardEvent, type PointerEvent, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useWelcome } from '../live/live-state.ts';
import { useWatch } from '../live/use-topic.ts';
import { useThemeTurn } from '../ui/colours.ts';
import { plural, whole } from '../ui/format.ts';
import { go, href } from '../ui/route.ts';
import { VERDICTS, VerdictGlyph } from '../ui/verdict.tsx';
import { cellOf, ManagerMap, verdictOf } from './manager-map.ts';
import { drawMap, layOut } from './map-drawing.ts';

/** The pointer has to rest so long before a cell is asked for its name. */
const REST_MS = 60;

/** One cell is one manager. */
export function MapPanel() {
  const welcome = useWelcome();
  const map = useRef(new ManagerMap());
  const [turn, setTurn] = useState(0);
  const [asTable, setAsTable] = useState(false);
  const [chosen, setChosen] = useState<number | null>(null);
  const [named, setNamed] = useState<{ cell: number; manager: string | null; user: string | null } | null>(null);
  const watch = useWatch<'map'>({ of: 'map' }, (update) => {
    map.current.take(update);
    setTurn((before) => before + 1);
  });
  const { cells } = map.current;
  const tiers = welcome?.tiers ?? [];

  useEffect(() => {
    if (chosen === null) return;
    const timer = setTimeout(() => {
      watch.current?.who(chosen).then(
        (who) => setNamed({ cell: chosen, manager: who?.manager ?? null, user: who?.user ?? null }),
        () => setNamed(null),
      );
    }, REST_MS);
    return () => clearTimeout(timer);
  }, [chosen, watch]);

  const open = (cell: number): void => {
    watch.current?.who(cell).then(
      (who) => {
        if (who !== null) go(href('managers', who.manager));
      },
      () => undefined,
    );
  };
  const managers = cells.reduce((count, byte) => count + ((byte & 7) === 0 ? 0 : 1), 0);
  return (
    <section className="panel map-panel" aria-label="Map of managers">
      <header>
        <h2>
          Map <span className="muted">1 cell = 1 manager, {whole(managers)} in all</span>
        </h2>
        <ul className="legend">
          {VERDICTS.map((verdict) => (
            <li key={verdict}>
              <VerdictGlyph verdict={verdict} />
              <a href={href('managers', null, { verdict })}>{verdict}</a>
            </li>
          ))}
        </ul>
        <button type="button" className="quiet-button" aria-pressed={asTable} onClick={() => setAsTable((before) => !before)}>
          {asTable ? 'as map' : 'as table'}
        </button>
      </header>
      {asTable ? (
        <MapTable map={map.current} tiers={tiers} />
      ) : cells.length === 0 ? (
        <p className="chart-empty muted">{turn === 0 ? 'Asking the gateway for the map …' : 'Nobody holds a seat.'}</p>
      ) : (
        <MapCanvas cells={cells} turn={turn} chosen={chosen} onChoose={setChosen} onOpen={open} />
      )}
      {!asTable && cells.length > 0 && (
        <p className="map-name" id="map-name">
          {chosen === null ? (
            <span className="muted">Point at a cell, or move with the arrow keys; Enter or a click opens it.</span>
          ) : (
            <CellWords byte={cells[chosen] ?? 0} tiers={tiers} who={named?.cell === chosen ? named : null} />
          )}
        </p>
      )}
    </section>
  );
}

function CellWords({ byte, tiers, who }: { byte: number; tiers: readonly string[]; who: { manager: string | null; user: string | null } | null }) {
  const cell = cellOf(byte);
  if (cell.verdict === 'nobody') return <span className="muted">An empty cell: its manager is gone.</span>;
  const facts = [
    tiers[cell.tier] ?? `tier ${cell.tier}`,
    cell.run ? 'an answer is running' : null,
    cell.visible ? 'page visible' : 'page hidden',
    cell.burst ? 'burst seat' : null,
  ];
  return (
    <>
      <VerdictGlyph verdict={cell.verdict} /> {cell.verdict} <span className="muted">·</span>{' '}
      {who === null ? '…' : who.manager === null ? 'gone' : <code>{who.manager}</code>} {who?.user != null && <span>of {who.user}</span>}{' '}
      <span className="muted">· {facts.filter((fact) => fact !== null).join(' · ')}</span>
    </>
  );
}

function MapCanvas({
  cells,
  turn,
  chosen,
  onChoose,
  onOpen,
}: {
  cells: Uint8Array;
  turn: number;
  chosen: number | null;
  onChoose: (cell: number | null) => void;
  onOpen: (cell: number) => void;
}) {
  const place = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  const theme = useThemeTurn();
  useLayoutEffect(() => {
    const element = place.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    setWidth(element.clientWidth);
    return () => observer.disconnect();
  }, []);
  const layout = layOut(cells.length, Math.max(1, width));
  // biome-ignore lint/correctness/useExhaustiveDependencies: what it draws changes with the turns
  useLayoutEffect(() => {
    if (canvas.current !== null && width > 0) drawMap(canvas.current, cells, layout, width, chosen);
  }, [cells, turn, theme, width, chosen]);

  const cellAt = (event: PointerEvent): number | null => {
    const box = event.currentTarget.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left) / layout.pitch);
    const cell = Math.floor((event.clientY - box.top) / layout.pitch) * layout.columns + column;
    return column >= 0 && column < layout.columns && cell >= 0 && cell < cells.length ? cell : null;
  };
  const pressed = (event: KeyboardEvent): void => {
    const steps: Readonly<Record<string, number>> = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: layout.columns, ArrowUp: -layout.columns };
    const step = steps[event.key];
    if (step !== undefined) {
      event.preventDefault();
      onChoose(Math.max(0, Math.min(cells.length - 1, chosen === null ? 0 : chosen + step)));
    } else if (event.key === 'Enter' && chosen !== null) {
      event.preventDefault();
      onOpen(chosen);
    }
  };
  return (
    <div
      ref={place}
      className="map-canvas"
      role="application"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it hears the arrow keys
      tabIndex={0}
      aria-label={`${plural(cells.length, 'cell')}; the same stands behind “as table”`}
      aria-describedby="map-name"
      onKeyDown={pressed}
      onPointerMove={(event) => onChoose(cellAt(event))}
      onPointerLeave={() => onChoose(null)}
      onClick={(event) => {
        const cell = cellAt(event as unknown as PointerEvent);
        if (cell !== null && verdictOf(cells[cell] ?? 0) !== 'nobody') onOpen(cell);
      }}
    >
      <canvas ref={canvas} style={{ width: `${width}px`, height: `${layout.height}px` }} />
    </div>
  );
}

function MapTable({ map, tiers }: { map: ManagerMap; tiers: readonly string[] }) {
  const counts = map.counts(Math.max(1, tiers.length));
  return (
    <div className="chart-table">
      <table>
        <thead>
          <tr>
            <th scope="col">Tier</th>
            {VERDICTS.map((verdict) => (
              <th key={verdict} scope="col">
                {verdict}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {counts.map((row, tier) => (
            <tr key={tiers[tier] ?? 'all'}>
              <th scope="row">{tiers[tier] ?? 'all'}</th>
              {VERDICTS.map((verdict) => (
                <td key={verdict}>{whole(row[verdict])}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
