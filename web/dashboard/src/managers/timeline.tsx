import { useState } from 'react';
import type { EventRow } from 'spillway/admin';
import { inWords } from '../events/event-words.ts';
import { exactTime } from '../ui/format.ts';

/** What happened to one manager, newest first. */
export function Timeline({ rows }: { rows: readonly EventRow[] }) {
  const [opened, setOpened] = useState<number | null>(null);
  return (
    <section className="panel" aria-label="Timeline">
      <header>
        <h2>What happened to it</h2>
      </header>
      {rows.length === 0 ? (
        <p className="muted panel-text">Nothing in the history that this gateway keeps.</p>
      ) : (
        <ol className="timeline">
          {[...rows].reverse().map((row) => (
            <li key={row.id}>
              <time dateTime={new Date(row.at).toISOString()}>{exactTime(row.at)}</time>
              <button
                type="button"
                className="timeline-row"
                aria-expanded={opened === row.id}
                onClick={() => setOpened((before) => (before === row.id ? null : row.id))}
              >
                <b>{row.type}</b> <span>{inWords(row)}</span>
              </button>
              {opened === row.id && <pre className="json">{JSON.stringify(row.data, null, 2)}</pre>}
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
