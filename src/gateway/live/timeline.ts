import type { History, HistoryEvent } from '../../managers/inspection/history.ts';
import type { ManagerId } from '../../protocol/ids.ts';
import type { EventRow } from '../../protocol/live.ts';
import { rowOf } from '../http/admin/event-watchers.ts';

const ROWS = 50;

/** What happened to one manager lately, oldest first: the newest 50 of what the history still knows. */
export function timelineOf(history: History, id: ManagerId): readonly EventRow[] {
  return history
    .events()
    .filter((event) => concerns(event, id))
    .slice(-ROWS)
    .map(rowOf);
}

function concerns(event: HistoryEvent, id: ManagerId): boolean {
  if (event.type === 'cleanup-finished') return event.data.victims.some(isIt(id)) || event.data.kept.some(isIt(id)) || event.data.admissions.includes(id);
  return 'managerId' in event.data && event.data.managerId === id;
}

const isIt =
  (id: ManagerId) =>
  ({ managerId }: { readonly managerId: ManagerId }): boolean =>
    managerId === id;
