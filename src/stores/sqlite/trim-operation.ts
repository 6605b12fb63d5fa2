import { storeMs } from '../../core/clocks.ts';
import type { StreamKey } from '../../ports/store.ts';
import { cutAt, type RetainedEntry } from '../retention.ts';
import type { Connection } from './connection.ts';
import { keyOf, type StreamRow } from './stream-rows.ts';

export interface TrimRequest {
  readonly keepMs: number;
  readonly streamBytes: number;
  readonly streams: number;
}

/** Applies retention to the streams that may need it, longest waiting first. One whose oldest entry belongs to a running run comes
 *  last next time, so that it keeps no other from its turn. */
export function createTrim(connection: Connection) {
  const { database } = connection;
  const candidates = database.prepare<[number, number], StreamRow>(
    'SELECT * FROM streams WHERE trim_at IS NOT NULL AND (trim_at <= ? OR bytes > ?) ORDER BY trim_at',
  );
  const RETAINED = `FROM entries e LEFT JOIN runs r ON r.id = e.run AND r.stream = e.stream WHERE e.stream = ?`;
  const retained = database.prepare<[number], RetainedEntry>(
    `SELECT offset, bytes, CASE WHEN r.seq IS NULL THEN stored_at ELSE ended_at END AS endedAt ${RETAINED} ORDER BY offset`,
  );
  const endedBytes = database.prepare<[number], { bytes: number }>(
    `SELECT coalesce(sum(bytes), 0) AS bytes ${RETAINED} AND (r.seq IS NULL OR ended_at IS NOT NULL)`,
  );
  const drop = database.prepare<[number, number]>('DELETE FROM entries WHERE stream = ? AND offset <= ?');
  const update = database.prepare<[number, number, number | null, number]>('UPDATE streams SET first = ?, bytes = bytes - ?, trim_at = ? WHERE id = ?');

  return (now: number, request: TrimRequest): readonly { readonly key: StreamKey; readonly first: number }[] =>
    connection.write(now, () => {
      const dropped: { key: StreamKey; first: number }[] = [];
      for (const row of candidates.all(now - request.keepMs, request.streamBytes)) {
        if (dropped.length >= request.streams) break;
        const ended = row.bytes > request.streamBytes ? (endedBytes.get(row.id)?.bytes ?? 0) : row.bytes;
        const cut = cutAt(retained.iterate(row.id), ended, { ...request, now: storeMs(now) });
        const first = Math.max(row.first, cut.upTo + 1);
        if (cut.upTo > 0) {
          drop.run(row.id, cut.upTo);
          dropped.push({ key: keyOf(row), first });
        }
        update.run(first, cut.bytes, first > row.head ? null : (retained.get(row.id)?.endedAt ?? now), row.id);
      }
      return dropped;
    });
}
