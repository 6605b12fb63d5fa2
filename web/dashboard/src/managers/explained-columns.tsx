import type { ManagerExplanation } from 'spillway/admin';
import type { Column } from '../grid/data-grid.tsx';
import { age, NOTHING, shortId, whole } from '../ui/format.ts';
import { Verdict } from '../ui/verdict.tsx';
import { signal } from './evidence.ts';

const ageOf =
  (name: string) =>
  ({ evidence }: ManagerExplanation): string =>
    age(signal(evidence, name)?.ageMs);

/** A user's managers with the evidence for each verdict. */
export const EXPLAINED_COLUMNS: readonly Column<ManagerExplanation>[] = [
  { id: 'verdict', title: 'Verdict', width: '5.6rem', narrow: true, cell: ({ verdict }) => <Verdict verdict={verdict} /> },
  {
    id: 'manager',
    title: 'Manager',
    width: '7.4rem',
    narrow: true,
    cell: ({ managerId, label }) => (
      <span className="two-lines" title={`${managerId}${label === null ? '' : ` · ${label}`}`}>
        <code>{shortId(managerId)}</code>
        {label !== null && <span className="muted">{label}</span>}
      </span>
    ),
  },
  { id: 'pong', title: 'Pong', width: '3.2rem', align: 'end', help: 'Age of the last pong: of the socket only', cell: ageOf('E4') },
  {
    id: 'ack',
    title: 'Last ack',
    width: '4.2rem',
    align: 'end',
    help: 'Age of the last acknowledged event; from its seating if there was none',
    cell: ageOf('E1'),
  },
  {
    id: 'unacked',
    title: 'Unacked',
    width: '4.2rem',
    align: 'end',
    narrow: true,
    help: 'Events that were sent and are not acknowledged',
    cell: ({ evidence }) => {
      const owed = signal(evidence, 'E1')?.value;
      return owed !== undefined && owed > 0 ? <b>{whole(owed)}</b> : whole(owed);
    },
  },
  { id: 'probe', title: 'Probe', width: '4rem', align: 'end', help: 'Age of the last answered probe; from its seating if there was none', cell: ageOf('E2') },
  { id: 'heard', title: 'Heard', width: '4rem', align: 'end', help: 'Age of the last thing it sent by itself', cell: ageOf('E3') },
  {
    id: 'facts',
    title: 'State',
    width: '5.4rem',
    cell: ({ connected, running, pinned, seat }) =>
      [connected ? null : 'offline', running ? 'answering' : null, pinned ? 'pinned' : null, seat === 'burst' ? 'burst' : null]
        .filter((one) => one !== null)
        .join(', ') || NOTHING,
  },
  {
    id: 'goes',
    title: 'Goes at',
    width: '6rem',
    help: 'The mildest level at which an admission could take its seat now',
    cell: ({ goesAt }) => goesAt ?? 'never',
  },
  {
    id: 'words',
    title: 'In words',
    width: 'minmax(12rem, 1fr)',
    cell: ({ text }) => (
      <span className="words" title={text}>
        {text}
      </span>
    ),
  },
];
