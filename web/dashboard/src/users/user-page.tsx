import { useState } from 'react';
import type { UserReport } from 'spillway/admin';
import { useNow } from '../../../chat/src/ui/clock.ts';
import { PlanDialog } from '../cleanup/plan-dialog.tsx';
import { DataGrid } from '../grid/data-grid.tsx';
import { useRights } from '../live/live-state.ts';
import { useTopic } from '../live/use-topic.ts';
import { isDead } from '../managers/evidence.ts';
import { EXPLAINED_COLUMNS } from '../managers/explained-columns.tsx';
import { ActionButton, CliLine, shellWord } from '../ui/buttons.tsx';
import { age, plural } from '../ui/format.ts';
import { go, href } from '../ui/route.ts';
import { Empty, Place } from '../ui/states.tsx';
import { VERDICTS, VerdictGlyph } from '../ui/verdict.tsx';
import { SeatBar } from './users-page.tsx';

/** One user's room, and every one of its managers with the evidence. */
export function UserPage({ user }: { user: string }) {
  const seen = useTopic<'user'>({ of: 'user', user });
  return (
    <>
      <p className="path">
        <a href={href('users')}>Users</a> <span aria-hidden="true">›</span> {user}
      </p>
      <Place what={`user ${user}`} seen={seen}>
        {({ user: report }) =>
          report === null ? (
            <Empty title={`${user} holds no seat here and waits for none`}>
              What was done about this user stands in the <a href={href('cleanup', null, { user })}>cleanup history</a> and the{' '}
              <a href={href('events', null, { filter: `user:${user}` })}>events</a>.
            </Empty>
          ) : (
            <UserRoom report={report as UserReport} />
          )
        }
      </Place>
      <CliLine command={`spillway users show ${shellWord(user)}`} />
    </>
  );
}

function UserRoom({ report }: { report: UserReport }) {
  const { user, tier, limit, seats, effective, sockets, quarantined, queued, managers } = report;
  const { operate } = useRights();
  const [plans, setPlans] = useState<'room' | 'dead' | null>(null);
  const dead = managers.filter(({ verdict }) => isDead(verdict)).length;
  return (
    <>
      <header className="screen-head">
        <h1>
          {user} <span className="tag">{tier}</span>
        </h1>
        <div className="tools">
          <ActionButton refused={operate} onClick={() => setPlans('room')}>
            Plan cleanup
          </ActionButton>
          <ActionButton refused={operate ?? (dead === 0 ? 'all of them respond' : null)} onClick={() => setPlans('dead')}>
            Free unresponsive ({dead})
          </ActionButton>
          <a className="button" href={href('events', null, { filter: `user:${user}` })}>
            Events
          </a>
          <a className="button" href={href('cleanup', null, { user })}>
            Cleanups
          </a>
        </div>
      </header>
      {operate !== null && <p className="note">You can look, and not change anything: {operate}.</p>}
      <dl className="facts">
        <div>
          <dt>Seats</dt>
          <dd>
            <SeatBar seats={seats} effective={effective} limit={limit} />
          </dd>
        </div>
        <div>
          <dt>Effective</dt>
          <dd>{effective}</dd>
        </div>
        <div>
          <dt>Sockets</dt>
          <dd>
            {sockets}
            {quarantined > 0 && `, ${quarantined} quarantined`}
          </dd>
        </div>
        <div>
          <dt>Burst</dt>
          <dd>
            <BurstWords burst={report.burst} />
          </dd>
        </div>
        <div>
          <dt>Queue</dt>
          <dd>{queued.length === 0 ? 'nobody waits' : `${plural(queued.length, 'session')}, next in ${age(queued[0]?.etaMs)}`}</dd>
        </div>
      </dl>
      <p className="counts">
        {VERDICTS.map((verdict) => [verdict, managers.filter((one) => one.verdict === verdict).length] as const)
          .filter(([, count]) => count > 0)
          .map(([verdict, count]) => (
            <span key={verdict}>
              <VerdictGlyph verdict={verdict} />
              <b>{count}</b> {verdict}
            </span>
          ))}
        <span className="muted">in the order in which they would go</span>
      </p>
      <DataGrid
        label={`Managers of ${user}`}
        tall
        columns={EXPLAINED_COLUMNS}
        rows={managers}
        keyOf={({ managerId }) => managerId}
        onOpen={({ managerId }) => go(href('managers', managerId))}
        brief={({ text }) => text}
      />
      {plans !== null && <PlanDialog user={user} only={plans === 'dead' ? 'the dead' : null} onClose={() => setPlans(null)} />}
    </>
  );
}

function BurstWords({ burst }: { burst: UserReport['burst'] }) {
  const now = useNow(1_000, burst.in !== 'none');
  const left = burst.until === undefined ? '' : `, ${age(burst.until - now)} left`;
  switch (burst.in) {
    case 'none':
      return <>available</>;
    case 'active':
      return (
        <>
          active{burst.cap === undefined ? '' : ` up to ${burst.cap}`}
          {left}
        </>
      );
    case 'debt':
      return <>being repaid</>;
    case 'cooldown':
      return <>used, resting{left}</>;
  }
}
