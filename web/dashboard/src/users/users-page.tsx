import { useEffect, useState } from 'react';
import type { UserRow, UserSort } from 'spillway/admin';
import { type Column, DataGrid } from '../grid/data-grid.tsx';
import { useWelcome } from '../live/live-state.ts';
import { useTopic } from '../live/use-topic.ts';
import { CliLine } from '../ui/buttons.tsx';
import { plural, whole } from '../ui/format.ts';
import { go, href } from '../ui/route.ts';
import { Empty, Place } from '../ui/states.tsx';
import { VerdictGlyph } from '../ui/verdict.tsx';

const isSort = (word: string): word is UserSort => ['seats', 'zombies', 'queued', 'name'].includes(word);
/** Nobody types slower between two letters of one word. */
const TYPING_MS = 200;

/** Who holds or waits for a seat. */
export function UsersPage({ filter: opened }: { filter: string }) {
  const limits = useWelcome()?.limits;
  const [typed, setTyped] = useState(opened);
  const [filter, setFilter] = useState(opened);
  const [sort, setSort] = useState<UserSort>('seats');
  const [from, setFrom] = useState(0);
  useEffect(() => {
    const timer = setTimeout(() => {
      setFilter(typed.trim());
      if (typed.trim() !== opened) go(href('users', null, { filter: typed.trim() }), { replace: true });
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed, opened]);
  const users = useTopic<'users'>({ of: 'users', ...(filter === '' ? {} : { filter }), sort, window: { from, size: 100 } });

  const columns: readonly Column<UserRow>[] = [
    { id: 'user', title: 'User', width: 'minmax(6.2rem, 2fr)', narrow: true, sort: 'name', cell: ({ user }) => <b>{user}</b> },
    { id: 'tier', title: 'Tier', width: 'minmax(6rem, 1fr)', cell: ({ tier }) => tier },
    {
      id: 'seats',
      title: 'Seats',
      width: 'minmax(6.6rem, 1fr)',
      align: 'end',
      narrow: true,
      sort: 'seats',
      help: 'Seats held; the bar shows them against the limit, the dark part those that are really used',
      cell: ({ seats, effective }) => <SeatBar seats={seats} effective={effective} limit={limits?.perUser ?? seats} />,
    },
    {
      id: 'effective',
      title: 'Effective',
      width: 'minmax(5rem, .7fr)',
      align: 'end',
      help: 'Seats without the dead ones and those being given up',
      cell: ({ effective }) => whole(effective),
    },
    { id: 'sockets', title: 'Sockets', width: 'minmax(5rem, .7fr)', align: 'end', cell: ({ sockets }) => whole(sockets) },
    {
      id: 'zombies',
      title: 'Zombies',
      width: 'minmax(4.4rem, .7fr)',
      align: 'end',
      narrow: true,
      sort: 'zombies',
      cell: ({ zombies }) =>
        zombies === 0 ? (
          '0'
        ) : (
          <span className="verdict">
            <VerdictGlyph verdict="zombie" />
            <b>{whole(zombies)}</b>
          </span>
        ),
    },
    { id: 'queued', title: 'Waiting', width: 'minmax(5rem, .7fr)', align: 'end', sort: 'queued', cell: ({ queued }) => whole(queued) },
  ];
  return (
    <>
      <header className="screen-head">
        <h1>Users</h1>
        <div className="tools">
          <input
            type="search"
            aria-label="Search users"
            placeholder="Part of a user’s name"
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            spellCheck={false}
            autoComplete="off"
          />
          <a className="button" href={href('managers')}>
            All managers
          </a>
        </div>
      </header>
      <Place what="users" seen={users}>
        {(data) =>
          data.total === 0 ? (
            <Empty title={filter === '' ? 'Nobody holds a seat' : `Nobody’s name contains “${filter}”`}>
              {filter === '' ? 'Users appear here when they connect.' : 'Only users that hold or wait for a seat now are searched.'}
            </Empty>
          ) : (
            <>
              <p className="muted count-line">{plural(data.total, 'user')}</p>
              <DataGrid
                label="Users"
                fill
                columns={columns}
                rows={data.rows}
                from={data.from}
                total={data.total}
                keyOf={({ user }) => user}
                onOpen={({ user }) => go(href('users', user))}
                onWindow={setFrom}
                sort={sort}
                onSort={(by) => {
                  if (isSort(by)) setSort(by);
                }}
                brief={(row) =>
                  `${row.tier} · ${row.effective} effective · ${plural(row.sockets, 'socket')}${row.queued > 0 ? ` · ${row.queued} waiting` : ''}`
                }
              />
            </>
          )
        }
      </Place>
      <CliLine command="spillway users list" />
    </>
  );
}

/** Seats against the limit. */
export function SeatBar({ seats, effective, limit }: { seats: number; effective: number; limit: number }) {
  const most = Math.max(limit, seats, 1);
  return (
    <span className="seat-bar">
      <span className="bar" aria-hidden="true">
        <span className="bar-held" style={{ width: `${(seats / most) * 100}%` }} />
        <span className="bar-used" style={{ width: `${(effective / most) * 100}%` }} />
      </span>
      <span>
        {seats}/{limit}
      </span>
    </span>
  );
}
