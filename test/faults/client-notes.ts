import { existsSync } from 'node:fs';
import { readLines } from '../support/lossless/read-lines.ts';
import type { Line } from '../support/lossless/records.ts';

/** What a client's file says of its connections. */
export interface ClientNotes {
  /** Ends that the client did not cause, and those of its own dead-man timer. */
  readonly closes: readonly { readonly at: number; readonly code: number; readonly reason: string; readonly byItself: boolean }[];
  readonly managers: readonly string[];
  /** Last offset that it applied. */
  readonly applied: number;
  /** Whether it has applied a numbered event. */
  readonly hasEvents: boolean;
}

/** What the SDK says of connections that it gives up itself. */
const OWN_REASONS = new Set(['silent', 'unanswered']);

export function notesOf(file: string | null): ClientNotes {
  const closes: ClientNotes['closes'][number][] = [];
  const managers: string[] = [];
  let applied = 0;
  let hasEvents = false;
  if (file === null || !existsSync(file)) return { closes, managers, applied, hasEvents };
  for (const line of readLines<Line>(file)) {
    if (line.is === 'applied') {
      applied = line.to;
      hasEvents ||= line.events.length > 0;
    }
    if (line.is !== 'note') continue;
    const detail = (line.detail ?? {}) as { readonly code?: number; readonly reason?: string; readonly manager?: string };
    if (line.what === 'close')
      closes.push({ at: line.at, code: detail.code ?? 0, reason: detail.reason ?? '', byItself: OWN_REASONS.has(detail.reason ?? '') });
    if (line.what === 'state' && detail.manager !== undefined) managers.push(detail.manager);
  }
  return { closes, managers, applied, hasEvents };
}
