import type { AlertStatus } from 'spillway/admin';
import { useNow } from '../../../chat/src/ui/clock.ts';
import { type Column, DataGrid } from '../grid/data-grid.tsx';
import { useTopic } from '../live/use-topic.ts';
import { age, brief, clock } from '../ui/format.ts';
import { Place } from '../ui/states.tsx';

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
      width: '6.5rem',
      narrow: true,
      cell: ({ state }) => (
        <span className="state" data-tone={TONES[state]}>
          <span className="tone" data-tone={TONES[state]} aria-hidden="true" />
          {state}
        </span>
      ),
    },
    { id: 'alert', title: 'Alert', width: 'minmax(11.5rem, 1fr)', narrow: true, cell: ({ alert }) => <b>{alert}</b> },
    { id: 'severity', title: 'Calls', width: '5.5rem', help: 'page: wakes somebody; ticket: can wait for the morning', cell: ({ severity }) => severity },
    { id: 'value', title: 'Value', width: '5rem', align: 'end', narrow: true, cell: ({ value }) => brief(value) },
    { id: 'threshold', title: 'Fires when', width: 'minmax(9rem, 1fr)', cell: ({ threshold }) => <span className="words">{threshold}</span> },
    { id: 'since', title: 'Since', width: '9.5rem', cell: ({ since }) => (since === null ? '–' : `${clock(since)}, ${age(now - since)}`) },
    { id: 'summary', title: 'It means', width: 'minmax(14rem, 2fr)', cell: ({ summary }) => <span className="words">{summary}</span> },
    { id: 'runbook', title: 'Runbook', width: 'minmax(12.5rem, .8fr)', cell: (alert) => <Runbook alert={alert} /> },
  ];
  return (
    <>
      <header className="screen-head">
        <h1>Alerts</h1>
        <p className="muted">Evaluated every 5 s in the gateway itself, by the same table as the rules for Prometheus.</p>
      </header>
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

function Runbook({ alert: { runbook } }: { alert: AlertStatus }) {
  return /^https?:/.test(runbook) ? (
    <a href={runbook} target="_blank" rel="noreferrer">
      what to do
    </a>
  ) : (
    <code title={runbook}>{runbook.replace(/^.*\//, '')}</code>
  );
}
