/** What became of somebody after a cleanup, by the events that followed it. */

import type { EventRow } from 'spillway/admin';
import { clock, milliseconds } from '../ui/format.ts';

type Fields = Readonly<Record<string, unknown>>;

const isOf =
  (id: string, after: number) =>
  ({ at, data }: EventRow): boolean =>
    at >= after && (data as Fields | null)?.managerId === id;

/** `events`: oldest first. Null: nothing is known to have happened. */
export function outcomeOf(id: string, at: number, events: readonly EventRow[]): string | null {
  const later = events.filter(isOf(id, at));
  const back = later.find(({ type, data }) => type === 'resumed' || (type === 'manager-seated' && (data as Fields).resume !== 'fresh'));
  if (back !== undefined) return `back ${clock(back.at)}, ${(back.data as Fields).result ?? (back.data as Fields).resume}`;
  const ended = later.find(({ type, at: then }) => type === 'manager-ended' && then > at + 50);
  return ended === undefined ? null : `ended ${clock(ended.at)}, ${(ended.data as Fields).reason}`;
}

/** How the admission ended for which room was made. */
export function admittedOf(id: string, events: readonly EventRow[]): string {
  const ended = events.find(({ type, data }) => type === 'admission-ended' && (data as Fields).managerId === id)?.data as Fields | undefined;
  return ended === undefined ? 'its admission is not in the history any more' : `${ended.outcome}, ${milliseconds(Number(ended.durationMs))} after it asked`;
}
