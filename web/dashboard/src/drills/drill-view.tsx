import type { DrillRun, DrillState } from 'spillway/admin';
import { useNow } from '../../../chat/src/ui/clock.ts';
import { useGateway } from '../live/gateway.ts';
import { useRights } from '../live/live-state.ts';
import { useAct } from '../live/use-answer.ts';
import { ActionButton, CopyButton } from '../ui/buttons.tsx';
import { age } from '../ui/format.ts';
import { href } from '../ui/route.ts';

export const DRILL_TONES: Readonly<Record<DrillState, string>> = { running: 'waiting', passed: 'good', failed: 'bad', stopped: 'plain' };

/** One drill with its steps as they happen and what was expected of it. */
export function DrillView({ run }: { run: DrillRun }) {
  const { client } = useGateway();
  const { operate } = useRights();
  const now = useNow(200, run.endedAt === null);
  const stop = useAct(async () => {
    await client.stopDrill(run.id);
  });
  return (
    <section className="panel drill" data-state={run.state} aria-label={`Drill ${run.name}`}>
      <header>
        <h2>
          <span className="tone" data-tone={DRILL_TONES[run.state]} aria-hidden="true" /> {run.name} ×{run.count} <span className="tag">{run.state}</span>{' '}
          <span className="time">{age((run.endedAt ?? now) - run.startedAt)}</span>
        </h2>
        <div className="tools">
          {run.endedAt === null && (
            <ActionButton refused={operate} busy={stop.isActing} tone="danger" onClick={() => stop.run()}>
              STOP
            </ActionButton>
          )}
          <a className="button" href={href('users', run.user)} title={run.user}>
            Its managers
          </a>
          <a className="button" href={href('cleanup', null, { user: run.user })}>
            Each eviction and why
          </a>
          {run.endedAt !== null && <CopyButton label="Copy report" text={() => JSON.stringify(run, null, 2)} />}
        </div>
      </header>
      {stop.problem !== null && (
        <p className="problem" role="alert">
          {stop.problem}
        </p>
      )}
      <div className="drill-halves">
        <ol className="steps" aria-label="Steps">
          {run.steps.map(({ atMs, text }) => (
            <li key={`${atMs} ${text}`}>
              <span className="time">{(atMs / 1_000).toFixed(1)} s</span> <span>{text}</span>
            </li>
          ))}
          {run.endedAt === null && (
            <li className="muted">
              <span className="time">…</span> <span>it goes on</span>
            </li>
          )}
        </ol>
        <ul className="expectations" aria-label="Expectations">
          {run.expectations.map(({ text, ok, seen }) => (
            <li key={text} data-ok={ok ?? 'open'}>
              <b>{ok === null ? 'not known yet' : ok ? 'met' : 'NOT met'}</b>
              <span>{text}</span>
              {seen !== '' && <span className="muted">{seen}</span>}
            </li>
          ))}
        </ul>
      </div>
    </section>
  );
}
