import type { AlertStatus } from 'spillway/admin';
import { useNow } from '../../../chat/src/ui/clock.ts';
import { type Column, DataGrid } from '../grid/data-grid.tsx';
import { useTopic } from '../live/use-topic.ts';
import { age, brief, clock, NOTHING, percent } from '../ui/format.ts';
import { OwnNode, Place } from '../ui/states.tsx';

const TONES: Readonly<Record<AlertStatus['state'], string>> = { firing: 'bad', pending: 'waiting', quiet: 'good' };
const ORDER: readonly AlertStatus['state'][] = ['firing', 'pending', 'quiet'];

/** What is being looked at all the time, and what it says now. */
export function AlertsPage() {
  const alerts = useTopic<'alerts'>({ of: 'alerts' });
  const now = useNow();
  const columns: readonly Column<AlertStatus>[] = [
    {
      id: 'state',
      title: 'State',
      width: '5.6rem',
      narrow: true,
      cell: ({ state }) => (
        <span className="state" data-tone={TONES[state]}>
          <span className="tone" data-tone={TONES[state]} aria-hidden="true" />
          {state}
        </span>
      ),
    },
    { id: 'alert', title: 'Alert', width: 'minmax(10.9rem, .9fr)', narrow: true, cell: ({ alert }) => <b>{alert}</b> },
    { id: 'severity', title: 'Calls', width: '3.4rem', help: 'page: wakes somebody; ticket: can wait for the morning', cell: ({ severity }) => severity },
    { id: 'value', title: 'Value', width: '3.4rem', align: 'end', narrow: true, cell: spelled },
    { id: 'threshold', title: 'Fires when', width: 'minmax(8.4rem, 1fr)', cell: ({ threshold }) => <Words text={threshold} /> },
    { id: 'since', title: 'Since', width: '4.4rem', cell: ({ since }) => <Since at={since} now={now} /> },
    { id: 'summary', title: 'It means', width: 'minmax(11rem, 2fr)', cell: ({ summary }) => <Words text={summary} /> },
    { id: 'runbook', title: 'What to do', width: 'minmax(9.4rem, .8fr)', cell: (alert) => <Runbook alert={alert} /> },
  ];
  return (
    <>
      <header className="screen-head">
        <h1>Alerts</h1>
        <p className="muted">Evaluated every 5 s in the gateway itself, by the same table as the rules for Prometheus.</p>
      </header>
      <OwnNode what="Alerts" />
      <Place what="alerts" seen={alerts}>
        {(data) => (
          <>
            <p className="counts">
              {ORDER.map((state) => (
                <span key={state}>
                  <span className="tone" data-tone={TONES[state]} aria-hidden="true" />
                  <b>{data.alerts.filter((one) => one.state === state).length}</b> {state}
                </span>
              ))}
            </p>
            <DataGrid
              label="Alerts"
              tall
              columns={columns}
              rows={[...data.alerts].sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state))}
              keyOf={({ alert }) => alert}
              brief={({ summary, threshold }) => `${summary} Fires: ${threshold}`}
            />
          </>
        )}
      </Place>
    </>
  );
}

function Words({ text }: { text: string }) {
  return (
    <span className="words" title={text}>
      {text}
    </span>
  );
}

/** A share as the threshold spells it. */
const spelled = ({ value, threshold }: AlertStatus): string =>
  value !== null && /^> [\d.]+ % (for|in) [^%]*$/.test(threshold) ? percent(value) : brief(value);

function Since({ at, now }: { at: number | null; now: number }) {
  if (at === null) return NOTHING;
  return (
    <span className="two-lines">
      <span className="time">{clock(at)}</span>
      <span className="muted">{age(now - at)}</span>
    </span>
  );
}

function Runbook({ alert: { runbook } }: { alert: AlertStatus }) {
  const [, page, part] = /([^/]*?)(#.*)?$/.exec(runbook) ?? [];
  return /^https?:/.test(runbook) ? (
    <a href={runbook} target="_blank" rel="noreferrer">
      what to do
    </a>
  ) : (
    <code className="words" title={runbook}>
      {page}
      <wbr />
      {part}
    </code>
  );
}
