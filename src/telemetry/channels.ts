import { channel } from 'node:diagnostics_channel';
import type { EventName, TelemetrySource } from '../ports/events.ts';
import { EVENTS } from './event-table.ts';

/** Publishes events on `spillway:admission`, `cleanup`, `evidence`, `resume` and `transport` as `{ name, event }`, for whoever subscribes
 *  in this process. Unheard it costs a look. Returns the undo. */
export function publishOnChannels(source: TelemetrySource): () => void {
  const undo = (Object.keys(EVENTS) as EventName[]).flatMap((name) => {
    const entry = EVENTS[name];
    if (entry.channel === null) return [];
    const to = channel(`spillway:${entry.channel}`);
    return [
      source.on(name, (event) => {
        if (to.hasSubscribers) to.publish({ name, event });
      }),
    ];
  });
  return () => {
    for (const stop of undo) stop();
  };
}
