import type { QueuedTicket } from 'spillway/admin';
import { type Column, DataGrid } from '../grid/data-grid.tsx';
import { useTopic } from '../live/use-topic.ts';
import { CliLine } from '../ui/buttons.tsx';
import { age, plural, shortId } from '../ui/format.ts';
import { go, href } from '../ui/route.ts';
import { Empty, Place } from '../ui/states.tsx';

const COLUMNS: readonly Column<QueuedTicket>[] = [
  { id: 'position', title: 'Place', width: '4rem', align: 'end', narrow: true, cell: ({ position }) => position },
  { id: 'user', title: 'User', width: 'minmax(8rem, 1fr)', narrow: true, cell: ({ user }) => user },
  { id: 'tier', title: 'Tier', width: '7rem', cell: ({ tier }) => tier },
  { id: 'ticket', title: 'Ticket of', width: 'minmax(9rem, 1fr)', cell: ({ manager }) => <code title={manager}>{shortId(manager)}</code> },
  { id: 'at', title: 'Waits for', width: '9rem', cell: ({ at }) => (at === 'gate' ? 'room on the node' : 'the user’s own room') },
  { id: 'class', title: 'Asked by', width: '7rem', cell: (ticket) => (ticket.class === 'user' ? 'a person' : 'a reconnect') },
  { id: 'eta', title: 'Seated in', width: '6rem', align: 'end', narrow: true, help: 'By then a seat is free, at the latest', cell: ({ etaMs }) => age(etaMs) },
];

export function QueuePage() {
  const queue = useTopic<'queue'>({ of: 'queue' });
  return (
    <>
      <header className="screen-head">
        <h1>Queue</h1>
        <p className="muted">Whoever waits for a seat, with place and time. A person who waits is always seated in the end.</p>
      </header>
      <Place what="queue" seen={queue}>
        {({ queued, total }) =>
          queued.length === 0 ? (
            <Empty title="Nobody waits" />
          ) : (
            <>
              <p className="muted count-line">
                {plural(total, 'ticket')}
                {total > queued.length && `, the first ${queued.length} below`}
              </p>
              <DataGrid
                label="Queue"
                fill
                columns={COLUMNS}
                rows={queued as readonly QueuedTicket[]}
                keyOf={({ manager }) => manager}
                onOpen={({ user }) => go(href('users', user))}
                brief={({ at, tier }) => `${tier} · waits for ${at === 'gate' ? 'room on the node' : 'the user’s own room'}`}
              />
            </>
          )
        }
      </Place>
      <CliLine command="spillway queue list" />
    </>
  );
}
