import { useId, useState } from 'react';
import type { DrillInfo, DrillRun } from 'spillway/admin';
import { type Column, DataGrid } from '../grid/data-grid.tsx';
import { useGateway } from '../live/gateway.ts';
import { useRights } from '../live/live-state.ts';
import { useAct, useAnswer } from '../live/use-answer.ts';
import { useTopic } from '../live/use-topic.ts';
import { ActionButton, CliLine } from '../ui/buttons.tsx';
import { age, exactTime } from '../ui/format.ts';
import { go, href } from '../ui/route.ts';
import { Place } from '../ui/states.tsx';
import { DRILL_TONES, DrillView } from './drill-view.tsx';

const COLUMNS: readonly Column<DrillRun>[] = [
  { id: 'at', title: 'Began', width: '8rem', narrow: true, cell: ({ startedAt }) => <span className="time">{exactTime(startedAt)}</span> },
  { id: 'name', title: 'Drill', width: 'minmax(8rem, 1fr)', narrow: true, cell: ({ name, count }) => <b>{`${name} ×${count}`}</b> },
  {
    id: 'state',
    title: 'Came to',
    width: '7rem',
    narrow: true,
    cell: ({ state }) => (
      <span className="state">
        <span className="tone" data-tone={DRILL_TONES[state]} aria-hidden="true" />
        {state}
      </span>
    ),
  },
  { id: 'took', title: 'Took', width: '6rem', align: 'end', cell: ({ startedAt, endedAt }) => age(endedAt === null ? null : endedAt - startedAt) },
  {
    id: 'met',
    title: 'Expectations met',
    width: '9rem',
    align: 'end',
    cell: ({ expectations }) => `${expectations.filter(({ ok }) => ok === true).length} of ${expectations.length}`,
  },
  { id: 'user', title: 'User', width: 'minmax(8rem, 1fr)', cell: ({ user }) => user },
];

/** Real trouble on a button. */
export function DrillsPage() {
  const { client } = useGateway();
  const { operate } = useRights();
  const live = useTopic<'drills'>({ of: 'drills' });
  const catalogue = useAnswer('drills', () => client.drills());
  const running = live.data?.running ?? null;
  const refused = operate ?? (running === null ? null : 'one runs already');
  return (
    <>
      <header className="screen-head">
        <h1>Drills</h1>
        <p className="muted">
          Processes that use the public ports like anybody else and then fail in a real way. Their users are called drill:…; one at a time, five minutes at
          most.
        </p>
        {operate !== null && <p className="note">You can look, and not start any: {operate}.</p>}
      </header>
      {running !== null && <DrillView run={running} />}
      <Place what="catalogue of drills" seen={catalogue}>
        {({ drills }) => (
          <ul className="drills">
            {drills.map((info) => (
              <DrillCard key={info.name} info={info} refused={refused} />
            ))}
          </ul>
        )}
      </Place>
      <Place what="drills of before" seen={live}>
        {({ runs }) =>
          runs.length === 0 ? null : (
            <section className="panel" aria-label="Drills so far">
              <header>
                <h2>So far</h2>
              </header>
              <DataGrid
                label="Drills so far"
                columns={COLUMNS}
                rows={runs}
                keyOf={({ id }) => id}
                onOpen={({ id }) => go(href('drills', id))}
                brief={({ user, expectations }) =>
                  `${user} · ${expectations.filter(({ ok }) => ok === true).length} of ${expectations.length} expectations met`
                }
              />
            </section>
          )
        }
      </Place>
      <CliLine command="spillway drill list" />
    </>
  );
}

function DrillCard({ info: { name, title, how, mustHappen, count }, refused }: { info: DrillInfo; refused: string | null }) {
  const { client } = useGateway();
  const field = useId();
  const [wanted, setWanted] = useState(String(count.default));
  const number = Number(wanted);
  const isGood = Number.isInteger(number) && number >= 1 && number <= count.most;
  const start = useAct(async () => {
    const { id } = await client.startDrill(name, { count: number });
    go(href('drills', id));
  });
  return (
    <li className="drill-card">
      <h2>
        {title} <code>{name}</code>
      </h2>
      <p>{how}</p>
      <p className="muted">Must happen: {mustHappen}</p>
      {start.problem !== null && (
        <p className="problem" role="alert">
          {start.problem}
        </p>
      )}
      <div className="drill-start">
        {count.most > 1 && (
          <>
            <label htmlFor={field}>Clients</label>
            <input id={field} type="number" inputMode="numeric" min={1} max={count.most} value={wanted} onChange={(event) => setWanted(event.target.value)} />
          </>
        )}
        <ActionButton refused={refused ?? (isGood ? null : `1 to ${count.most} clients`)} busy={start.isActing} onClick={() => start.run()}>
          Start
        </ActionButton>
      </div>
    </li>
  );
}
