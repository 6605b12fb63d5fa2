import { useState } from 'react';
import type { ManagerRow, ManagerSort } from 'spillway/admin';
import { type Column, DataGrid } from '../grid/data-grid.tsx';
import { useWelcome } from '../live/live-state.ts';
import { useTopic } from '../live/use-topic.ts';
import { CliLine, shellWord } from '../ui/buttons.tsx';
import { age, bytes, plural, shortId, whole } from '../ui/format.ts';
import { go, href } from '../ui/route.ts';
import { Empty, Place } from '../ui/states.tsx';
import { isVerdict, VERDICTS, Verdict } from '../ui/verdict.tsx';

const SORTS: readonly ManagerSort[] = ['last-ack', 'unacked', 'buffered', 'idle', 'age'];

const COLUMNS: readonly Column<ManagerRow>[] = [
  { id: 'verdict', title: 'Verdict', width: '5.6rem', narrow: true, cell: ({ verdict }) => <Verdict verdict={verdict} /> },
  { id: 'manager', title: 'Manager', width: '7.4rem', cell: (row) => <Who {...row} /> },
  { id: 'user', title: 'User', width: 'minmax(5.6rem, .8fr)', narrow: true, cell: ({ user, tier }) => <span title={`${user}, ${tier}`}>{user}</span> },
  { id: 'age', title: 'Age', width: '4rem', align: 'end', sort: 'age', cell: ({ ageMs }) => age(ageMs) },
  { id: 'pong', title: 'Pong', width: '3.4rem', align: 'end', cell: ({ lastPongMs }) => age(lastPongMs) },
  { id: 'ack', title: 'Last ack', width: '4.6rem', align: 'end', sort: 'last-ack', cell: ({ lastAckMs }) => age(lastAckMs) },
  { id: 'unacked', title: 'Unacked', width: '4.2rem', align: 'end', sort: 'unacked', narrow: true, cell: ({ unacked }) => whole(unacked) },
  { id: 'buffered', title: 'Buffered', width: '4.6rem', align: 'end', sort: 'buffered', cell: ({ bufferedBytes }) => bytes(bufferedBytes) },
  { id: 'quiet', title: 'Idle', width: '4rem', align: 'end', sort: 'idle', cell: ({ quietMs }) => age(quietMs) },
  {
    id: 'words',
    title: 'In words',
    width: 'minmax(12rem, 2fr)',
    cell: ({ text }) => (
      <span className="words" title={text}>
        {text}
      </span>
    ),
  },
];

/** Where gateways share a store. */
const WITH_NODES: readonly Column<ManagerRow>[] = [
  ...COLUMNS.slice(0, 3),
  { id: 'node', title: 'Node', width: 'minmax(4rem, .5fr)', cell: ({ node }) => <span title={node}>{node}</span> },
  ...COLUMNS.slice(3),
];

function Who({ manager, visibility }: ManagerRow) {
  return (
    <span className="two-lines">
      <code title={manager}>{shortId(manager)}</code>
      {visibility !== 'unknown' && <span className="muted">page {visibility}</span>}
    </span>
  );
}

/** Managers of everybody, worst first. */
export function ManagersPage({ verdict, user }: { verdict: string | null; user: string | null }) {
  const [sort, setSort] = useState<ManagerSort>('last-ack');
  const [from, setFrom] = useState(0);
  const columns = useWelcome()?.features.includes('nodes') === true ? WITH_NODES : COLUMNS;
  const wanted = verdict !== null && isVerdict(verdict) ? verdict : null;
  const filter = { ...(wanted === null ? {} : { verdict: wanted }), ...(user === null ? {} : { user }) };
  const managers = useTopic<'managers'>({ of: 'managers', ...(Object.keys(filter).length === 0 ? {} : { filter }), sort, window: { from, size: 100 } });
  return (
    <>
      <p className="path">
        <a href={href('users')}>Users</a> <span aria-hidden="true">›</span> Managers
      </p>
      <header className="screen-head">
        <h1>Managers</h1>
        <div className="tools">
          <label className="select">
            Verdict{' '}
            <select
              value={wanted ?? ''}
              onChange={(event) => go(href('managers', null, { verdict: event.target.value, user: user ?? undefined }), { replace: true })}
            >
              <option value="">any</option>
              {VERDICTS.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
        </div>
      </header>
      <Place what="managers" seen={managers}>
        {(data) =>
          data.total === 0 ? (
            <Empty title={wanted === null ? 'Nobody holds a seat' : `Nobody is ${wanted}`} />
          ) : (
            <>
              <p className="muted count-line">
                {plural(data.total, 'manager')}
                {wanted === null ? '' : `, ${wanted}`}
                {user === null ? '' : `, of ${user}`}
              </p>
              <DataGrid
                label="Managers"
                fill
                tall
                columns={columns}
                rows={data.rows}
                from={data.from}
                total={data.total}
                keyOf={({ manager }) => manager}
                onOpen={({ manager }) => go(href('managers', manager))}
                onWindow={setFrom}
                sort={sort}
                onSort={(by) => setSort(SORTS.find((one) => one === by) ?? 'last-ack')}
                brief={({ text }) => text}
              />
            </>
          )
        }
      </Place>
      <CliLine command={`spillway top${wanted === null ? '' : ` --verdict ${wanted}`}${user === null ? '' : ` --user ${shellWord(user)}`}`} />
    </>
  );
}
