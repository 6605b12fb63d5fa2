import type { PastCleanup } from 'spillway/admin';
import { type Column, DataGrid } from '../grid/data-grid.tsx';
import { useGateway } from '../live/gateway.ts';
import { useAnswer } from '../live/use-answer.ts';
import { useWatch } from '../live/use-topic.ts';
import { CliLine, shellWord } from '../ui/buttons.tsx';
import { exactTime, milliseconds, plural, shortId } from '../ui/format.ts';
import { go, href } from '../ui/route.ts';
import { Empty, Place } from '../ui/states.tsx';

const TONES: Readonly<Record<PastCleanup['cleanup']['result'], string>> = { enough: 'good', short: 'waiting', failed: 'bad' };
/** Records of one look; the gateway knows the last 1,000. */
const AT_ONCE = 200;

const reached = ({ cleanup }: PastCleanup): string => cleanup.levels.at(-1)?.level ?? '–';

const COLUMNS: readonly Column<PastCleanup>[] = [
  { id: 'at', title: 'At', width: '7.6rem', narrow: true, cell: ({ at }) => <span className="time">{exactTime(at)}</span> },
  { id: 'user', title: 'User', width: 'minmax(6rem, 1fr)', narrow: true, cell: ({ cleanup }) => <b>{cleanup.user}</b> },
  { id: 'trigger', title: 'Because of', width: 'minmax(5.6rem, .8fr)', cell: ({ cleanup }) => cleanup.trigger },
  { id: 'reached', title: 'Reached', width: 'minmax(7rem, .8fr)', cell: reached },
  { id: 'freed', title: 'Freed', width: '4.6rem', align: 'end', narrow: true, cell: ({ cleanup }) => <b>{cleanup.victims.length}</b> },
  { id: 'seats', title: 'Seats', width: '6rem', align: 'end', cell: ({ cleanup }) => `${cleanup.before} → ${cleanup.after}` },
  {
    id: 'result',
    title: 'Result',
    width: '6.4rem',
    cell: ({ cleanup }) => (
      <span className="state">
        <span className="tone" data-tone={TONES[cleanup.result]} aria-hidden="true" />
        {cleanup.result}
      </span>
    ),
  },
  { id: 'took', title: 'Took', width: '5.4rem', align: 'end', cell: ({ cleanup }) => milliseconds(cleanup.durationMs) },
  { id: 'run', title: 'Record', width: '8rem', cell: ({ cleanup }) => <code title={cleanup.run}>{shortId(cleanup.run)}</code> },
];

/** Every cleanup that is still known, newest first. */
export function HistoryPage({ user }: { user: string | null }) {
  const { client } = useGateway();
  const history = useAnswer(`cleanups ${user}`, () => client.cleanups({ limit: AT_ONCE, ...(user === null ? {} : { user }) }));
  // What is told here is what makes the list longer.
  useWatch<'events'>({ of: 'events', filter: { type: 'cleanup-finished', ...(user === null ? {} : { user }) } }, () => history.again());
  return (
    <>
      <header className="screen-head">
        <h1>Cleanup history</h1>
        <p className="muted">
          {user === null ? 'Every pass over a user’s managers: who went, who stayed, and the evidence of that instant.' : `Of ${user} only. `}
          {user !== null && <a href={href('cleanup')}>Of everybody</a>}
        </p>
      </header>
      <Place what="cleanups" seen={history}>
        {({ cleanups, nextCursor }) =>
          cleanups.length === 0 ? (
            <Empty title="Nothing was cleaned up yet">A user at the limit, or a manager that is proved dead, is what makes one.</Empty>
          ) : (
            <>
              <p className="muted count-line">
                {plural(cleanups.length, 'cleanup')}
                {nextCursor !== null && ', the newest; older ones: spillway cleanup history'}
              </p>
              <DataGrid
                label="Cleanups"
                fill
                columns={COLUMNS}
                rows={cleanups}
                keyOf={({ cleanup }) => cleanup.run}
                onOpen={({ cleanup }) => go(href('cleanup', cleanup.run))}
                brief={(past) => `${past.cleanup.trigger} · ${reached(past)} · ${past.cleanup.result} · ${milliseconds(past.cleanup.durationMs)}`}
              />
            </>
          )
        }
      </Place>
      <CliLine command={`spillway cleanup history${user === null ? '' : ` --user ${shellWord(user)}`}`} />
    </>
  );
}
