import { useEffect, useState } from 'react';
import type { EventRow, Evidence, PastCleanup } from 'spillway/admin';
import { type Column, DataGrid } from '../grid/data-grid.tsx';
import { useGateway } from '../live/gateway.ts';
import { useWelcome } from '../live/live-state.ts';
import { useAnswer } from '../live/use-answer.ts';
import { useWatch } from '../live/use-topic.ts';
import { SIGNALS } from '../managers/evidence.ts';
import { CliLine, CopyButton } from '../ui/buttons.tsx';
import { age, exactTime, milliseconds, NOTHING, plural, shortId } from '../ui/format.ts';
import { go, href } from '../ui/route.ts';
import { Place } from '../ui/states.tsx';
import { Verdict } from '../ui/verdict.tsx';
import { admittedOf, outcomeOf } from './outcome.ts';

interface Examined {
  readonly id: string;
  readonly fate: 'evicted' | 'kept';
  readonly reason: string;
  readonly verdict: string;
  readonly level: string | null;
  readonly evidence: Evidence;
  readonly text: string;
  readonly after: string | null;
}

/** A little before the record: the admission that it was for began earlier. */
const BEFORE_MS = 30_000;

/** One cleanup: every one that went and every one that stayed, why, by which evidence, and what became of it. */
export function CleanupPage({ run }: { run: string }) {
  const { client } = useGateway();
  const record = useAnswer(run, () => client.cleanup(run));
  return (
    <>
      <p className="path">
        <a href={href('cleanup')}>Cleanup</a> <span aria-hidden="true">›</span> {run}
      </p>
      <Place what={`cleanup ${run}`} seen={record}>
        {(data) => <Cleanup record={data} />}
      </Place>
      <CliLine command={`spillway cleanup show ${run}`} />
    </>
  );
}

function useLaterEvents({ at, cleanup }: PastCleanup): readonly EventRow[] {
  const { client } = useGateway();
  // Ids rise on each node by itself; what comes live is of the one that this page asks.
  const asked = useWelcome()?.node ?? '';
  const [rows, setRows] = useState<ReadonlyMap<string, EventRow>>(new Map());
  const take = (more: readonly (EventRow & { readonly node?: string })[]): void =>
    setRows((before) => new Map([...before, ...more.map((row) => [`${row.node ?? asked} ${row.id}`, row] as const)]));
  const events = useAnswer(cleanup.run, () => client.events({ user: cleanup.user, since: at - BEFORE_MS, limit: 1_000 }));
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was asked for is taken once
  useEffect(() => {
    if (events.data !== null) take(events.data.events as readonly EventRow[]);
  }, [events.data]);
  useWatch<'events'>({ of: 'events', filter: { user: cleanup.user } }, (update) => take(update.rows));
  return [...rows.values()].sort((a, b) => a.at - b.at || a.id - b.id);
}

const COLUMNS: readonly Column<Examined>[] = [
  { id: 'manager', title: 'Manager', width: '7.6rem', narrow: true, cell: ({ id }) => <code title={id}>{shortId(id)}</code> },
  {
    id: 'fate',
    title: 'Fate',
    width: '6rem',
    narrow: true,
    cell: ({ fate }) => (
      <span className="state">
        <span className="tone" data-tone={fate === 'evicted' ? 'bad' : 'good'} aria-hidden="true" />
        {fate}
      </span>
    ),
  },
  { id: 'reason', title: 'Because', width: 'minmax(7rem, .7fr)', narrow: true, cell: ({ reason, level }) => <span title={level ?? undefined}>{reason}</span> },
  { id: 'verdict', title: 'Verdict then', width: '7rem', cell: ({ verdict }) => <Verdict verdict={verdict} /> },
  {
    id: 'then',
    title: 'Evidence then',
    width: 'minmax(14rem, 2fr)',
    cell: ({ text, evidence }) => (
      <span className="words" title={evidence.map(({ signal, ageMs }) => `${SIGNALS[signal]?.says ?? signal} ${age(ageMs)} ago`).join(', ')}>
        {text}
      </span>
    ),
  },
  { id: 'after', title: 'Outcome', width: 'minmax(8rem, 1fr)', cell: ({ after }) => <span className="words">{after ?? NOTHING}</span> },
];

const TRIGGERS: Readonly<Record<PastCleanup['cleanup']['trigger'], string>> = {
  admission: 'somebody needed a seat',
  proactive: 'the background pass looked',
  repay: 'a burst had to be repaid',
  operator: 'an operator asked for it',
  user: 'the user asked for it',
};

function Cleanup({ record }: { record: PastCleanup }) {
  const { at, cleanup } = record;
  const events = useLaterEvents(record);
  const examined: readonly Examined[] = [
    ...cleanup.victims.map((one) => ({
      ...one,
      id: one.managerId,
      fate: 'evicted' as const,
      after: outcomeOf(one.managerId, at, events) ?? 'has not come back',
    })),
    ...cleanup.kept.map((one) => ({
      ...one,
      id: one.managerId,
      fate: 'kept' as const,
      reason: one.because,
      level: null,
      after: outcomeOf(one.managerId, at, events),
    })),
  ];
  return (
    <>
      <header className="screen-head">
        <h1>
          Cleanup of <a href={href('users', cleanup.user)}>{cleanup.user}</a> <span className="time">{exactTime(at)}</span>
        </h1>
        <div className="tools">
          <CopyButton label="Copy JSON" text={() => JSON.stringify(record, null, 2)} />
        </div>
      </header>
      <p className="why">
        Because of <b>{cleanup.trigger}</b> <span className="muted">({TRIGGERS[cleanup.trigger]})</span> at {plural(cleanup.before, 'seat')}; it freed{' '}
        <b>{cleanup.victims.length}</b>, {cleanup.after} are left. Result: <b>{cleanup.result}</b>, in {milliseconds(cleanup.durationMs)}.
      </p>
      <Levels levels={cleanup.levels} />
      {cleanup.admissions.length > 0 && (
        <section className="panel" aria-label="For whom">
          <header>
            <h2>For whom</h2>
          </header>
          <ul className="admissions">
            {cleanup.admissions.map((id) => (
              <li key={id}>
                <a href={href('managers', id)}>
                  <code>{id}</code>
                </a>{' '}
                <span className="muted">requester</span> {admittedOf(id, events)}
              </li>
            ))}
          </ul>
        </section>
      )}
      <DataGrid
        label="Everybody who was examined"
        tall
        columns={COLUMNS}
        rows={examined}
        keyOf={({ id, fate }) => `${id} ${fate}`}
        onOpen={({ id }) => go(href('managers', id))}
        brief={({ text, after }) => `${text}${after === null ? '' : ` · ${after}`}`}
      />
    </>
  );
}

const ALL = ['conservative', 'moderate', 'aggressive', 'force'] as const;

function Levels({ levels }: { levels: PastCleanup['cleanup']['levels'] }) {
  return (
    <ol className="ladder">
      {ALL.map((name) => {
        const runs = levels.filter(({ level }) => level === name);
        const sum = (read: (one: (typeof runs)[number]) => number): number => runs.reduce((total, one) => total + read(one), 0);
        return (
          <li key={name} data-state={runs.length === 0 ? 'gone' : sum(({ freed }) => freed) > 0 ? 'goes' : 'kept'}>
            <b>{name}</b>
            <span>
              {runs.length === 0
                ? 'not needed'
                : `examined ${sum(({ examined }) => examined)}, freed ${sum(({ freed }) => freed)}, ${milliseconds(sum(({ durationMs }) => durationMs))}`}
            </span>
          </li>
        );
      })}
    </ol>
  );
}
