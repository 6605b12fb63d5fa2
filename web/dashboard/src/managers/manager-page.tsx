import { useState } from 'react';
import type { EventRow, ManagerExplanation } from 'spillway/admin';
import { useGateway } from '../live/gateway.ts';
import { useRights } from '../live/live-state.ts';
import { useAct } from '../live/use-answer.ts';
import { useTopic } from '../live/use-topic.ts';
import { ActionButton, CliLine, CopyButton } from '../ui/buttons.tsx';
import { age, exactTime, plural } from '../ui/format.ts';
import { href } from '../ui/route.ts';
import { Empty, Place } from '../ui/states.tsx';
import { Verdict } from '../ui/verdict.tsx';
import { EvictDialog } from './evict-dialog.tsx';
import { Timeline } from './timeline.tsx';
import { TwoSides } from './two-sides.tsx';

/** One manager: what it is judged to be, and why. */
export function ManagerPage({ id }: { id: string }) {
  const seen = useTopic<'manager'>({ of: 'manager', manager: id });
  return (
    <>
      <Place what={`manager ${id}`} seen={seen}>
        {({ manager, timeline }) =>
          manager === null ? <Gone id={id} timeline={timeline} /> : <Present report={manager as ManagerExplanation} timeline={timeline} />
        }
      </Place>
      <CliLine command={`spillway managers explain ${id}`} />
    </>
  );
}

function Gone({ id, timeline }: { id: string; timeline: readonly EventRow[] }) {
  return (
    <>
      <p className="path">
        <a href={href('users')}>Users</a> <span aria-hidden="true">›</span> {id}
      </p>
      <h1 className="hidden-text">{id}</h1>
      <Empty title={`${id} holds no seat here any more`}>
        {timeline.length === 0 ? 'Nothing of it is in the history that this gateway keeps.' : 'What is known of its end stands below.'}
      </Empty>
      {timeline.length > 0 && <Timeline rows={timeline} />}
    </>
  );
}

function Present({ report, timeline }: { report: ManagerExplanation; timeline: readonly EventRow[] }) {
  const { client } = useGateway();
  const { operate } = useRights();
  const [evicts, setEvicts] = useState(false);
  const [probed, setProbed] = useState<string | null>(null);
  const probe = useAct(async () => {
    const answer = await client.probe(report.managerId);
    setProbed(`Asked: it is ${answer.verdict}; ${answer.text}.`);
  });
  const { managerId, userId, verdict, reason, sinceMs, tier, label, seat, connected, pinned, running, openedAt, rank, goesAt, kept, text } = report;
  return (
    <>
      <p className="path">
        <a href={href('users')}>Users</a> <span aria-hidden="true">›</span> <a href={href('users', userId)}>{userId}</a> <span aria-hidden="true">›</span>{' '}
        {managerId}
      </p>
      <header className="screen-head">
        <h1 className="manager-title">
          <Verdict verdict={verdict} /> <code>{managerId}</code>
        </h1>
        <div className="tools">
          <ActionButton refused={operate} busy={probe.isActing} onClick={() => probe.run()}>
            {probe.isActing ? 'Asking …' : 'Probe again'}
          </ActionButton>
          <ActionButton refused={operate} tone="danger" onClick={() => setEvicts(true)}>
            Evict…
          </ActionButton>
          <CopyButton label="Copy JSON" text={() => JSON.stringify({ manager: report, timeline }, null, 2)} />
          <a className="button" href={href('events', null, { filter: `user:${userId} ${managerId}` })}>
            Open events
          </a>
        </div>
      </header>
      {operate !== null && <p className="note">You can look, and not change anything: {operate}.</p>}
      {(probed !== null || probe.problem !== null) && <p className={probe.problem === null ? 'note' : 'problem'}>{probe.problem ?? probed}</p>}
      <p className="why">
        <b>Why {verdict}</b>{' '}
        <span className="muted">
          ({reason}, for {age(sinceMs)}):
        </span>{' '}
        {text}.
      </p>
      <TwoSides report={report} />
      <dl className="facts">
        <div>
          <dt>Of</dt>
          <dd>
            <a href={href('users', userId)}>{userId}</a> <span className="tag">{tier}</span>
          </dd>
        </div>
        <div>
          <dt>Opened</dt>
          <dd>
            {exactTime(openedAt)}
            {label === null ? '' : `, ${label}`}
          </dd>
        </div>
        <div>
          <dt>State</dt>
          <dd>
            {[connected ? 'connected' : 'without a connection', running ? 'being answered' : null, pinned ? 'pinned' : null, `on a ${seat} seat`]
              .filter((one) => one !== null)
              .join(', ')}
          </dd>
        </div>
        <div>
          <dt>Would go</dt>
          <dd>
            {rank.position === 1 ? 'first' : `as number ${rank.position}`} of {plural(rank.of, 'manager')}
          </dd>
        </div>
      </dl>
      <Ladder goesAt={goesAt} kept={kept} />
      <Timeline rows={timeline} />
      {evicts && <EvictDialog report={report} onClose={() => setEvicts(false)} />}
    </>
  );
}

const LEVELS = ['conservative', 'moderate', 'aggressive', 'force'] as const;

/** What each level of a cleanup would do with it now. */
function Ladder({ goesAt, kept }: Pick<ManagerExplanation, 'goesAt' | 'kept'>) {
  const at = goesAt === null ? LEVELS.length : LEVELS.indexOf(goesAt);
  return (
    <section className="panel" aria-label="What each level would do">
      <header>
        <h2>If room were needed now</h2>
      </header>
      <ol className="ladder">
        {LEVELS.map((level, i) => {
          const because = kept.find((one) => one.level === level)?.because;
          const state = because !== undefined ? 'kept' : i === at ? 'goes' : i > at ? 'gone' : 'kept';
          return (
            <li key={level} data-state={state}>
              <b>{level}</b>
              <span>
                {state === 'kept' ? `keeps it${because === undefined ? '' : `: ${because}`}` : state === 'goes' ? 'would take it' : 'it would be gone before'}
              </span>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
