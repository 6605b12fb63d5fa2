import { useEffect, useMemo, useRef, useState } from 'react';
import type { EventRow } from 'spillway/admin';
import { type Column, DataGrid } from '../grid/data-grid.tsx';
import { useGateway } from '../live/gateway.ts';
import { useWelcome } from '../live/live-state.ts';
import { useAnswer } from '../live/use-answer.ts';
import { useWatch } from '../live/use-topic.ts';
import { CliLine, CopyButton } from '../ui/buttons.tsx';
import { exactTime, plural, shortId, whole } from '../ui/format.ts';
import { go, href } from '../ui/route.ts';
import { Empty, OwnNode } from '../ui/states.tsx';
import { fieldOf, inWords, isTrouble } from './event-words.ts';
import { asCommand, hasWords, readFilter } from './filter.ts';

const MOST = 5_000;
const TYPING_MS = 300;

const COLUMNS: readonly Column<EventRow>[] = [
  { id: 'at', title: 'At', width: '7.4rem', narrow: true, cell: ({ at }) => <span className="time">{exactTime(at)}</span> },
  {
    id: 'type',
    title: 'Type',
    width: 'minmax(10rem, .9fr)',
    narrow: true,
    cell: (row) => (
      <span className="state">
        {isTrouble(row) && <span className="tone" data-tone="bad" aria-hidden="true" />}
        <b>{row.type}</b>
      </span>
    ),
  },
  { id: 'user', title: 'User', width: 'minmax(6rem, .7fr)', cell: (row) => fieldOf(row, 'user') ?? '–' },
  {
    id: 'manager',
    title: 'Manager',
    width: '8.4rem',
    cell: (row) => {
      const id = fieldOf(row, 'managerId');
      return id === null ? '–' : <code title={id}>{shortId(id)}</code>;
    },
  },
  { id: 'words', title: 'What', width: 'minmax(14rem, 2fr)', cell: (row) => <span title={inWords(row)}>{inWords(row)}</span> },
];

/** What fits beside the details of one. */
const BESIDE = COLUMNS.filter(({ id }) => id !== 'manager' && id !== 'user').map((column) =>
  column.id === 'words' ? { ...column, width: 'minmax(8rem, 2fr)' } : column,
);

/** What happens, as it happens; ids, sizes and positions, never what anybody wrote. */
export function EventsPage({ words }: { words: string }) {
  const { client } = useGateway();
  const [typed, setTyped] = useState(words);
  const [applied, setApplied] = useState(words);
  useEffect(() => {
    setTyped(words);
    setApplied(words);
  }, [words]);
  useEffect(() => {
    const timer = setTimeout(() => {
      setApplied(typed);
      if (typed.trim() !== words) go(href('events', null, { filter: typed.trim() }), { replace: true });
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed, words]);

  const filter = useMemo(() => readFilter(applied), [applied]);
  const asked = JSON.stringify(filter.of);
  const rows = useRef<{ asked: string; known: Map<number, EventRow>; skipped: number }>({ asked, known: new Map(), skipped: 0 });
  if (rows.current.asked !== asked) rows.current = { asked, known: new Map(), skipped: 0 };
  const [, redraw] = useState(0);
  const [opened, setOpened] = useState<EventRow | null>(null);
  const [problem, setProblem] = useState<string | null>(null);

  const take = (more: readonly EventRow[]): void => {
    const { known } = rows.current;
    for (const row of more) known.set(row.id, row);
    if (known.size > MOST) for (const id of [...known.keys()].sort((a, b) => a - b).slice(0, known.size - MOST)) known.delete(id);
    redraw((turn) => turn + 1);
  };
  // Ids rise on each node by itself, and the live connection tells of one.
  const node = useWelcome()?.node;
  const earlier = useAnswer(`${asked} ${node}`, () => client.events({ ...filter.of, ...(node === undefined ? {} : { node }), limit: 1_000 }));
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was asked for is taken once
  useEffect(() => {
    if (earlier.data !== null) take(earlier.data.events as readonly EventRow[]);
  }, [earlier.data]);
  useWatch<'events'>(
    { of: 'events', ...(asked === '{}' ? {} : { filter: filter.of }) },
    (update) => {
      setProblem(null);
      rows.current.skipped += update.skipped;
      take(update.rows);
    },
    { onProblem: setProblem },
  );

  const shown = [...rows.current.known.values()].filter((row) => hasWords(row, filter.words)).sort((a, b) => b.id - a.id);
  const refused = problem ?? earlier.problem;
  return (
    <>
      <header className="screen-head">
        <h1>Events</h1>
        <div className="tools">
          <input
            type="search"
            className="wide-search"
            aria-label="Filter events"
            aria-describedby="filter-help"
            placeholder="type:… user:… reason:… or any word"
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            spellCheck={false}
            autoComplete="off"
          />
          <CopyButton label="Copy as CLI" text={() => asCommand(filter)} />
        </div>
      </header>
      <OwnNode what="Events" />
      <p id="filter-help" className="muted count-line">
        {plural(shown.length, 'event')}
        {rows.current.skipped > 0 && `, ${whole(rows.current.skipped)} more left out because there were too many`}. Ids, sizes and positions, never contents.
        {filter.unknown.length > 0 && (
          <span className="problem"> Not known: {filter.unknown.map((name) => `${name}:`).join(' ')} – type:, user: and reason: are.</span>
        )}
      </p>
      {refused !== null && <p className="problem">{refused}</p>}
      <div className="beside" data-open={opened !== null}>
        {shown.length === 0 ? (
          earlier.isAsking ? (
            <p className="muted">Asking the gateway for events …</p>
          ) : (
            <Empty title={applied.trim() === '' ? 'Nothing has happened yet' : 'Nothing that matches'}>New events appear by themselves.</Empty>
          )
        ) : (
          <DataGrid
            label="Events"
            fill
            columns={opened === null ? COLUMNS : BESIDE}
            rows={shown}
            keyOf={({ id }) => String(id)}
            onOpen={(row) => setOpened(row)}
            openKey={opened === null ? null : String(opened.id)}
            brief={(row) => [fieldOf(row, 'user'), inWords(row)].filter((part) => part !== null && part !== '').join(' · ')}
          />
        )}
        {opened !== null && <EventDetail row={opened} onClose={() => setOpened(null)} />}
      </div>
      <CliLine command={asCommand(filter)} />
    </>
  );
}

function EventDetail({ row, onClose }: { row: EventRow; onClose: () => void }) {
  const [user, manager, run] = ['user', 'managerId', 'run'].map((name) => fieldOf(row, name));
  const json = JSON.stringify(row, null, 2);
  return (
    <aside className="event-detail" aria-label={`Event ${row.id}`}>
      <header>
        <h2>
          {row.type} <span className="muted">#{row.id}</span>
        </h2>
        <button type="button" className="button" onClick={onClose}>
          Close
        </button>
      </header>
      <p className="tools">
        <CopyButton label="Copy JSON" text={() => json} />
        {user != null && (
          <a className="button" href={href('users', user)}>
            User
          </a>
        )}
        {manager != null && (
          <a className="button" href={href('managers', manager)}>
            Manager
          </a>
        )}
        {run?.startsWith('cln_') && (
          <a className="button" href={href('cleanup', run)}>
            Cleanup
          </a>
        )}
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard has to get into it */}
      <pre className="json" tabIndex={0}>
        {json}
      </pre>
    </aside>
  );
}
