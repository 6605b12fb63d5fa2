import { Fragment, type ReactNode } from 'react';
import type { Summary } from 'spillway/admin';
import { useWelcome } from '../live/live-state.ts';
import { age, availability, milliseconds, NOTHING, percent, plural, whole } from '../ui/format.ts';
import { href } from '../ui/route.ts';
import { VERDICTS, VerdictGlyph } from '../ui/verdict.tsx';

type Tone = 'good' | 'waiting' | 'bad' | 'plain';
const SIGNS: Readonly<Record<Tone, string>> = { good: 'well', waiting: 'look', bad: 'trouble', plain: '' };

/** The figures that say in two seconds whether anybody has to act. */
export function Headline({ summary: s }: { summary: Summary }) {
  const welcome = useWelcome();
  const has = (feature: 'alerts' | 'golden-path' | 'nodes'): boolean => welcome?.features.includes(feature) === true;
  const cleanup: Tone = s.cleanupP99Ms === null ? 'plain' : s.cleanupP99Ms > 500 ? 'bad' : 'good';
  return (
    <>
      {(s.draining || s.storeFailOpen || s.selfSlow) && (
        <p className="banner" data-tone="waiting">
          {s.draining && 'This node drains: its clients move to other nodes, answers go on. '}
          {s.storeFailOpen && 'The store does not answer: whoever is seated stays, and comes back to that seat. '}
          {s.selfSlow && 'This node is too slow itself: until it is well it calls nobody dead, since the silence could be its own fault.'}
        </p>
      )}
      <dl className="headline">
        <Figure
          name="Golden path"
          tone={s.goldenPath === null ? 'plain' : s.goldenPath.ok ? 'good' : 'bad'}
          note={s.goldenPath === null ? (has('golden-path') ? 'not run yet' : 'off') : s.goldenPath.ok ? 'whole answer' : 'failed'}
        >
          {s.goldenPath === null ? NOTHING : milliseconds(s.goldenPath.ms)}
        </Figure>
        <Figure name="Lockouts" tone={s.lockouts.last24h > 0 ? 'bad' : 'good'} note={`${whole(s.lockouts.last24h)} in 24 h`}>
          {whole(s.lockouts.total)}
        </Figure>
        <Figure name="Gaps" tone={s.gaps > 0 ? 'bad' : 'good'} note="told to clients">
          {whole(s.gaps)}
        </Figure>
        <Figure name="Cleanup p99" tone={cleanup} note={s.cleanupP99Ms === null ? 'none in 15 min' : 'of 500 ms'}>
          {milliseconds(s.cleanupP99Ms)}
        </Figure>
        <Figure
          name="Queue"
          tone={s.queue.length > 0 ? 'waiting' : 'good'}
          note={s.queue.length > 0 ? `longest waits ${age(s.queue.longestMs)}` : 'nobody waits'}
          to={href('queue')}
        >
          {whole(s.queue.length)}
        </Figure>
        <Figure
          name="Availability"
          tone={s.availability === null ? 'plain' : s.availability >= 0.9999 ? 'good' : 'bad'}
          note={s.availability === null ? 'nobody asked yet' : 'served in time'}
        >
          {availability(s.availability)}
        </Figure>
        <Figure
          name="Alerts"
          tone={!has('alerts') ? 'plain' : s.alertsFiring > 0 ? 'bad' : 'good'}
          note={!has('alerts') ? 'not evaluated here' : s.alertsFiring > 0 ? 'firing' : 'all quiet'}
          {...(has('alerts') ? { to: href('alerts') } : {})}
        >
          {has('alerts') ? whole(s.alertsFiring) : NOTHING}
        </Figure>
      </dl>
      <p className="counts">
        {VERDICTS.map((verdict) => (
          <a key={verdict} href={href('managers', null, { verdict })}>
            <VerdictGlyph verdict={verdict} />
            <b>{whole(s.managers[verdict])}</b> {verdict}
          </a>
        ))}
      </p>
      <p className="counts muted">
        {facts(s, has('nodes')).map(([key, fact]) => (
          <Fragment key={key}>
            <span>{fact}</span>
          </Fragment>
        ))}
      </p>
    </>
  );
}

/** `summed`: over nodes, on each of which a user counts. */
function facts(s: Summary, summed: boolean): readonly (readonly [string, ReactNode])[] {
  const all: (readonly [string, ReactNode, boolean])[] = [
    [
      'users',
      `${plural(s.users, 'user')}${summed && s.users > 0 ? ', each counted on every node it is on' : ''}${s.usersAtLimit > 0 ? `, ${whole(s.usersAtLimit)} at the limit` : ''}`,
      true,
    ],
    ['seats', `${plural(s.seats, 'seat')}${s.seats === 0 ? '' : `, ${whole(s.effectiveSeats)} effective (${percent(s.effectiveSeats / s.seats)})`}`, true],
    ['sockets', plural(s.transports, 'socket'), true],
    ['quarantined', `${whole(s.quarantined)} quarantined`, s.quarantined > 0],
    ['burst', `${whole(s.burst.active)} in burst, ${whole(s.burst.debt)} repaying`, s.burst.active + s.burst.debt > 0],
    ['evicted', `${whole(s.evicted)} evicted, ${whole(s.regrets)} regretted`, true],
  ];
  return all.filter(([, , shown]) => shown).map(([key, fact]) => [key, fact]);
}

function Figure({ name, tone, note, to, children }: { name: string; tone: Tone; note: string; to?: string; children: ReactNode }) {
  return (
    <div className="figure" data-tone={tone}>
      <dt>
        <span className="tone" data-tone={tone} aria-hidden="true" />
        {to === undefined ? name : <a href={to}>{name}</a>}
        {SIGNS[tone] !== '' && <span className="hidden-text">: {SIGNS[tone]}</span>}
      </dt>
      <dd className="figure-value">{children}</dd>
      <dd className="figure-note">{note}</dd>
    </div>
  );
}
