import type { ManagerExplanation } from 'spillway/admin';
import { age, plural } from '../ui/format.ts';
import { isDead, SIGNALS, signal } from './evidence.ts';

/** What its verdict says about the page at the other end. */
const DELIVERY: Readonly<Record<ManagerExplanation['verdict'], string>> = {
  healthy: 'the page is there',
  idle: 'the page is there, and unused',
  suspect: 'the page owes an answer',
  zombie: 'the page is NOT there',
  inactive: 'its client is gone',
  unknown: 'nobody can tell yet',
};

/** The heart of every verdict: a socket that is alive proves nothing about the page behind it. */
export function TwoSides({ report }: { report: ManagerExplanation }) {
  const { evidence, connected, verdict } = report;
  const owed = signal(evidence, 'E1')?.value ?? 0;
  const side = (name: 'transport' | 'delivery') =>
    evidence.filter((one) => (SIGNALS[one.signal]?.side ?? 'both') === name || SIGNALS[one.signal]?.side === 'both');
  return (
    <div className="two-sides">
      <section aria-label="Transport">
        <h2>Transport</h2>
        <p className="conclusion" data-tone={connected ? 'good' : 'bad'}>
          → {connected ? `a socket is open, last pong ${age(signal(evidence, 'E4')?.ageMs)} ago` : 'there is no socket'}
        </p>
        <Signals signals={side('transport')} />
      </section>
      <section aria-label="Delivery">
        <h2>Delivery</h2>
        <p className="conclusion" data-tone={isDead(verdict) ? 'bad' : verdict === 'healthy' || verdict === 'idle' ? 'good' : 'waiting'}>
          → {DELIVERY[verdict]}
        </p>
        <Signals signals={side('delivery')} />
        <p className="muted">
          {owed === 0 ? 'It owes no acknowledgement.' : `${plural(owed, 'event')} sent and not acknowledged; nothing is lost, the log keeps what is owed.`}
        </p>
      </section>
    </div>
  );
}

function Signals({ signals }: { signals: ManagerExplanation['evidence'] }) {
  if (signals.length === 0) return <p className="muted">No evidence on this side.</p>;
  return (
    <dl className="signals">
      {signals.map(({ signal: name, ageMs, value }) => (
        <div key={name}>
          <dt>
            {SIGNALS[name]?.says ?? name} <span className="muted">{name}</span>
          </dt>
          <dd>
            {name === 'E7' ? 'now' : `${age(ageMs)} ago`}
            {value !== undefined && value > 0 && <b> · {plural(value, 'event')} owed</b>}
          </dd>
        </div>
      ))}
    </dl>
  );
}
