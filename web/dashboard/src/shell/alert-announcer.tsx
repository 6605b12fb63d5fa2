import { useEffect, useRef, useState } from 'react';
import type { AlertStatus } from 'spillway/admin';
import { useWelcome } from '../live/live-state.ts';
import { useTopic } from '../live/use-topic.ts';

/** The only thing on this page that a screen reader is told of by itself: alerts that begin or end. */
export function AlertAnnouncer() {
  const hasAlerts = useWelcome()?.features.includes('alerts') === true;
  const { data } = useTopic<'alerts'>(hasAlerts ? { of: 'alerts' } : null, { always: true });
  const before = useRef<ReadonlyMap<string, AlertStatus['state']> | null>(null);
  const [said, setSaid] = useState('');
  useEffect(() => {
    if (data === null) return;
    const changed = data.alerts.filter(({ alert, state }) => {
      const was = before.current?.get(alert);
      return was !== undefined && was !== state && (was === 'firing' || state === 'firing');
    });
    before.current = new Map(data.alerts.map(({ alert, state }) => [alert, state]));
    if (changed.length > 0)
      setSaid(changed.map(({ alert, state, summary }) => (state === 'firing' ? `Alert ${alert}: ${summary}` : `${alert} is over`)).join('. '));
  }, [data]);
  return (
    <div className="hidden-text" aria-live="polite" role="status">
      {said}
    </div>
  );
}
